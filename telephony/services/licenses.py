"""Licenses: bought from the wallet, and renewed, reduced or canceled at the end of what is paid."""

from decimal import Decimal
from uuid import UUID

from django.db import transaction

from members.access import Actor, Capability, require
from members.audit import Action, record
from members.models import Organization
from members.operations import claim, settle
from skypemgr.kill_points import kill_point
from telephony.license_errors import LicenseHasEnded, MoreThanBought, PriceChanged, SeatsAreTaken
from telephony.licensing import end_of_period, offer, pay_period, today_of, too_small
from telephony.models import License, Product
from telephony.seating import lock_license


@transaction.atomic(durable=True)
def buy_licenses(
    *,
    actor: Actor,
    organization: Organization,
    product: Product,
    quantity: int,
    months: int,
    key: UUID,
    expected_price: Decimal | None = None,
) -> License:
    """Buy seats and pay their first period from the wallet, which begins today: all of it, or nothing.

    The same key with the same facts gives the license that was bought then. ``expected_price`` is what a seat cost a
    month when that was shown. Raises NotSold, NotOffered, NoPrice, QuantityOutOfRange, NoSuchPeriod, PriceChanged,
    WalletTooSmall, KeyReused.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    facts = {"product": product.code, "quantity": quantity, "months": months}
    if earlier := claim(organization=organization, name="buy_licenses", key=key, facts=facts):
        return License.objects.get(organization=organization, pk=earlier.result["license"])
    offered = offer(organization, product, quantity, months)
    if expected_price not in (None, offered.monthly_price):
        raise PriceChanged(price=offered.monthly_price)
    if offered.lacking:
        # Told before anything is written; what decides is the wallet when it is charged.
        raise too_small(organization, offered.wallet, offered.amount)
    today = today_of(organization)
    bought = License.objects.create(
        organization=organization,
        product=product,
        quantity=quantity,
        renewed_quantity=quantity,
        months=months,
        monthly_price=offered.monthly_price,
        anchored_on=today,
        began_on=today,
        renews_on=end_of_period(today, today, months),
        bought_by=actor.member,
    )
    settle(organization=organization, name="buy_licenses", key=key, result={"license": bought.pk})
    record(
        organization=organization,
        actor=actor,
        action=Action.LICENSE_BOUGHT,
        subject=bought,
        after={**facts, "amount": f"{offered.amount:.4f}", "renews_on": str(bought.renews_on)},
    )
    pay_period(bought=bought, organization=organization, actor=actor, begins_on=today, ends_before=bought.renews_on)
    kill_point("licenses.paid")
    return bought


@transaction.atomic(durable=True)
def change_renewal(*, actor: Actor, organization: Organization, bought: License, quantity: int) -> License:
    """Renew so many seats of a license when what is paid ends; with 0 it ends then, with all of them it goes on whole.

    Raises LicenseHasEnded, MoreThanBought, SeatsAreTaken.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    locked = lock_license(organization, bought)
    if locked.ended_at is not None:
        raise LicenseHasEnded
    if quantity == locked.renewed_quantity:
        return locked
    if quantity > locked.quantity:
        raise MoreThanBought(quantity=locked.quantity)
    if 0 < quantity < locked.assigned:
        raise SeatsAreTaken(assigned=locked.assigned)
    before, locked.renewed_quantity = locked.renewed_quantity, quantity
    locked.save(update_fields=["renewed_quantity"])
    record(
        organization=organization,
        actor=actor,
        action=Action.LICENSE_RENEWAL_CHANGED,
        subject=locked,
        before={"quantity": before},
        after={"quantity": quantity, "renews_on": str(locked.renews_on)},
    )
    return locked
