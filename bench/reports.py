"""Reports from what calls add up to, against the same query on the calls themselves; and how they grow."""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
from django.db import connection, transaction

from bench.measure import Figure, ratio
from members.models import Organization
from reports.asked import Cut
from reports.selectors.usage import usage_by
from telephony.calls.partitions import make_months
from telephony.calls.rollups import GRAINS, MEASURED
from tests.factories import OrganizationFactory

CALLS = 10_000_000
SMALLER = 10
DEPARTMENTS, PEOPLE, DESTINATIONS = 200, 100_000, 300
MONTH = (date(2026, 10, 1), date(2026, 10, 31))
RANGE = (date(2026, 3, 10), date(2026, 5, 20))
YEAR = (date(2026, 1, 1), date(2026, 12, 31))
# Spread over a year, people and destinations by the number of the call; nothing of it is random.
_FILL = """
    INSERT INTO telephony_call (
        organization_id, at, id, member_id, department_id, imported_id, answered_at, ended_at, day, duration, seconds,
        direction, country, digits, plan, account, caller, called, destination, billed_seconds, price, outcome, charge,
        postings
    )
    SELECT %(organization)s, begun, %(start)s + number, 1 + person, 1 + person %% %(departments)s, 0, begun,
        begun + length * interval '1 second', (begun AT TIME ZONE 'Europe/Paris')::date, length, length, 'outbound',
        'FR', '33199001234', '', '', '', '+33199001234', 'Destination ' || number * 7919 %% %(destinations)s, length,
        length * 0.0002, 'rated', length * 0.0002, 0
    FROM (
        SELECT number, timestamptz '2026-01-01T12:00Z' + number * (interval '364 days' / %(calls)s) AS begun,
            (number * 104729 %% %(people)s)::integer AS person, 10 + (number * 31 %% 600)::integer AS length
        FROM generate_series(0::bigint, %(calls)s - 1) AS number
    ) AS made
"""
_RAW = """
    SELECT department_id, count(*), count(answered_at), sum(seconds), sum(charge) FROM telephony_call
    WHERE organization_id = %s AND at >= %s AND at < %s AND day >= %s AND day <= %s GROUP BY 1
"""

# What the other engine has of each call, and what it is asked.
_COPIED = "SELECT day, department_id, answered_at, seconds, charge FROM telephony_call WHERE organization_id = {}"
_OTHER = """
    SELECT department_id, count(*), count(answered_at), sum(seconds), sum(charge) FROM call
    WHERE day >= ? AND day <= ? GROUP BY 1
"""


def measure(scale: float) -> Iterator[Figure]:
    calls = max(100_000, round(CALLS * scale))
    large, small = _company(calls, 0), _company(calls // SMALLER, CALLS * 10)
    for name, days, most in (("a month", MONTH, 0.01), ("71 days", RANGE, 0.08)):
        yield Figure(
            name=f"{name} by department of {calls:,} calls, of the same query on the calls",
            value=ratio(partial(_report, large, days), partial(_raw, large, days)),
            most=most,
        )
        yield Figure(
            name=f"{name} by department of {calls:,} calls, of its time at {calls // SMALLER:,}",
            value=ratio(partial(_report, large, days), partial(_report, small, days), rounds=9, repeat=20),
            most=2,
        )
    with TemporaryDirectory() as folder:
        other = _copied(large, Path(folder) / "calls.csv")
        for name, days in (("a month", MONTH), ("a year", YEAR)):
            yield Figure(
                name=f"{name} by department of {calls:,} calls, how much faster than DuckDB on the calls",
                value=ratio(partial(_other, other, days), partial(_report, large, days), repeat=5),
                least=3,
            )
        other.close()


def _company(calls: int, start: int) -> Organization:
    """A company with so many calls, and what they add up to."""
    organization = OrganizationFactory(country="FR", currency="EUR", time_zone="Europe/Paris")
    with transaction.atomic():
        make_months([date(2025, 12, 1), *(date(2026, month, 1) for month in range(1, 13)), date(2027, 1, 1)])
    facts = {
        "organization": organization.pk,
        "start": start,
        "calls": calls,
        "people": PEOPLE,
        "departments": DEPARTMENTS,
        "destinations": DESTINATIONS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FILL, facts)
        for grain in GRAINS:
            columns = ", ".join(f"{expression} AS {name}" for name, expression in grain.columns.items())
            names = ", ".join(grain.columns)
            cursor.execute(
                f"""
                INSERT INTO {grain.table} (organization_id, {names}, calls, answered, seconds, charge)
                SELECT %s, {names}, sum(calls), sum(answered), sum(seconds), sum(charge)
                FROM (SELECT {columns}, {MEASURED} FROM telephony_call WHERE organization_id = %s) AS counted
                GROUP BY {", ".join(str(place + 2) for place in range(len(grain.columns)))}
                """,  # noqa: S608
                [organization.pk, organization.pk],
            )
        cursor.execute("VACUUM ANALYZE")
    return organization


def _report(organization: Organization, days: tuple[date, date]) -> None:
    assert usage_by(organization, first=days[0], last=days[1], cut=Cut.DEPARTMENT).all()


def _raw(organization: Organization, days: tuple[date, date]) -> None:
    first, last = days
    around = [first - timedelta(days=2), last + timedelta(days=3)]
    with connection.cursor() as cursor:
        cursor.execute(_RAW, [organization.pk, *around, first, last])
        assert cursor.fetchall()


def _copied(organization: Organization, path: Path) -> duckdb.DuckDBPyConnection:
    """The calls of a company in a table of DuckDB's own, with as many threads as it takes by itself."""
    statement = f"COPY ({_COPIED.format(organization.pk)}) TO STDOUT (FORMAT csv)"
    with path.open("wb") as file, connection.cursor() as cursor, cursor.copy(statement) as copy:
        for piece in copy:
            file.write(piece)
    other = duckdb.connect(str(path.with_suffix(".duckdb")))
    other.execute(
        "CREATE TABLE call (day date, department_id bigint, answered_at timestamptz, seconds bigint,"
        " charge decimal(16, 4))"
    )
    other.execute(f"COPY call FROM '{path}' (FORMAT csv, HEADER false)")
    return other


def _other(other: duckdb.DuckDBPyConnection, days: tuple[date, date]) -> None:
    assert other.execute(_OTHER, list(days)).fetchall()
