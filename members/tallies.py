"""How many members are alike, without counting them: read from rows that the database keeps (``MemberTally``)."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, Sum

from members.models import MemberTally, Organization
from members.models.tallies import GRAINS

# The columns in which members of one tally are alike.
ALIKE = ("department_id", "role", "state", "account_kind")
_FOLD = """
    WITH folded AS (DELETE FROM members_membertally WHERE organization_id = %(organization)s RETURNING *)
    INSERT INTO members_membertally (organization_id, everywhere, department_id, role, state, account_kind, number)
    SELECT organization_id, everywhere, department_id, role, state, account_kind, sum(number) FROM folded
    GROUP BY organization_id, everywhere, department_id, role, state, account_kind HAVING sum(number) <> 0
"""
_DIFFERENCES = f"""
    SELECT DISTINCT organization_id FROM (
        SELECT organization_id, everywhere, department_id, role, state, account_kind, number FROM members_membertally
        UNION ALL
        SELECT organization_id, grouping(department_id) = 1, department_id, role, state, account_kind, -count(*)
        FROM members_member GROUP BY {GRAINS}
    ) AS both_sides
    GROUP BY organization_id, everywhere, department_id, role, state, account_kind HAVING sum(number) <> 0
    ORDER BY organization_id
"""  # noqa: S608


def tally(organization: Organization, by: str, where: Q | None = None) -> Mapping[Any, int]:
    """How many members have which value of ``by``, one of ALIKE, among those that ``where`` tells by ALIKE."""
    where = where or Q()
    everywhere = by != "department_id" and not any(str(name).startswith("department") for name in _names(where))
    rows = MemberTally.objects.filter(where, organization=organization, everywhere=everywhere).order_by()
    return {value: number for value, number in rows.values_list(by).annotate(Sum("number")) if number}


def _names(condition: Q) -> Iterator[str]:
    """What a condition is about."""
    for child in condition.children:
        if isinstance(child, Q):
            yield from _names(child)
        elif isinstance(child, tuple):
            yield child[0]


def present() -> Q:
    """Everyone who has not left, as ``where`` of ``tally``."""
    return ~Q(state="left")


@transaction.atomic(savepoint=False)
def fold_tallies(*, organization_id: int) -> None:
    """Sum up what the tallies of an organization say; what they say stays the same."""
    with connection.cursor() as cursor:
        cursor.execute(_FOLD, {"organization": organization_id})


def organizations_to_fold(most: int) -> list[int]:
    """The organizations whose tallies have become long: more than ``most`` rows, and two for each fact."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT organization_id FROM members_membertally GROUP BY organization_id HAVING count(*) > %s"
            " AND count(*) > 2 * count(DISTINCT (everywhere, department_id, role, state, account_kind))",
            [most],
        )
        return [organization_id for (organization_id,) in cursor.fetchall()]


def wrong_tallies() -> list[int]:
    """The organizations whose tallies differ from their members, which must be none."""
    with connection.cursor() as cursor:
        cursor.execute(_DIFFERENCES)
        return [organization_id for (organization_id,) in cursor.fetchall()]
