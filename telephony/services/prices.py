"""What seats cost, as those who run the installation set it."""

from collections.abc import Mapping
from decimal import Decimal

from django.core.exceptions import PermissionDenied
from django.db import transaction

from members.access import Actor, Capability
from telephony.models import PriceChange, Product, ProductPrice


@transaction.atomic(durable=True)
def set_prices(*, actor: Actor, product: Product, prices: Mapping[str, Decimal | None]) -> int:
    """Set what a seat of a product costs a month, by currency; None: it can't be bought in that one any more.

    It counts for what is bought from now on, and for what is owned from its next renewal on. Gives how many changed,
    each of which is kept for good with who changed it.
    """
    if not actor.can(Capability.RUN_INSTALLATION):
        raise PermissionDenied
    present = dict(ProductPrice.objects.filter(product=product).values_list("currency", "monthly"))
    changed = {currency: price for currency, price in prices.items() if present.get(currency) != price}
    ProductPrice.objects.filter(
        product=product, currency__in=[key for key, price in changed.items() if price is None]
    ).delete()
    ProductPrice.objects.bulk_create(
        [
            ProductPrice(product=product, currency=currency, monthly=price)
            for currency, price in sorted(changed.items())
            if price is not None
        ],
        update_conflicts=True,
        unique_fields=["product", "currency"],
        update_fields=["monthly"],
    )
    PriceChange.objects.bulk_create(
        PriceChange(product=product, currency=currency, monthly=price, changed_by=actor.user)
        for currency, price in sorted(changed.items())
    )
    return len(changed)
