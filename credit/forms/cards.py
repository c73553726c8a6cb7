from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from credit.forms.fields import AmountField

AMOUNTS = ("amount", "below", "monthly_limit")


class WalletRechargeForm(forms.Form):
    """When the wallet is recharged, with how much, and how much in a month at most."""

    amount = AmountField(label=_("Recharge the wallet with"), help_text=_("VAT comes on top where it is due."))
    below = AmountField(label=_("When the balance falls below"))
    monthly_limit = AmountField(label=_("Monthly recharge limit"))

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in AMOUNTS:
            field = self.fields[name]
            assert isinstance(field, AmountField)
            field.set_currency(currency)


class SaveCardForm(forms.Form):
    """The key of a form without a field."""

    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "initial": {"key": uuid4()}})
