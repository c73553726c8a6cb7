"""Fields for money."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import BadRequest, ValidationError

from skypemgr.forms import AffixInput
from skypemgr.money import NotAnAmount, places_of, read_amount, symbol_of, typed


class AmountInput(AffixInput):
    """An input for an amount. Raises BadRequest when two were sent: nobody can tell which of them is meant."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        sent = data.getlist(name) if hasattr(data, "getlist") else [data.get(name)]
        if len(sent) > 1:
            raise BadRequest
        return sent[0] if sent else None


class AmountField(forms.Field):
    """An amount in one currency, as `skypemgr.money.read_amount` reads it; the form says which after it is made."""

    def __init__(self, *, currency: str = "", zero: bool = False, **options: Any) -> None:
        super().__init__(widget=AmountInput(input_class="input-money"), **options)
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
