"""Hours, days and months as jobs count them. Each begins where its clock says, and is kept as UTC (decision 15).

A period is half open: it ends in the instant the next begins, so that no second is lost or counted twice where a
clock is turned, even at midnight. Days and months are those of a time zone, hours those of UTC.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from zoneinfo import ZoneInfo


class Every(Enum):
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True)
class Period:
    """``key`` is "2026-11-22T07", "2026-11-22" or "2026-11" and sorts as time does; ``start`` and ``end`` are UTC."""

    key: str
    start: dt.datetime
    end: dt.datetime


def period_at(instant: dt.datetime, every: Every, zone: ZoneInfo) -> Period:
    """The period that ``instant`` lies in."""
    if every is Every.HOUR:
        start = instant.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)
        return Period(start.strftime("%Y-%m-%dT%H"), start, start + dt.timedelta(hours=1))
    day = instant.astimezone(zone).date()
    return _beginning_on(day if every is Every.DAY else day.replace(day=1), every, zone)


def period_named(key: str, every: Every, zone: ZoneInfo) -> Period:
    """The period of a key. Raises ValueError when it is none of these."""
    if every is Every.HOUR:
        return period_at(dt.datetime.fromisoformat(f"{key}:00+00:00"), every, zone)
    return _beginning_on(dt.date.fromisoformat(key if every is Every.DAY else f"{key}-01"), every, zone)


def periods_after(key: str, *, until: Period, every: Every, zone: ZoneInfo) -> Iterator[Period]:
    """Every period that began after the one named ``key``, up to and with ``until``; none when ``key`` is later.

    A day that a zone leaves out (Samoa's 30 December 2011) is no period.
    """
    period = period_named(key, every, zone)
    while period.key < until.key:
        period = period_at(period.end, every, zone) if every is Every.HOUR else _following(period, every, zone)
        if period.start < period.end:
            yield period


def _following(period: Period, every: Every, zone: ZoneInfo) -> Period:
    day = dt.date.fromisoformat(period.key if every is Every.DAY else f"{period.key}-01")
    return _beginning_on(_next(day, every), every, zone)


def _beginning_on(day: dt.date, every: Every, zone: ZoneInfo) -> Period:
    key = day.isoformat() if every is Every.DAY else day.strftime("%Y-%m")
    return Period(key, _midnight(day, zone), _midnight(_next(day, every), zone))


def _next(day: dt.date, every: Every) -> dt.date:
    if every is Every.DAY:
        return day + dt.timedelta(days=1)
    return (day + dt.timedelta(days=31)).replace(day=1)


def _midnight(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    # Of two midnights the first; of none the instant at which the clock jumps over it.
    return dt.datetime.combine(day, dt.time(), tzinfo=zone).astimezone(dt.UTC)
