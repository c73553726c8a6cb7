"""What seats cost, and what they cost before."""

from collections.abc import Sequence
from decimal import Decimal

from telephony.models import PriceChange, Product, ProductPrice
from telephony.product_seeds import CURRENCIES

MOST_CHANGES = 50


def list_prices() -> list[tuple[Product, list[tuple[str, Decimal | None]]]]:
    """Every product with its price in each currency, None where it has none."""
    prices = {
        (product, currency): monthly
        for product, currency, monthly in ProductPrice.objects.values_list("product_id", "currency", "monthly")
    }
    return [
        (product, [(currency, prices.get((product.pk, currency))) for currency in CURRENCIES])
        for product in Product.objects.order_by("order", "pk")
    ]


def prices_of(product: Product) -> dict[str, Decimal]:
    """The prices of a product by currency."""
    return dict(ProductPrice.objects.filter(product=product).values_list("currency", "monthly"))


def price_changes_of(product: Product) -> Sequence[PriceChange]:
    """When its prices were changed, the newest first."""
    changes = PriceChange.objects.filter(product=product).select_related("changed_by")
    return list(changes.order_by("-pk")[:MOST_CHANGES])
