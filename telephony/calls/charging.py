"""What calls cost is taken from those who made them, in the transaction that keeps the calls."""

from decimal import Decimal

from django.db import connection, transaction

from credit.charging import charge
from credit.ledger import Move, account_of, accounts_of
from credit.models import LedgerAccount
from members.access import Actor
from members.models import Organization

from .rollups import EFFECT

# The key of a posting: of a call, and of how often it was posted.
KEY = "md5('call ' || call.id || ' ' || call.postings)::uuid"
_TO_CHARGE = f"""
    SELECT call.member_id, call.charge, {KEY}, call.at
    FROM (SELECT DISTINCT at, id FROM {EFFECT}) AS known JOIN telephony_call call
        ON call.organization_id = %s AND call.at = known.at AND call.id = known.id
    WHERE call.outcome = 'rated' AND call.charge > 0
"""  # noqa: S608


@transaction.atomic(savepoint=False)
def charge_calls(*, organization: Organization, actor: Actor) -> Decimal:
    """Charge the calls of this transaction's effects that cost something; gives the sum.

    In full, even below zero; whoever falls below their threshold is recharged at once. It locks the wallet last.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TO_CHARGE, [organization.pk])
        calls = cursor.fetchall()
    if not calls:
        return Decimal("0.0000")
    accounts = accounts_of(organization, {member for member, *_rest in calls})
    usage = account_of(organization, LedgerAccount.Kind.USAGE)
    moves = [Move(accounts[member], usage, amount, key, at) for member, amount, key, at in calls]
    charge(organization=organization, moves=moves, actor=actor)
    return sum((move.amount for move in moves), Decimal("0.0000"))
