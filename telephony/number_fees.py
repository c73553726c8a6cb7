"""What numbers cost: a month in advance, from the wallet, when they are acquired and from then on each month."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID, uuid5

from django.db import transaction

from credit.errors import InsufficientCredit
from credit.ledger import Move, account_of, post
from credit.models import LedgerAccount, Transfer
from members.access import Actor
from members.models import Organization
from telephony.licensing import end_of_period, today_of, too_small
from telephony.models import PhoneNumber

# Of keys of transfers: each names an acquisition, or an organization and the day on which its numbers are renewed.
OF_NUMBERS = UUID("0b1c0c7e-4f43-4a3e-9a55-2f0f4a8f6a27")
FEE = Transfer.Operation.FEE


@transaction.atomic(savepoint=False)
def pay_first_month(
    *, actor: Actor, organization: Organization, numbers: Sequence[PhoneNumber], reference: UUID
) -> Decimal:
    """Pay the first month of numbers that are being acquired; the wallet is locked by this. Raises WalletTooSmall."""
    priced = [number.pk for number in numbers if number.monthly_price]
    amount = sum((number.monthly_price for number in numbers if number.monthly_price), Decimal())
    if priced:
        today = today_of(organization)
        PhoneNumber.objects.of(organization).filter(pk__in=priced).update(
            anchored_on=today, renews_on=end_of_period(today, today, 1)
        )
        _pay(actor, organization, amount, f"acquired {reference}")
    return amount


@transaction.atomic(savepoint=False)
def pay_next_month(*, organization: Organization, day: dt.date) -> Decimal:
    """Pay another month of all numbers that are to be renewed on a day, at the price that they have by now.

    Once for that day, whatever is repeated. Raises WalletTooSmall, and nothing is renewed.
    """
    due = PhoneNumber.objects.of(organization).filter(renews_on=day)
    locked = list(due.select_for_update(no_key=True).order_by("pk"))
    amount = sum((number.monthly_price for number in locked if number.monthly_price), Decimal())
    for anchor in {number.anchored_on for number in locked if number.anchored_on}:
        keys = [number.pk for number in locked if number.anchored_on == anchor]
        PhoneNumber.objects.filter(pk__in=keys).update(renews_on=end_of_period(anchor, day, 1))
    if amount:
        _pay(Actor.system(), organization, amount, f"{organization.pk} {day}")
    return amount


def _pay(actor: Actor, organization: Organization, amount: Decimal, what: str) -> None:
    wallet = account_of(organization, LedgerAccount.Kind.WALLET)
    fees = account_of(organization, LedgerAccount.Kind.FEES)
    move = Move(wallet, fees, amount, uuid5(OF_NUMBERS, what))
    try:
        post(organization=organization, operation=FEE, moves=[move], actor=actor)
    except InsufficientCredit as error:
        raise too_small(organization, error.balance, amount) from error
