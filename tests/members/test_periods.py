import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from members.periods import Every, period_at, period_named, periods_after

# The hour in which each zone does something strange with midnight, a day or a year, and the month it begins, in UTC.
TURNS = [
    ("America/Havana", "2026-11", "2026-11-01T04:00+00:00"),  # midnight comes twice: the first counts
    ("America/Asuncion", "2023-10", "2023-10-01T04:00+00:00"),  # there is no midnight
    ("Europe/Paris", "2026-04", "2026-03-31T22:00+00:00"),
    ("Europe/Paris", "2026-11", "2026-10-31T23:00+00:00"),
    ("Pacific/Auckland", "2027-01", "2026-12-31T11:00+00:00"),
    ("America/Los_Angeles", "2027-01", "2027-01-01T08:00+00:00"),
    ("Pacific/Kiritimati", "2026-12", "2026-11-30T10:00+00:00"),
    ("Pacific/Pago_Pago", "2026-12", "2026-12-01T11:00+00:00"),
    ("Asia/Kathmandu", "2028-03", "2028-02-29T18:15+00:00"),
    ("Australia/Lord_Howe", "2026-11", "2026-10-31T13:00+00:00"),
    ("Africa/Casablanca", "2026-03", "2026-03-01T00:00+00:00"),
    ("UTC", "2028-03", "2028-03-01T00:00+00:00"),
]
ZONES = sorted({zone for zone, _key, _start in TURNS} | {"Asia/Beirut", "Pacific/Apia", "America/Sao_Paulo"})


@pytest.mark.parametrize(("zone", "key", "start"), TURNS)
def test_a_month_begins_at_the_first_midnight_of_its_zone(zone, key, start):
    assert period_named(key, Every.MONTH, ZoneInfo(zone)).start == dt.datetime.fromisoformat(start)


@pytest.mark.parametrize(("zone", "key", "start"), TURNS)
def test_an_instant_before_it_is_the_month_before(zone, key, start):
    begin = dt.datetime.fromisoformat(start)
    zone = ZoneInfo(zone)

    assert period_at(begin, Every.MONTH, zone).key == key
    before = period_at(begin - dt.timedelta(microseconds=1), Every.MONTH, zone)
    assert before.key < key
    assert before.end == begin


@pytest.mark.parametrize("every", Every)
@pytest.mark.parametrize("zone", ZONES)
def test_no_second_is_lost_or_counted_twice_in_sixteen_years(zone, every):
    zone = ZoneInfo(zone)
    years = 16 if every is not Every.HOUR else 1
    first = period_at(dt.datetime(2011, 11, 5, 9, tzinfo=dt.UTC), every, zone)
    last = period_at(first.start + dt.timedelta(days=365 * years), every, zone)

    periods = [first, *periods_after(first.key, until=last, every=every, zone=zone)]

    assert periods[-1] == last
    assert all(one.end == two.start and one.key < two.key for one, two in pairwise(periods))
    assert all(period_at(one.start, every, zone) == one for one in periods)
    assert all(period_at(one.end - dt.timedelta(seconds=1), every, zone) == one for one in periods)


def test_a_day_that_a_zone_leaves_out_is_no_period():
    apia = ZoneInfo("Pacific/Apia")
    until = period_named("2011-12-31", Every.DAY, apia)

    assert [period.key for period in periods_after("2011-12-29", until=until, every=Every.DAY, zone=apia)] == [
        "2011-12-31"
    ]


def test_nothing_comes_after_a_later_period():
    november = period_named("2026-11", Every.MONTH, ZoneInfo("UTC"))

    assert list(periods_after("2026-12", until=november, every=Every.MONTH, zone=ZoneInfo("UTC"))) == []
