"""Rates, decks and numbers as the tests need them, small enough that prefixes lie under each other."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from telephony.rate_file import RateRow
from telephony.rating import DeckEntry, Rate

DAY = datetime(2026, 1, 1, tzinfo=UTC)

AMOUNTS = st.integers(0, 10**8).map(lambda millionths: Decimal(millionths).scaleb(-6))
RATES = st.builds(
    Rate,
    per_minute=AMOUNTS,
    connection_fee=AMOUNTS | st.just(Decimal(0)),
    first_increment=st.sampled_from([1, 6, 30, 60]) | st.integers(1, 3600),
    next_increment=st.sampled_from([1, 6, 30, 60]) | st.integers(1, 3600),
    grace_seconds=st.just(0) | st.integers(0, 20),
    minimum_charge=AMOUNTS | st.just(Decimal(0)),
)
SECONDS = st.integers(0, 200) | st.integers(0, 100_000)
# Few digits, so that there is much below each other, and the last one, behind which nothing comes.
PREFIXES = st.text("19", min_size=1, max_size=3) | st.text("139", min_size=1, max_size=4)
NUMBERS = st.text("19", min_size=0, max_size=4) | st.text("12389", min_size=0, max_size=6)


def entry(prefix, rate, *, days=0, key=0):
    return DeckEntry(
        prefix=prefix, destination=f"Destination {prefix}", rate=rate, valid_from=DAY + timedelta(days=days), key=key
    )


def row_of(one, *, row=1, currency="EUR"):
    """An entry as it stands in a file."""
    rate = one.rate
    return RateRow(
        row,
        one.prefix,
        one.destination,
        rate.connection_fee,
        rate.per_minute,
        rate.first_increment,
        rate.next_increment,
        rate.grace_seconds,
        rate.minimum_charge,
        currency,
        one.valid_from,
    )


def _numbered(rates):
    return [entry(prefix, rate, days=days, key=key) for key, ((prefix, days), rate) in enumerate(rates.items(), 1)]


ENTRIES = st.dictionaries(st.tuples(PREFIXES, st.integers(0, 10)), RATES, max_size=20).map(_numbered)


def reached(ranges, number, moment):
    """The key of the range that a number lies in at a moment, by going through all of them."""
    low = max(one.low for one in ranges if one.low <= number)
    begun = [one for one in ranges if one.low == low and (one.valid_from is None or one.valid_from <= moment)]
    return begun[-1].key
