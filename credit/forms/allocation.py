from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from credit.forms.fields import AmountField
from skypemgr.forms import ReasonField


class AllocationForm(forms.Form):
    """How much credit somebody gets, and why. ``key`` names this form, so that sending it again adds nothing."""

    amount = AmountField(label=_("Amount"))
    reason = ReasonField(label=_("Reason"), widget=forms.TextInput(attrs={"placeholder": _("Shown in the statement")}))
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "initial": {"key": uuid4(), **kwargs.get("initial", {})}})
        field = self.fields["amount"]
        assert isinstance(field, AmountField)
        field.set_currency(currency)
