"""Credit that moved in a range of an organization's days, by one cut or another, from the ledger."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from credit.models import Transfer
from credit.selectors.spans import Span, zone_of
from members.models import Organization
from reports.asked import Cut
from reports.selectors.grouped import Grouped

Operation = Transfer.Operation
ALLOCATIONS = (Operation.ALLOCATION, Operation.RECHARGE)
PURCHASES = (Operation.PURCHASE,)
FEES = (Operation.FEE,)
# Whose a movement is: of the account that it came to. People are counted where they are now.
_KEYS = {
    Cut.ORGANIZATION: "NULL::bigint",
    Cut.DEPARTMENT: "member.department_id",
    Cut.MEMBER: "account.member_id",
    Cut.DAY: "(transfer.happened_at AT TIME ZONE %(zone)s)::date",
}


def money_by(
    organization: Organization,
    *,
    first: date,
    last: date,
    cut: Cut,
    operations: Sequence[str],
    departments: Sequence[int | None] | None = None,
    keys: Sequence[Any] | None = None,
) -> Grouped[tuple[int, Decimal]]:
    """How many movements of some kinds there were from ``first`` to ``last``, and their sum, by the keys of a cut.

    With ``departments`` only those to people who are in these now, with ``keys`` those of these alone. Raises
    ValueError for a cut that credit does not have.
    """
    if cut not in _KEYS:
        raise ValueError(f"Credit has no {cut}.")
    start, end = Span(first, last).bounds(zone_of(organization))
    within = ""
    if departments is not None:
        nowhere = " OR account.member_id IS NOT NULL AND member.department_id IS NULL" if None in departments else ""
        within = f"AND (member.department_id = ANY (%(departments)s){nowhere})"
    if keys is not None:
        within += f" AND {_KEYS[cut]} = ANY (%(keys)s)"
    return Grouped(
        f"""
        SELECT {_KEYS[cut]} AS key, count(*), sum(transfer.amount) AS amount
        FROM credit_transfer transfer
        JOIN credit_ledgeraccount account ON account.id = transfer.target_id
        LEFT JOIN members_member member ON member.id = account.member_id
        WHERE transfer.organization_id = %(organization)s AND transfer.operation = ANY (%(operations)s)
            AND transfer.happened_at >= %(start)s AND transfer.happened_at < %(end)s {within}
        GROUP BY 1
        """,  # noqa: S608
        {
            "organization": organization.pk,
            "operations": [str(operation) for operation in operations],
            "zone": organization.time_zone,
            "keys": list(keys or ()),
            "departments": [key for key in departments or () if key is not None],
            "start": start,
            "end": end,
        },
        main="amount",
        read=lambda number, amount: (number, amount),
    )
