"""What an organization's calls cost in a range of its days, by one cut or another, from what calls add up to.

Whole months come from the sums of months, the days around them from those of days; of people and destinations, which
have none by day, from the calls of those days themselves.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from members.models import Department, Organization
from reports.asked import Cut
from reports.selectors.grouped import Grouped
from telephony.calls.rollups import MEASURED, following_month

NOTHING = Decimal("0.0000")


@dataclass(frozen=True, slots=True)
class Usage:
    """Calls that were answered, the seconds that they lasted, and what they cost; ``attempts`` with all others."""

    attempts: int = 0
    calls: int = 0
    seconds: int = 0
    cost: Decimal = NOTHING

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.attempts + other.attempts,
            self.calls + other.calls,
            self.seconds + other.seconds,
            self.cost + other.cost,
        )


# Of each cut: the column it groups by in the sums of months, in those of days, and in the calls.
_MONTHS = {
    Cut.ORGANIZATION: ("telephony_monthusage", "NULL::bigint"),
    Cut.DEPARTMENT: ("telephony_monthusage", "department_id"),
    Cut.MEMBER: ("telephony_memberusage", "member_id"),
    Cut.DESTINATION: ("telephony_destinationusage", "destination"),
}
_DAYS = {
    Cut.ORGANIZATION: "NULL::bigint",
    Cut.DEPARTMENT: "department_id",
    Cut.DAY: "day",
}
_CALLS = {Cut.MEMBER: "member_id", Cut.DESTINATION: "destination"}
_SUMS = "calls, answered, seconds, charge"


def whole_months(first: date, last: date) -> tuple[list[date], list[tuple[date, date]]]:
    """The months that lie in a range of days, by their first days, and the ranges around them, both days included."""
    begins = first if first.day == 1 else following_month(first)
    months: list[date] = []
    while following_month(begins) - timedelta(days=1) <= last:
        months.append(begins)
        begins = following_month(begins)
    if not months:
        return [], [(first, last)]
    before, after = (first, months[0] - timedelta(days=1)), (following_month(months[-1]), last)
    return months, [(start, end) for start, end in (before, after) if start <= end]


def usage_by(
    organization: Organization,
    *,
    first: date,
    last: date,
    cut: Cut,
    departments: Sequence[int | None] | None = None,
    destination: str | None = None,
    keys: Sequence[Any] | None = None,
) -> Grouped[Usage]:
    """What calls from ``first`` to ``last`` come to, by the keys of a cut; with ``keys`` by these alone.

    With ``departments`` only those that were made in these, with ``destination`` those that went there, which are
    added up from the calls themselves. None is the key of what is of no department or of nobody,
    "" that of calls without a destination. Raises ValueError when the range ends before it begins.
    """
    if last < first:
        raise ValueError("A range does not end before it begins.")
    single = cut == Cut.DAY or destination is not None
    months, rests = ([], [(first, last)]) if single else whole_months(first, last)
    parts: list[str] = []
    facts: dict[str, Any] = {"organization": organization.pk, "destination": destination}
    within = ""
    if departments is not None:
        facts |= {"departments": [key for key in departments if key is not None]}
        # Few are asked for both; who asks for none alone need not be told apart.
        nowhere = " OR department_id IS NULL" if None in departments else ""
        within = f" AND (department_id = ANY (%(departments)s){nowhere})"
    of_keys = ""
    if keys is not None:
        facts |= {"keys": [key for key in keys if key is not None]}
        of_keys = " WHERE key = ANY (%(keys)s)" + (" OR key IS NULL" if None in keys else "")
    if months:
        table, key = _MONTHS[cut]
        facts |= {"months": months}
        parts.append(
            f"SELECT {key} AS key, {_SUMS} FROM {table}"  # noqa: S608
            f" WHERE organization_id = %(organization)s AND month = ANY (%(months)s){within}"
        )
    for place, (start, end) in enumerate(rests):
        facts |= {f"first_{place}": start, f"last_{place}": end}
        day = f"day >= %(first_{place})s AND day <= %(last_{place})s"
        if cut in _DAYS and destination is None:
            parts.append(
                f"SELECT {_DAYS[cut]} AS key, {_SUMS} FROM telephony_dayusage"  # noqa: S608
                f" WHERE organization_id = %(organization)s AND {day}{within}"
            )
        else:
            parts.append(
                f"SELECT {(_CALLS | _DAYS)[cut]} AS key, {MEASURED}"  # noqa: S608
                f" FROM telephony_call WHERE organization_id = %(organization)s"
                f" AND at >= %(first_{place})s - interval '2 days' AND at < %(last_{place})s + interval '3 days'"
                f" AND {day}{within}" + (" AND destination = %(destination)s" if destination is not None else "")
            )
    return Grouped(
        "SELECT key, sum(calls)::bigint, sum(answered)::bigint, sum(seconds)::bigint, sum(charge) AS cost FROM ("  # noqa: S608
        + " UNION ALL ".join(parts)
        + f") AS found{of_keys} GROUP BY key HAVING sum(calls) > 0",
        facts,
        main="cost",
        read=Usage,
    )


def labels_of(organization: Organization, cut: Cut, keys: Iterable[Any]) -> dict[Any, str]:
    """What the keys of a cut are called; what is of none, or is gone, has no name."""
    return _LABELS[cut](organization, list(keys))


def _of_organization(organization: Organization, found: Sequence[Any]) -> dict[Any, str]:
    return dict.fromkeys(found, organization.slug)


def _of_departments(organization: Organization, found: Sequence[Any]) -> dict[Any, str]:
    keys = [key for key in found if key is not None]
    return dict(Department.objects.filter(organization=organization, pk__in=keys).values_list("pk", "path"))


def _of_members(organization: Organization, found: Sequence[Any]) -> dict[Any, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT member.id, person.skype_name FROM members_member member
            JOIN members_user person ON person.id = member.user_id
            WHERE member.organization_id = %s AND member.id = ANY (%s)
            """,
            [organization.pk, [key for key in found if key is not None]],
        )
        return dict(cursor.fetchall())


def _of_texts(organization: Organization, found: Sequence[Any]) -> dict[Any, str]:
    return {key: str(key) for key in found}


_LABELS = {
    Cut.ORGANIZATION: _of_organization,
    Cut.DEPARTMENT: _of_departments,
    Cut.MEMBER: _of_members,
    Cut.DESTINATION: _of_texts,
    Cut.DAY: _of_texts,
}
