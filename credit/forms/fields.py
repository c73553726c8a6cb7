"""Fields for money."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from skypemgr.forms import AffixInput
from skypemgr.money import NotAnAmount, places_of, read_amount, symbol_of, typed


class AmountField(forms.Field):
    """An amount in one currency, as `skypemgr.money.read_amount` reads it; the form says which after it is made."""

    def __init__(self, *, currency: str = "", zero: bool = False, **options: Any) -> None:
        super().__init__(widget=AffixInput(input_class="input-money"), **options)
        self.zero = zero
        self.set_currency(currency)

    def set_currency(self, currency: str) -> None:
        self.currency = currency
        if currency:
            self.widget.before = symbol_of(currency)
            self.widget.attrs["inputmode"] = "decimal" if places_of(currency) else "numeric"

    def prepare_value(self, value: Any) -> Any:
        return typed(value, self.currency) if isinstance(value, Decimal) else value

    def to_python(self, value: Any) -> Decimal | None:
        if value in self.empty_values:
            return None
        try:
            return read_amount(str(value), self.currency, zero=self.zero)
        except NotAnAmount as refusal:
            raise ValidationError(str(refusal), code="amount") from refusal
