from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from skypemgr.templatetags.look import count
from telephony.licensing import MOST_SEATS
from telephony.models import License, Product
from telephony.selectors.licenses import SeatCount


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


class SeatsForm(forms.Form):
    """Which product is assigned or taken away, out of those that are owned."""

    product = forms.ChoiceField(label=_("Product"))

    def __init__(self, *args: Any, products: Sequence[tuple[Product, SeatCount]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._products = {one.code: one for one, _seats in products}
        product = self.fields["product"]
        assert isinstance(product, forms.ChoiceField)
        product.choices = [(one.code, _with_free(one, seats.free)) for one, seats in products]

    def clean_product(self) -> Product:
        return self._products[self.cleaned_data["product"]]

    @property
    def chosen_product(self) -> Product | None:
        """What was chosen; None when nothing was, or nothing that is owned."""
        return self._products.get(str(self["product"].value())) if self.is_bound else None


def _with_free(product: Product, free: int) -> str:
    text = ngettext("{product} ({number} free)", "{product} ({number} free)", free)
    return text.format(product=product.name, number=count(free))
