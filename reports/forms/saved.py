from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from members.models import Member
from reports.models import SavedReport


class SavedReportForm(forms.Form):
    """What a saved report is called, when it is sent, to whom, and as what file."""

    name = forms.CharField(label=_("Name"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    sent = forms.ChoiceField(label=_("Send it"), choices=SavedReport.Sent.choices)
    format = forms.ChoiceField(label=_("With the whole as"), choices=SavedReport.Format.choices)
    readers = forms.TypedMultipleChoiceField(
        label=_("To"),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Those who may see reports, and have confirmed their address."),
    )
    key = forms.UUIDField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, people: Sequence[Member], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        readers = self.fields["readers"]
        assert isinstance(readers, forms.MultipleChoiceField)
        readers.choices = [(member.pk, f"{member.user.display_name} ({member.user.skype_name})") for member in people]

    def clean_name(self) -> str:
        typed = self.cleaned_data["name"]
        name = " ".join("".join(one if one.isprintable() else " " for one in typed).split())
        if not name:
            raise ValidationError(self.fields["name"].error_messages["required"], code="required")
        return name
