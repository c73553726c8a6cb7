from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from telephony.licensing import MOST_SEATS
from telephony.models import License, Product


class BuyForm(forms.Form):
    """How many seats of what. ``key`` names it, so that sending it again buys nothing again."""

    product = forms.ChoiceField(label=_("Product"))
    quantity = forms.IntegerField(label=_("Seats"), min_value=1, max_value=MOST_SEATS)
    months = forms.TypedChoiceField(label=_("Paid for"), choices=License.Months.choices, coerce=int)
    price = forms.DecimalField(widget=forms.HiddenInput, required=False, max_digits=16, decimal_places=4)
    key = forms.UUIDField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._products = {one.code: one for one in Product.objects.filter(on_sale=True).order_by("order")}
        product = self.fields["product"]
        assert isinstance(product, forms.ChoiceField)
        product.choices = [(code, one.name) for code, one in self._products.items()]

    def clean_product(self) -> Product:
        return self._products[self.cleaned_data["product"]]

    def clean_key(self) -> Any:
        return self.cleaned_data["key"] or uuid4()


class RenewalForm(forms.Form):
    """How many seats go on."""

    quantity = forms.IntegerField(label=_("Seats from then on"), min_value=0, max_value=MOST_SEATS)
