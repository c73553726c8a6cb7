"""Calls paid from the balances of those who made them."""

from collections.abc import Iterable, Sequence

from django.db import transaction

from credit.ledger import Move, Posted, post
from credit.models import LedgerAccount, Transfer
from credit.recharging import recharge
from members.access import Actor
from members.models import Batch, Organization


@transaction.atomic(savepoint=False)
def charge(
    *, organization: Organization, moves: Sequence[Move], actor: Actor, batch: Batch | None = None, reason: str = ""
) -> Posted:
    """Charge calls, one or ten thousand, and recharge at once whoever is below their threshold by that.

    Each move goes from a member's account to usage, and may take it below zero: a call that was made is paid. Moves
    that were charged before, by key, are left alone. Once in a transaction, since recharges lock the wallet last.
    Raises KeyReused when a key was used for another amount.
    """
    posted = post(
        organization=organization,
        operation=Transfer.Operation.CHARGE,
        moves=moves,
        actor=actor,
        batch=batch,
        reason=reason,
    )
    if posted.new:
        recharge(organization=organization, accounts={move.source for move in moves})
    return posted


@transaction.atomic(savepoint=False)
def give_back(*, organization: Organization, moves: Sequence[Move], accounts: Iterable[int], actor: Actor) -> Posted:
    """Give back what calls were charged, before they are charged anew in the same transaction.

    Each move goes from usage to a member's account. ``accounts`` are all that the transaction gives back to or
    charges: they are locked here, in the order of their keys, as ``post`` locks them. Moves that were given back
    before, by key, are left alone.
    """
    asked = LedgerAccount.objects.filter(organization=organization, pk__in=list(accounts))
    list(asked.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
    if not moves:
        return Posted(0, 0)
    return post(organization=organization, operation=Transfer.Operation.REFUND, moves=moves, actor=actor)
