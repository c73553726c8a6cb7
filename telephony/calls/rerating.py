"""Calls that were charged are rated again: what was posted is posted back, and what they cost now is posted anew."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from credit.charging import give_back
from credit.ledger import Move, account_of, accounts_of
from credit.models import LedgerAccount
from members.access import Actor
from members.models import Organization
from telephony.call_rating import rating_of

from .rollups import add_effects

RERATED = "call_rerated"
# Of a reversal: the key of the posting that it takes back, said otherwise.
BACK = "md5('call ' || row || ' ' || postings || ' back')::uuid"
_TO_RATE = """(
    SELECT id AS row, answered_at, seconds, digits, '' AS free_by, organization_id, %(currency)s::text AS currency
    FROM telephony_call
    WHERE organization_id = %(organization)s AND at >= %(first)s AND at <= %(last)s AND id = ANY (%(calls)s)
        AND outcome IN ('rated', 'covered')
)"""
# What no rate is known for any more keeps the price that it had.
_FIND = f"""
    DROP TABLE IF EXISTS {RERATED};
    CREATE TEMPORARY TABLE {RERATED} (
        row bigint, at timestamptz, member_id bigint, outcome text, before numeric(16, 4), postings integer,
        rate_id bigint, cost numeric(16, 4), billed_seconds integer
    ) ON COMMIT DROP
"""
_FILL = f"""
    INSERT INTO {RERATED}
    SELECT call.id, call.at, call.member_id, call.outcome, call.charge, call.postings, rated.rate_id, rated.cost,
        rated.billed_seconds
    FROM ({{rating}}) AS rated
    JOIN telephony_call call ON call.organization_id = %(organization)s AND call.id = rated.row
        AND call.at >= %(first)s AND call.at <= %(last)s
    WHERE rated.outcome = 'rated' AND rated.cost IS DISTINCT FROM call.price
"""  # noqa: S608
_CHANGE = f"""
    UPDATE telephony_call call SET
        rate_id = known.rate_id, destination = coalesce(rate.destination, ''), billed_seconds = known.billed_seconds,
        price = known.cost, charge = CASE WHEN known.outcome = 'rated' THEN known.cost ELSE 0 END,
        postings = call.postings + (known.outcome = 'rated' AND known.cost > 0)::integer
    FROM {RERATED} known LEFT JOIN telephony_prefixrate rate ON rate.id = known.rate_id
    WHERE call.organization_id = %s AND call.at = known.at AND call.id = known.row
"""  # noqa: S608


@transaction.atomic(savepoint=False)
def rate_again(organization: Organization, calls: Sequence[tuple[datetime, int]]) -> int:
    """Rate calls of an organization again, by when they began and their keys; gives how many cost otherwise now.

    They are changed, and what changes is an effect (``rollups``). Minutes that a plan covers stay as they are, and so
    does what no rate is known for any more. The calls of the organization are locked, effects are expected.
    """
    facts: dict[str, Any] = {
        "organization": organization.pk,
        "currency": organization.currency,
        "first": calls[0][0],
        "last": calls[-1][0],
        "calls": [key for _at, key in calls],
    }
    with connection.cursor() as cursor:
        cursor.execute(_FIND)
        cursor.execute(_FILL.format(rating=rating_of(_TO_RATE)), facts)
        changed = cursor.rowcount
    if changed:
        add_effects(organization, RERATED, sign=-1)
        with connection.cursor() as cursor:
            cursor.execute(_CHANGE, [organization.pk])
        add_effects(organization, RERATED)
    return changed


@transaction.atomic(savepoint=False)
def take_back(*, organization: Organization, actor: Actor) -> Decimal:
    """Give back what was charged for the calls that were just rated again; gives the sum.

    It locks the accounts of all whose calls these are, in their order, so that they can be charged anew behind it.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT member_id, outcome = 'rated' AND before > 0, before, {BACK}, at FROM {RERATED}")  # noqa: S608
        calls = cursor.fetchall()
    accounts = accounts_of(organization, {member for member, *_rest in calls})
    usage = account_of(organization, LedgerAccount.Kind.USAGE)
    moves = [
        Move(usage, accounts[member], amount, key, at) for member, was_charged, amount, key, at in calls if was_charged
    ]
    give_back(organization=organization, moves=moves, accounts=accounts.values(), actor=actor)
    return sum((move.amount for move in moves), Decimal("0.0000"))
