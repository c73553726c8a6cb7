"""When the wallet is recharged from the saved card, and when not: building blocks of asking for a charge."""

import datetime as dt
from uuid import uuid4

from django.db import transaction

from credit.errors import NotPayableByCard
from credit.funding import owed_by
from credit.gateways.minor_units import NotPayable, to_minor_units
from credit.models import Gateway, Order, SavedCard, WalletCharge, WalletRecharge
from credit.purchases import place
from credit.selectors.balances import wallet_balance
from credit.selectors.cards import first_day, is_disputed, recharged_in, saved_card
from credit.sellers import current_seller, missing_of, price_for
from credit.vat import Price
from members.access import Actor
from members.models import Organization
from members.months import present_month
from skypemgr.clock import DatabaseClock
from skypemgr.money import money

# While something stands in the way that no save of the plan takes away.
PAUSE = dt.timedelta(minutes=5)


def lock_plan(organization: Organization) -> WalletRecharge | None:
    """The auto-recharge of a wallet, held until the transaction ends; None where there never was one."""
    plans = WalletRecharge.objects.select_for_update(no_key=True, of=("self",)).select_related("organization")
    return plans.filter(organization=organization).first()


@transaction.atomic(savepoint=False)
def ask_for_charge(plan: WalletRecharge) -> WalletCharge | None:
    """Write down the charge that a wallet needs now, if it does and may: its plan is locked. None otherwise."""
    organization = plan.organization
    if plan.state != WalletRecharge.State.ACTIVE or wallet_balance(organization) >= plan.below:
        return None
    under_way = WalletCharge.objects.filter(organization=organization, state=WalletCharge.State.REQUESTED)
    if under_way.exists():
        return None
    card = saved_card(organization)
    if card is None or owed_by(organization) or is_disputed(organization) or _cant_be_sold(plan):
        _look_again(plan, DatabaseClock() + PAUSE)
        return None
    month = present_month(organization)
    if recharged_in(organization, month) + plan.amount > plan.monthly_limit:
        _look_again(plan, month.end)
        return None
    return _ask(plan, card, first_day(month))


def require_payable(organization: Organization, price: Price) -> None:
    """Raise NotPayableByCard for a price that no card can pay exactly."""
    try:
        to_minor_units(price.gross, organization.currency)
    except NotPayable as error:
        raise NotPayableByCard(amount=money(price.gross, organization.currency)) from error


def _cant_be_sold(plan: WalletRecharge) -> bool:
    if missing_of(current_seller(), Gateway.STRIPE):
        return True
    try:
        require_payable(plan.organization, price_for(plan.organization, plan.amount))
    except NotPayableByCard:
        return True
    return False


def _look_again(plan: WalletRecharge, at: object) -> None:
    WalletRecharge.objects.filter(pk=plan.pk).update(look_at=at)


def _ask(plan: WalletRecharge, card: SavedCard, month: dt.date) -> WalletCharge:
    key = uuid4()
    order = place(
        organization=plan.organization,
        actor=Actor.system(),
        price=price_for(plan.organization, plan.amount),
        method=Order.Method.CARD,
        key=key,
    )
    return WalletCharge.objects.create(
        organization=plan.organization,
        order=order,
        card=card,
        key=key,
        amount=plan.amount,
        monthly_limit=plan.monthly_limit,
        month=month,
    )
