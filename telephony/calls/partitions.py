"""Calls are kept by months of UTC, each in a partition that is made before its first call comes."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from django.db import connection, transaction

# Attaching waits for nobody who writes calls, as CREATE TABLE … PARTITION OF would.
_MAKE = "CREATE TABLE {name} (LIKE telephony_call INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)"
_ATTACH = "ALTER TABLE telephony_call ATTACH PARTITION {name} FOR VALUES FROM ('{first}') TO ('{until}')"


def months_of(moments: Iterable[datetime]) -> list[date]:
    """The months, by their first day in UTC, in which some moments lie."""
    return sorted({moment.astimezone(UTC).date().replace(day=1) for moment in moments})


def missing_months(months: Iterable[date]) -> list[date]:
    """Those for whose calls there is no room yet."""
    names = {_name(month): month for month in months}
    with connection.cursor() as cursor:
        # Not to_regclass(), which goes on saying what it was told before somebody else made one.
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relname = ANY (%s) AND relnamespace = current_schema()::regnamespace",
            [list(names)],
        )
        known = {name for (name,) in cursor.fetchall()}
    return [month for name, month in names.items() if name not in known]


@transaction.atomic(savepoint=False)
def make_months(months: Iterable[date]) -> None:
    """Make room for the calls of some months, by their first days in UTC, where there is none yet."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('telephony.calls.partitions'))")
        for month in missing_months(months):
            name, until = _name(month), (month + timedelta(days=32)).replace(day=1)
            cursor.execute(_MAKE.format(name=name))
            cursor.execute(_ATTACH.format(name=name, first=f"{month} 00:00Z", until=f"{until} 00:00Z"))


def _name(month: date) -> str:
    return f"telephony_call_{month:%Y_%m}"
