"""What calls cost in the present month of an organization, for its overview."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db import connection
from django.utils import timezone

from credit.selectors.spans import zone_of
from members.models import Member, Organization
from reports.asked import Cut
from reports.selectors.usage import NOTHING, usage_by
from telephony.calls.rollups import following_month

FEW = 5


@dataclass(frozen=True)
class PresentMonth:
    """The days of the month up to today, what calls cost on each, and on as many days of the month before.

    ``month_before`` is what the whole month before came to.
    """

    first: date
    today: date
    days: int
    now: list[Decimal]
    before: list[Decimal]
    month_before: Decimal

    @property
    def cost(self) -> Decimal:
        return sum(self.now, NOTHING)

    @property
    def cost_before(self) -> Decimal:
        """On as many days of the month before, or all of it where it had fewer."""
        return sum(self.before[: len(self.now)], NOTHING)


@dataclass(frozen=True)
class Dearest:
    """Somebody, or a destination: by what it is named in addresses, how it is called, and its cost."""

    key: str
    label: str
    cost: Decimal


def present_month(organization: Organization) -> PresentMonth:
    """This month and the one before, by day; from what days come to."""
    today = timezone.now().astimezone(zone_of(organization)).date()
    first = today.replace(day=1)
    before = (first - timedelta(days=1)).replace(day=1)
    found = usage_by(organization, first=before, last=today, cut=Cut.DAY).all()

    def costs(start: date, end: date) -> list[Decimal]:
        days = (end - start).days
        return [
            found[day].cost if (day := start + timedelta(days=place)) in found else NOTHING for place in range(days)
        ]

    earlier = costs(before, first)
    return PresentMonth(
        first=first,
        today=today,
        days=(following_month(first) - first).days,
        now=costs(first, today + timedelta(days=1)),
        before=earlier,
        month_before=sum(earlier, NOTHING),
    )


def dearest_people(organization: Organization, month: date) -> list[Dearest]:
    """Who spent the most on calls in a month, by its first day."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT member_id, sum(charge) FROM telephony_memberusage
            WHERE organization_id = %s AND month = %s AND member_id IS NOT NULL AND charge > 0
            GROUP BY member_id ORDER BY 2 DESC, 1 LIMIT %s
            """,
            [organization.pk, month, FEW],
        )
        found = dict(cursor.fetchall())
    members = Member.objects.of(organization).filter(pk__in=found).select_related("user", "organization").in_bulk()

    return [
        Dearest(members[key].user.skype_name, members[key].user.display_name, cost)
        for key, cost in found.items()
        if key in members
    ]


def dearest_destinations(organization: Organization, month: date) -> list[Dearest]:
    """Where to calls cost the most in a month, by its first day."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT destination, sum(charge) FROM telephony_destinationusage
            WHERE organization_id = %s AND month = %s AND charge > 0
            GROUP BY destination ORDER BY 2 DESC, 1 LIMIT %s
            """,
            [organization.pk, month, FEW],
        )
        return [Dearest(name, name, cost) for name, cost in cursor.fetchall()]
