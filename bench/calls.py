"""Calls from a file in our own format to rated, charged and added up, against a bare COPY of the same rows.

The bare COPY writes the calls and their keys as they came out, into the same tables.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from uuid import uuid4

from django.db import connection, transaction
from django.test import override_settings

from bench.measure import Figure, seconds
from members.access import Actor
from members.models import Organization
from telephony.call_files import read_calls
from telephony.calls.feeding import CHUNK
from telephony.rate_file import RateRow
from telephony.services.calls import import_calls
from telephony.services.rates import load_rates
from tests.factories import MemberFactory, OrganizationFactory

CALLS = 100_000
PEOPLE = 500
ROUNDS = 3
START = datetime(2026, 10, 1, tzinfo=UTC)
READ = """
    COPY (SELECT * FROM {table} WHERE organization_id = {organization} AND id >= {first} AND id < {until}) TO STDOUT
"""
COPIED = ("telephony_callkey", "telephony_call")


def measure(scale: float) -> Iterator[Figure]:
    # The same calls in each run; nothing secret comes of them.
    chance = random.Random(11)  # noqa: S311
    _load_deck(chance)
    number = max(CHUNK, round(CALLS * scale))
    for what, prefix, least in (("charged", "34", 0.10), ("free", "33", 0.18)):
        ratios = sorted(_against_copy(chance, number, prefix) for _round in range(ROUNDS))
        yield Figure(
            name=f"importing {number:,} calls that are {what}, of a bare COPY of them", value=ratios[1], least=least
        )


def _against_copy(chance: random.Random, number: int, prefix: str) -> float:
    organization = OrganizationFactory(country="FR", currency="EUR", time_zone="Europe/Paris")
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        people = MemberFactory.create_batch(PEOPLE, organization=organization)
    names = [member.user.skype_name for member in people]
    file = BytesIO(b"\n".join(_lines(chance, number, names, prefix)))

    def imported() -> None:
        done = import_calls(
            actor=Actor.system(),
            organization=organization,
            rows=read_calls(file, named="skypemgr"),
            source=f"{uuid4()}",
            format="skypemgr",
        )
        assert done.added == number, done

    took = seconds(imported)
    return _copied(organization, number) / took


def _copied(organization: Organization, number: int) -> float:
    """How long a bare COPY of what was written takes, in chunks as they came, into the same tables."""
    chunks = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM telephony_call WHERE organization_id = %s ORDER BY id OFFSET %s LIMIT 1",
            [organization.pk, 0],
        )
        first = cursor.fetchone()[0]
        for start in range(first, first + number, CHUNK):
            data = []
            for table in COPIED:
                chunk = {"table": table, "organization": organization.pk, "first": start, "until": start + CHUNK}
                with cursor.copy(READ.format(**chunk)) as copy:
                    data.append(b"".join(bytes(piece) for piece in copy))
            chunks.append(data)
        cursor.execute("DELETE FROM telephony_call WHERE organization_id = %s", [organization.pk])
        cursor.execute("ALTER TABLE telephony_callkey DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM telephony_callkey WHERE organization_id = %s", [organization.pk])
        cursor.execute("ALTER TABLE telephony_callkey ENABLE TRIGGER USER")

    def copied() -> None:
        for data in chunks:
            with transaction.atomic(), connection.cursor() as cursor:
                for table, rows in zip(COPIED, data, strict=True):
                    with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                        copy.write(rows)

    return seconds(copied)


def _lines(chance: random.Random, number: int, names: list[str], prefix: str) -> Iterator[bytes]:
    yield b"id,account,to,started_at,answered_at,ended_at,seconds"
    for _call in range(number):
        at = START + timedelta(seconds=chance.randrange(28 * 86_400))
        length = chance.randrange(1, 900)
        end = at + timedelta(seconds=length)
        yield (
            f"{uuid4()},{chance.choice(names)},+{prefix}{chance.randrange(10**8, 10**9)},"
            f"{at:%Y-%m-%dT%H:%M:%SZ},{at:%Y-%m-%dT%H:%M:%SZ},{end:%Y-%m-%dT%H:%M:%SZ},{length}"
        ).encode()


def _load_deck(chance: random.Random) -> None:
    """Calls to France are free, others cost; there are 300 destinations."""
    began = datetime(2026, 1, 1, tzinfo=UTC)
    prefixes = {"33": "0", "34": "0.05"} | {f"34{place}": "0.05" for place in range(10, 300)}
    load_rates(
        actor=Actor.system(),
        rows=[
            RateRow(
                row, prefix, f"Destination {prefix}", Decimal(0), Decimal(price), 60, 60, 0, Decimal(0), "EUR", began
            )
            for row, (prefix, price) in enumerate(prefixes.items(), 1)
        ],
    )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) telephony_raterange, telephony_prefixrate, telephony_ratedeckversion")
