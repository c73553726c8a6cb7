from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from members.forms.fields import LabelField
from members.registry import ApiScope

# Days after which a token ends; a token without an end would be forgotten before it is found.
LIFETIMES = {"30": _("30 days"), "90": _("90 days"), "180": _("180 days"), "365": _("A year")}


class ApiTokenForm(forms.Form):
    """A new token: what it is called, what it may do, and for how long."""

    name = LabelField(label=_("Name"), help_text=_("The program that will use it: “Call import of the exchange”."))
    scopes = forms.MultipleChoiceField(label=_("What it may do"), widget=forms.CheckboxSelectMultiple)
    days = forms.TypedChoiceField(
        label=_("It ends after"), choices=list(LIFETIMES.items()), coerce=int, initial="90", widget=forms.Select
    )
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, scopes: Sequence[ApiScope], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["scopes"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(scope.key, scope.label) for scope in scopes]
