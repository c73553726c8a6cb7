from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms

from credit.forms.fields import AmountField
from telephony.product_seeds import CURRENCIES


class PricesForm(forms.Form):
    """What a seat of a product costs a month in each currency; left empty, it has no price there."""

    def __init__(self, data: Any = None, *, prices: Mapping[str, Decimal]) -> None:
        super().__init__(data)
        for currency in CURRENCIES:
            field = AmountField(currency=currency, zero=True, label=currency, required=False)
            field.initial = prices.get(currency)
            self.fields[currency] = field

    @property
    def prices(self) -> dict[str, Decimal | None]:
        return {currency: self.cleaned_data[currency] for currency in CURRENCIES}
