from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from credit.forms.fields import AmountField


class AlertsForm(forms.Form):
    """When somebody wants to be told that the wallet holds little."""

    low_wallet = AmountField(
        label=_("Tell us when the wallet holds less than"),
        required=False,
        help_text=_("Leave it empty to be told only when it is empty, or will be within a week."),
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["low_wallet"]
        assert isinstance(field, AmountField)
        field.set_currency(currency)
