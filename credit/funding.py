"""Credit that comes into an organization, and credit that goes out of it again: the wallet and the world."""

from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Q, Sum

from credit.ledger import NO_CREDIT, Move, Posted, account_of, post
from credit.models import LedgerAccount, RechargeCall, Transfer
from members.access import Actor
from members.models import Organization
from skypemgr.background import wake

Kind, Operation = LedgerAccount.Kind, Transfer.Operation


def owed_by(organization: Organization) -> Decimal:
    """What an organization still owes after a refund that its wallet couldn't cover, in its currency."""
    receivable = LedgerAccount.objects.filter(organization=organization, kind=Kind.RECEIVABLE).first()
    if receivable is None:
        return NO_CREDIT
    settlements = Transfer.objects.filter(organization=organization, operation=Operation.SETTLEMENT)
    sums = settlements.aggregate(
        lent=Sum("amount", filter=Q(source=receivable)), settled=Sum("amount", filter=Q(target=receivable))
    )
    return (sums["lent"] or NO_CREDIT) - (sums["settled"] or NO_CREDIT)


@transaction.atomic(savepoint=False)
def fund(*, organization: Organization, actor: Actor, amount: Decimal, key: UUID, reason: str = "") -> Posted:
    """Put bought credit into the wallet, once for each ``key``, and settle at once what is owed.

    Recharges that the wallet couldn't cover are tried again after it, by a worker: they lock members first.
    Raises KeyReused when the key was used for another amount.
    """
    wallet = account_of(organization, Kind.WALLET)
    purchase = Move(account_of(organization, Kind.PURCHASES), wallet, amount, key)
    posted = post(organization=organization, operation=Operation.PURCHASE, moves=[purchase], actor=actor, reason=reason)
    # The wallet is locked by now, so what is owed stays as it is.
    if posted.new and (owed := owed_by(organization)):
        settlement = Move(wallet, account_of(organization, Kind.RECEIVABLE), min(owed, amount), key)
        post(organization=organization, operation=Operation.SETTLEMENT, moves=[settlement], actor=actor)
    if posted.new:
        RechargeCall.objects.create(organization=organization)
        wake("credit.recharge_members")
    return posted


@transaction.atomic(savepoint=False)
def take_back(*, organization: Organization, actor: Actor, amount: Decimal, key: UUID, reason: str = "") -> Posted:
    """Take refunded or disputed money out of the wallet, once for each ``key``; what it lacks is owed from then on."""
    wallet = account_of(organization, Kind.WALLET)
    held = LedgerAccount.objects.select_for_update(no_key=True).get(organization=organization, pk=wallet).balance
    refund = Move(wallet, account_of(organization, Kind.PURCHASES), amount, key)
    known = Transfer.objects.filter(
        organization=organization, operation=Operation.REFUND, key=key, target=refund.target
    ).exists()
    lacking = amount - (held or NO_CREDIT)
    if not known and lacking > 0:
        loan = Move(account_of(organization, Kind.RECEIVABLE), wallet, lacking, key)
        post(organization=organization, operation=Operation.SETTLEMENT, moves=[loan], actor=actor, reason=reason)
    return post(organization=organization, operation=Operation.REFUND, moves=[refund], actor=actor, reason=reason)
