"""Rating calls in SQL, by ranges, against the same by ``prefix = ANY(…)``: each number's prefixes, by an index.

SCALE is that of the calls; the deck always has 50,000 prefixes of one to nine digits.
"""

import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from django.db import connection, transaction

from bench.measure import Figure, Work, ratio
from members.access import Actor
from telephony.call_rating import FIND, rating_of
from telephony.rate_file import RateRow
from telephony.services.rates import load_rates

PREFIXES = 50_000
LONGEST = 9
CALLS = 500_000
ANSWERED = datetime(2026, 10, 1, tzinfo=UTC)
BY_ANY = """
    SELECT known.id AS rate_id, {period}.unit, known.connection_fee, known.per_minute, known.first_increment,
        known.next_increment, known.grace_seconds, known.minimum_charge
    FROM telephony_prefixrate known
    WHERE known.version_id = {period}.id AND known.prefix = ANY (ARRAY[{prefixes}])
        AND known.valid_from <= call.answered_at
    ORDER BY length(known.prefix) DESC, known.valid_from DESC LIMIT 1
""".replace("{prefixes}", ", ".join(f"left(call.digits, {length})" for length in range(1, LONGEST + 1)))
STAGE = """
    CREATE TEMPORARY TABLE bench_calls (
        row integer, organization_id bigint, currency text, digits text COLLATE "C", answered_at timestamptz,
        seconds integer, free_by text
    )
"""
DIFFERING = """
    SELECT count(*) FROM ({ours}) AS ours JOIN ({theirs}) AS theirs USING (row) WHERE ours.* IS DISTINCT FROM theirs.*
"""
RATING = "SELECT sum(cost) FROM ({rated}) AS rated"
LOOKING_UP = """
    SELECT count(found.rate_id) FROM bench_calls call,
        (SELECT max(id) AS id FROM telephony_ratedeckversion) AS version, LATERAL ({find}) AS found
"""


def measure(scale: float) -> Iterator[Figure]:
    # The same deck in each run; nothing secret comes of it.
    chance = random.Random(7)  # noqa: S311
    prefixes = _load_deck(chance)
    _stage_calls(chance, prefixes, max(10_000, round(CALLS * scale)))
    differ = _count(DIFFERING.format(ours=rating_of("bench_calls"), theirs=rating_of("bench_calls", find=BY_ANY)))
    yield Figure(name="calls that cost something else by one way than by the other", value=differ, most=0)
    for what, work in (("looking up rates", _looking_up), ("rating calls", _rating)):
        yield Figure(
            name=f"{what} by prefix = ANY(…), of the same by ranges", value=ratio(work(BY_ANY), work(FIND)), least=1.8
        )


def _load_deck(chance: random.Random) -> list[str]:
    """As in decks of carriers, most prefixes are long, and lie below shorter ones."""
    found = {str(first) for first in range(1, 10)}
    while len(found) < PREFIXES:
        length = min(LONGEST, max(1, round(chance.gauss(6, 1.5))))
        found.add(str(chance.randrange(10 ** (length - 1), 10**length)))
    prefixes = sorted(found)
    rows = [
        RateRow(
            row,
            prefix,
            f"Destination {prefix}",
            Decimal("0.049"),
            Decimal(chance.randrange(10_000)).scaleb(-4),
            60,
            chance.choice([1, 6, 30, 60]),
            0,
            Decimal(0),
            "EUR",
            datetime(2026, 1, 1, tzinfo=UTC),
        )
        for row, prefix in enumerate(prefixes, 1)
    ]
    load_rates(actor=Actor.system(), rows=rows)
    return prefixes


def _stage_calls(chance: random.Random, prefixes: list[str], number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(STAGE)
        with cursor.copy("COPY bench_calls FROM STDIN") as copy:
            for row in range(number):
                digits = (chance.choice(prefixes) + f"{chance.randrange(10**11):011}")[:12]
                copy.write_row((row, 1, "EUR", digits, ANSWERED, chance.randrange(3_600), ""))
        cursor.execute("ANALYZE bench_calls")
        cursor.execute("VACUUM (ANALYZE) telephony_raterange, telephony_prefixrate, telephony_ratedeckversion")


def _rating(find: str) -> Work:
    return lambda: _count(RATING.format(rated=rating_of("bench_calls", find=find)))


def _looking_up(find: str) -> Work:
    # Without what the rates say, so that each reads as little as it can.
    bare = re.sub(r"(?s)rate_id,.*?FROM", "rate_id FROM", find.format(period="version"))
    return lambda: _count(LOOKING_UP.format(find=bare))


def _count(statement: str) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '10min'")
        cursor.execute(statement)
        return int(cursor.fetchone()[0])
