"""The months of an organization, by which limits and monthly jobs go. They begin in its time zone.

A new zone counts from the first of the next month on: the month in which it was changed ends where it would have
ended, and the next begins in that instant. So none is cut short, and no instant lies in two of them or in none.
"""

import datetime as dt
from zoneinfo import ZoneInfo

from members.models import Organization
from members.periods import Every, Period, period_at, period_named
from skypemgr.clock import DatabaseClock

# From the first of a month, in whatever zone, into the middle of it or of the one before.
HALF = dt.timedelta(days=15)


def month_named(organization: Organization, key: str) -> Period:
    """The month of a key such as "2026-11". Raises ValueError when it is none."""
    month = period_named(key, Every.MONTH, ZoneInfo(organization.time_zone))
    start, end = organization.zone_month_start, organization.zone_month_end
    if start is None or end is None:
        return month
    return Period(
        key,
        {_key(start + HALF): start, _key(end + HALF): end}.get(key, month.start),
        {_key(start - HALF): start, _key(start + HALF): end}.get(key, month.end),
    )


def month_at(organization: Organization, instant: dt.datetime) -> Period:
    """The month that ``instant`` lies in."""
    near = period_at(instant, Every.MONTH, ZoneInfo(organization.time_zone))
    month = month_named(organization, near.key)
    if instant < month.start:
        return month_named(organization, _key(near.start - HALF))
    if instant >= month.end:
        return month_named(organization, _key(near.end + HALF))
    return month


def present_month(organization: Organization) -> Period:
    """The month that has begun by the database's clock, and by the zone that the organization has now."""
    rows = Organization.objects.annotate(now=DatabaseClock())
    row = rows.only("time_zone", "zone_month_start", "zone_month_end").get(pk=organization.pk)
    return month_at(row, row.now)


def change_time_zone(organization: Organization, zone: str, *, during: Period) -> None:
    """Give an organization, which isn't saved by this, another zone; its months go by that after the present one."""
    organization.time_zone = zone
    organization.zone_month_start, organization.zone_month_end = during.start, during.end


def _key(instant: dt.datetime) -> str:
    return instant.astimezone(dt.UTC).strftime("%Y-%m")
