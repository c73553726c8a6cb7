"""Days and months of an organization, as statements ask for them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.utils import timezone

from members.models import Organization
from members.periods import Every, Period, period_at, period_named
from skypemgr.lists import read_day


def zone_of(organization: Organization) -> ZoneInfo:
    return ZoneInfo(organization.time_zone)


def this_month(zone: ZoneInfo) -> Period:
    """The month that it is now."""
    return period_at(timezone.now(), Every.MONTH, zone)


def first_day(month: Period) -> date:
    return date.fromisoformat(f"{month.key}-01")


def month_before(month: Period, zone: ZoneInfo) -> Period:
    return _month_of(first_day(month) - timedelta(days=1), zone)


def month_after(month: Period, zone: ZoneInfo) -> Period:
    return _month_of(first_day(month) + timedelta(days=31), zone)


def read_month(query: QueryDict, zone: ZoneInfo) -> Period | None:
    """The month of a query string, as in "2026-11", of this century; None for anything else."""
    first = QueryDict(mutable=True)
    first["day"] = query.get("month", "") + "-01"
    day = read_day(first, "day")
    return _month_of(day, zone) if day else None


def _month_of(day: date, zone: ZoneInfo) -> Period:
    return period_named(day.strftime("%Y-%m"), Every.MONTH, zone)


@dataclass(frozen=True)
class Span:
    """Days of an organization, both included; None where it has no end. ``month`` is set when it is just that."""

    first: date | None = None
    last: date | None = None
    month: Period | None = None

    @classmethod
    def read(cls, query: QueryDict, zone: ZoneInfo) -> "Span":
        """The days that a query string asks for, by ``month`` or by ``from`` and ``to``; nonsense is left out."""
        if month := read_month(query, zone):
            return cls.of_month(month, zone)
        return cls(read_day(query, "from"), read_day(query, "to"))

    @classmethod
    def of_month(cls, month: Period, zone: ZoneInfo) -> "Span":
        return cls(first_day(month), first_day(month_after(month, zone)) - timedelta(days=1), month)

    def bounds(self, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
        """When it begins and when it is over, in UTC."""
        first = period_named(self.first.isoformat(), Every.DAY, zone).start if self.first else None
        last = period_named(self.last.isoformat(), Every.DAY, zone).end if self.last else None
        return first, last
