"""What seats cost, for those who run the installation."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from members.decorators import SignedInRequest, operator_view
from telephony.forms.prices import PricesForm
from telephony.models import Product
from telephony.product_seeds import CURRENCIES
from telephony.selectors.prices import list_prices, price_changes_of, prices_of
from telephony.services.prices import set_prices

HERE = {"operator_page": "prices"}


@operator_view
@require_safe
def price_list(request: SignedInRequest) -> HttpResponse:
    """Every product with its price in each currency."""
    return render(request, "telephony/ops_price_list.html", {**HERE, "prices": list_prices(), "currencies": CURRENCIES})


@operator_view
@require_http_methods(["GET", "HEAD", "POST"])
def price(request: SignedInRequest, code: str) -> HttpResponse:
    """Set what a product costs, and see what it cost before."""
    product = get_object_or_404(Product, code=code)
    form = PricesForm(request.POST if request.method == "POST" else None, prices=prices_of(product))
    if form.is_valid():
        if set_prices(actor=request.actor, product=product, prices=form.prices):
            text = gettext("The prices of {product} are saved. They count from now on, and from the next renewal on.")
        else:
            text = gettext("The prices of {product} are as they were.")
        messages.success(request, text.format(product=product.name))
        return redirect("telephony_ops:price", code)
    context = {**HERE, "product": product, "form": form, "changes": price_changes_of(product)}
    return render(request, "telephony/ops_price.html", context, status=422 if form.errors else 200)
