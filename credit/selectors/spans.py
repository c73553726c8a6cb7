"""Days and months of an organization, as statements ask for them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.http import QueryDict

from members.models import Organization
from members.months import month_named
from members.periods import Every, Period, period_named
from skypemgr.lists import read_day


def zone_of(organization: Organization) -> ZoneInfo:
    return ZoneInfo(organization.time_zone)


def first_day(month: Period) -> date:
    return date.fromisoformat(f"{month.key}-01")


def month_before(organization: Organization, month: Period) -> Period:
    return _month_of(organization, first_day(month) - timedelta(days=1))


def month_after(organization: Organization, month: Period) -> Period:
    return _month_of(organization, first_day(month) + timedelta(days=31))


def read_month(organization: Organization, query: QueryDict) -> Period | None:
    """The month of a query string, as in "2026-11", of this century; None for anything else."""
    first = QueryDict(mutable=True)
    first["day"] = query.get("month", "") + "-01"
    day = read_day(first, "day")
    return _month_of(organization, day) if day else None


def _month_of(organization: Organization, day: date) -> Period:
    return month_named(organization, day.strftime("%Y-%m"))


@dataclass(frozen=True)
class Span:
    """Days of an organization, both included; None where it has no end. ``month`` is set when it is just that."""

    first: date | None = None
    last: date | None = None
    month: Period | None = None

    @classmethod
    def read(cls, organization: Organization, query: QueryDict) -> "Span":
        """The days that a query string asks for, by ``month`` or by ``from`` and ``to``; nonsense is left out."""
        if month := read_month(organization, query):
            return cls.of_month(month)
        return cls(read_day(query, "from"), read_day(query, "to"))

    @classmethod
    def of_month(cls, month: Period) -> "Span":
        first = first_day(month)
        return cls(first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1), month)

    def bounds(self, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
        """When it begins and when it is over, in UTC."""
        if self.month:
            return self.month.start, self.month.end
        first = period_named(self.first.isoformat(), Every.DAY, zone).start if self.first else None
        last = period_named(self.last.isoformat(), Every.DAY, zone).end if self.last else None
        return first, last
