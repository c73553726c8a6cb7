"""Calls paid from the balances of those who made them."""

from collections.abc import Sequence

from django.db import transaction

from credit.ledger import Move, Posted, post
from credit.models import Transfer
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
