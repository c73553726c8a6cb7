"""What calls add up to, by the grains that reports read: kept by what each change of a call adds or takes away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction

from members.models import Organization

EFFECT = "call_effect"
_EFFECT = f"""
    DROP TABLE IF EXISTS {EFFECT};
    CREATE TEMPORARY TABLE {EFFECT} (
        at timestamptz, id bigint, day date, department_id bigint, member_id bigint, destination text,
        calls integer, answered integer, seconds bigint, charge numeric(16, 4)
    ) ON COMMIT DROP
"""
MONTH = "date_trunc('month', day)::date"
SUMS = ("calls", "answered", "seconds", "charge")
# What a call of telephony_call adds.
MEASURED = "1 AS calls, (answered_at IS NOT NULL)::integer AS answered, seconds, charge"
# Calls of a month by the organization's days lie at most so far beside it by UTC.
_DIFFERENCES = """
    SELECT {names}, {differ} FROM (
        SELECT {columns}, {measured} FROM telephony_call
        WHERE organization_id = %(organization)s AND at >= %(first)s - interval '2 days'
            AND at < %(until)s + interval '2 days' AND day >= %(first)s AND day < %(until)s
        UNION ALL
        SELECT {names}, {taken} FROM {table}
        WHERE organization_id = %(organization)s AND {period} >= %(first)s AND {period} < %(until)s
    ) AS counted GROUP BY {groups} HAVING {wrong}
"""
_FORGET_EMPTY = "DELETE FROM {table} WHERE organization_id = %s AND calls = 0 AND charge = 0"


@dataclass(frozen=True)
class Grain:
    """A table of sums: its columns, and how each comes out of a call."""

    name: str
    table: str
    columns: dict[str, str]


GRAINS: Sequence[Grain] = (
    Grain("day by department", "telephony_dayusage", {"day": "day", "department_id": "department_id"}),
    Grain("month by department", "telephony_monthusage", {"month": MONTH, "department_id": "department_id"}),
    Grain(
        "month by member",
        "telephony_memberusage",
        {"month": MONTH, "department_id": "department_id", "member_id": "member_id"},
    ),
    Grain(
        "month by destination",
        "telephony_destinationusage",
        {"month": MONTH, "department_id": "department_id", "destination": "destination"},
    ),
)


@transaction.atomic(savepoint=False)
def expect_effects() -> None:
    """Make room for the effects of this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_EFFECT)


@transaction.atomic(savepoint=False)
def add_effects(organization: Organization, calls: str, *, sign: int = 1) -> None:
    """What calls add as they are now (``sign`` -1: take away); ``calls`` is a relation of their row and at."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {EFFECT}
            SELECT call.at, call.id, call.day, call.department_id, call.member_id, call.destination, {sign:d},
                {sign:d} * (call.answered_at IS NOT NULL)::integer, {sign:d} * call.seconds, {sign:d} * call.charge
            FROM {calls} AS known JOIN telephony_call call
                ON call.organization_id = %s AND call.at = known.at AND call.id = known.row
            """,  # noqa: S608
            [organization.pk],
        )


@transaction.atomic(savepoint=False)
def roll_up(organization: Organization) -> None:
    """Add the effects of this transaction to what calls add up to. The calls of the organization are locked."""
    with connection.cursor() as cursor:
        for grain in GRAINS:
            cursor.execute(_upsert(grain), [organization.pk])


def _upsert(grain: Grain) -> str:
    names, sums = ", ".join(grain.columns), ", ".join(SUMS)
    added = ", ".join(f"sum({name})" for name in SUMS)
    groups = ", ".join(str(place) for place in range(2, len(grain.columns) + 2))
    kept = ", ".join(f"{name} = {grain.table}.{name} + excluded.{name}" for name in SUMS)
    return f"""
        INSERT INTO {grain.table} (organization_id, {names}, {sums})
        SELECT %s, {", ".join(grain.columns.values())}, {added} FROM {EFFECT} GROUP BY {groups}
        ON CONFLICT (organization_id, {_conflict(grain)}) DO UPDATE SET {kept}
    """  # noqa: S608


def _conflict(grain: Grain) -> str:
    return ", ".join(grain.columns)


def find_differences(organization: Organization, grain: Grain, month: date) -> list[dict[str, Any]]:
    """By what the sums of a grain differ from those of the calls of a month: what is to be added to them."""
    sums = list(SUMS)
    statement = _DIFFERENCES.format(
        table=grain.table,
        names=", ".join(grain.columns),
        columns=", ".join(f"{expression} AS {name}" for name, expression in grain.columns.items()),
        measured=MEASURED,
        differ=", ".join(f"sum({name}) AS {name}" for name in sums),
        taken=", ".join(f"-{name}" for name in sums),
        period=next(iter(grain.columns)),
        groups=", ".join(str(place) for place in range(1, len(grain.columns) + 1)),
        wrong=" OR ".join(f"sum({name}) <> 0" for name in sums),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, {"organization": organization.pk, "first": month, "until": following_month(month)})
        names = [*grain.columns, *sums]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@transaction.atomic(savepoint=False)
def add_differences(organization: Organization, grain: Grain, differences: Sequence[Mapping[str, Any]]) -> None:
    """Add to the sums of a grain by what they differ from the calls. The calls of the organization are locked."""
    names = [*grain.columns, *SUMS]
    kept = ", ".join(f"{name} = {grain.table}.{name} + excluded.{name}" for name in SUMS)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"""
            INSERT INTO {grain.table} (organization_id, {", ".join(names)})
            VALUES (%s, {", ".join(["%s"] * len(names))})
            ON CONFLICT (organization_id, {", ".join(grain.columns)}) DO UPDATE SET {kept}
            """,  # noqa: S608
            [[organization.pk, *(row[name] for name in names)] for row in differences],
        )
        cursor.execute(_FORGET_EMPTY.format(table=grain.table), [organization.pk])


def months_with_calls(organization: Organization) -> list[date]:
    """Every month, by its first day, of which there are calls or sums of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {MONTH} FROM telephony_call WHERE organization_id = %(organization)s
            UNION SELECT month FROM telephony_monthusage WHERE organization_id = %(organization)s
            UNION SELECT month FROM telephony_memberusage WHERE organization_id = %(organization)s
            UNION SELECT month FROM telephony_destinationusage WHERE organization_id = %(organization)s
            UNION SELECT {MONTH} FROM telephony_dayusage WHERE organization_id = %(organization)s
            ORDER BY 1
            """,  # noqa: S608
            {"organization": organization.pk},
        )
        return [month for (month,) in cursor.fetchall()]


def count_days(organization: Organization, month: date) -> int:
    """On how many days of a month there were calls."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(DISTINCT day) FROM telephony_call
            WHERE organization_id = %(organization)s AND at >= %(first)s - interval '2 days'
                AND at < %(until)s + interval '2 days' AND day >= %(first)s AND day < %(until)s
            """,
            {"organization": organization.pk, "first": month, "until": following_month(month)},
        )
        return int(cursor.fetchone()[0])


def following_month(month: date) -> date:
    """The first day of the month after one."""
    return (month + timedelta(days=32)).replace(day=1)
