"""What a call costs: the vectors of the domain, and what must hold of every rate, deck and call."""

import math
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.rating import (
    AnsweredCall,
    Called,
    Deck,
    Kind,
    Outcome,
    Rate,
    billed_seconds,
    charge,
    explain,
    flatten,
    rate_call,
    read_called,
)
from tests.telephony.decks import DAY, ENTRIES, NUMBERS, RATES, SECONDS, entry, reached

LONDON = Rate(per_minute=Decimal("0.0060"), first_increment=30, next_increment=6)
BRITAIN = Rate(per_minute=Decimal("0.0230"), connection_fee=Decimal("0.049"))
MOBILE = Rate(per_minute=Decimal("0.1"), connection_fee=Decimal("0.2"), next_increment=1)
FRANCE = Rate(per_minute=Decimal("0.05"), first_increment=1, next_increment=1)


@pytest.mark.parametrize(
    ("rate", "seconds", "billed", "decimals", "cost"),
    [
        (LONDON, 32, 36, 4, "0.0036"),
        (LONDON, 57, 60, 4, "0.0060"),
        (LONDON, 75, 78, 4, "0.0078"),
        (BRITAIN, 1, 60, 2, "0.08"),
        (BRITAIN, 61, 120, 2, "0.10"),
        (BRITAIN, 0, 0, 2, "0.00"),
        (MOBILE, 60, 60, 4, "0.3000"),
        (MOBILE, 61, 61, 4, "0.3017"),
        (FRANCE, 59, 59, 4, "0.0492"),
    ],
)
def test_calls_cost_what_the_domain_says(rate, seconds, billed, decimals, cost):
    assert billed_seconds(rate, seconds) == billed
    assert str(charge(rate, seconds, decimals=decimals)) == cost


def test_a_price_is_explained_by_its_numbers():
    assert explain(BRITAIN, 61) == "0.049 + 0.0230 × 120 ÷ 60 → 0.0950"
    assert explain(BRITAIN, 0) == "0 ≤ 0 → 0.0000"
    least = Rate(per_minute=Decimal("0.01"), minimum_charge=Decimal("0.5"), grace_seconds=3)
    assert explain(least, 61) == "max(0.5, 0 + 0.01 × 120 ÷ 60) → 0.5000"
    assert explain(least, 3) == "3 ≤ 3 → 0.0000"


@given(rate=RATES, seconds=SECONDS, decimals=st.integers(0, 4))
def test_a_charge_is_the_exact_fraction_rounded_up_once(rate, seconds, decimals):
    billed = 0
    if seconds > rate.grace_seconds:
        billed = rate.first_increment
        while billed < seconds and seconds - billed > 100 * rate.next_increment:
            billed += 100 * rate.next_increment
        while billed < seconds:
            billed += rate.next_increment
    exact = Fraction(rate.connection_fee) + Fraction(rate.per_minute) * billed / 60
    exact = max(Fraction(rate.minimum_charge), exact) if billed else Fraction(0)

    found = charge(rate, seconds, decimals=decimals)

    assert billed_seconds(rate, seconds) == billed
    assert Fraction(found) == Fraction(math.ceil(exact * 10**decimals), 10**decimals)
    assert -found.as_tuple().exponent == decimals


@given(rate=RATES, seconds=SECONDS, more=SECONDS)
def test_a_longer_call_costs_no_less_and_none_less_than_nothing(rate, seconds, more):
    assert 0 <= charge(rate, seconds) <= charge(rate, seconds + more)
    assert billed_seconds(rate, seconds) == 0 or billed_seconds(rate, seconds) >= seconds


@pytest.mark.parametrize(
    "wrong",
    [
        {"per_minute": Decimal("-0.01")},
        {"per_minute": Decimal(1), "connection_fee": Decimal("-0.000001")},
        {"per_minute": Decimal(1), "minimum_charge": Decimal(-1)},
        {"per_minute": Decimal("0.0000001")},
        {"per_minute": Decimal(1), "first_increment": 0},
        {"per_minute": Decimal(1), "next_increment": 0},
        {"per_minute": Decimal(1), "grace_seconds": -1},
    ],
)
def test_what_no_rate_can_be_is_none(wrong):
    with pytest.raises(ValueError, match=r"rate|increment"):
        Rate(**wrong)


def test_a_call_of_less_than_no_time_is_none():
    with pytest.raises(ValueError, match="no time"):
        charge(FRANCE, -1)
    with pytest.raises(ValueError, match="no time"):
        rate_call(AnsweredCall(called=Called(Kind.SHORT), answered_at=DAY, seconds=-1), [])


# Decks


DECK_ENTRIES = [
    entry("33", FRANCE, key=4),
    entry("33", Rate(per_minute=Decimal("0.04"), first_increment=1, next_increment=1), days=181, key=5),
    entry("336", MOBILE, days=200, key=6),
    entry("44", BRITAIN, key=1),
    entry("4420", LONDON, key=2),
    entry("447", MOBILE, key=3),
]
DECK = Deck(DECK_ENTRIES, currency="EUR")


@pytest.mark.parametrize(
    ("digits", "days", "key"),
    [
        ("442079460123", 0, 2),
        ("447700900123", 0, 3),
        ("441134960000", 0, 1),
        ("33199001234", 0, 4),
        ("33199001234", 180, 4),
        ("33199001234", 181, 5),
        # Until its own rate begins, the shorter prefix counts.
        ("33612345678", 180, 4),
        ("33612345678", 199, 5),
        ("33612345678", 200, 6),
        ("33199001234", -1, None),
        ("46846500412", 0, None),
        ("4", 0, None),
        ("", 0, None),
    ],
)
def test_the_longest_prefix_counts_that_has_a_rate_at_the_moment(digits, days, key):
    moment, since = DAY + timedelta(days=days), DAY - timedelta(days=1)

    found = DECK.find(digits, moment)

    assert (found.key if found else None) == key
    ranges = list(flatten([(one.prefix, one.valid_from, one.key) for one in DECK_ENTRIES], since=since))
    assert reached(ranges, digits, moment) == key


@given(entries=ENTRIES, number=NUMBERS, days=st.integers(-2, 12), since=st.integers(-2, 12))
def test_the_ranges_of_a_deck_say_of_every_number_and_moment_what_its_prefixes_say(entries, number, days, since):
    moment, since = DAY + timedelta(days=days), DAY + timedelta(days=min(days, since))
    begun = [one for one in entries if number.startswith(one.prefix) and one.valid_from <= moment]
    expected = max(begun, key=lambda one: (len(one.prefix), one.valid_from), default=None)

    ranges = list(flatten(sorted((one.prefix, one.valid_from, one.key) for one in entries), since=since))

    assert reached(ranges, number, moment) == (expected.key if expected else None)
    found = Deck(entries, currency="EUR").find(number, moment)
    assert found == expected


@given(entries=ENTRIES)
def test_ranges_lie_side_by_side_from_ever_before(entries):
    ranges = list(flatten(sorted((one.prefix, one.valid_from, one.key) for one in entries), since=DAY))

    assert ranges[0].low == ""
    early = datetime.min.replace(tzinfo=UTC)
    order = [(one.low, one.valid_from or early) for one in ranges]
    assert order == sorted(set(order))
    assert {one.low for one in ranges} == {one.low for one in ranges if one.valid_from is None}


# Calls


def asked(called="442079460123", decks=(DECK,), **facts):
    facts = {"answered_at": DAY, "seconds": 32, **facts}
    called = Called(Kind.NUMBER, called) if isinstance(called, str) else called
    return rate_call(AnsweredCall(called=called, **facts), decks)


def test_a_call_is_rated_and_says_why():
    found = asked()

    assert (found.outcome, found.cost, found.billed_seconds) == (Outcome.RATED, Decimal("0.0036"), 36)
    assert found.trace == {
        "prefix": "4420",
        "destination": "Destination 4420",
        "rate": 2,
        "billed_seconds": 36,
        "connection_fee": "0",
        "per_minute": "0.0060",
        "currency": "EUR",
        "formula": "0 + 0.0060 × 36 ÷ 60 → 0.0036",
    }


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        ({"answered_at": None, "seconds": 0}, Outcome.UNANSWERED),
        ({"called": Called(Kind.EMERGENCY), "internal": True}, Outcome.EMERGENCY),
        ({"called": Called(Kind.SHORT)}, Outcome.SHORT),
        ({"internal": True, "covered_by": "calling-plan-domestic"}, Outcome.INTERNAL),
        ({"covered_by": "calling-plan-domestic"}, Outcome.COVERED),
        ({"seconds": 0}, Outcome.RATED),
    ],
)
def test_what_is_free_says_by_what(facts, outcome):
    found = asked(**facts)

    assert (found.outcome, found.cost) == (outcome, 0)
    assert found.covered_by == ("calling-plan-domestic" if outcome == Outcome.COVERED else "")


@pytest.mark.parametrize("facts", [{"called": "46846500412"}, {"called": Called(Kind.UNREADABLE)}, {"decks": ()}])
def test_a_call_without_a_rate_is_never_free(facts):
    found = asked(**facts)

    assert (found.outcome, found.cost, found.entry) == (Outcome.UNRATED, None, None)


def test_the_deck_that_stands_first_counts_wherever_it_has_a_rate():
    own = Deck([entry("442", FRANCE, key=9)], currency="EUR", decimals=2)

    assert asked(decks=(own, DECK)).entry.key == 9
    assert str(asked(decks=(own, DECK), seconds=59).cost) == "0.05"
    assert asked("447700900123", decks=(own, DECK)).entry.key == 3


# What was called


@pytest.mark.parametrize(
    ("text", "country", "called"),
    [
        ("+33 1 99 00 45 10", "US", Called(Kind.NUMBER, "33199004510")),
        ("01 99 00 45 10", "FR", Called(Kind.NUMBER, "33199004510")),
        ("0061291234567", "FR", Called(Kind.NUMBER, "61291234567")),
        ("011441134960000", "US", Called(Kind.NUMBER, "441134960000")),
        ("61291234567", "FR", Called(Kind.NUMBER, "61291234567")),
        ("(425) 555-0100", "US", Called(Kind.NUMBER, "14255550100")),
        ("sip:+390612345678@trunk;user=phone", "SE", Called(Kind.NUMBER, "390612345678")),
        ("tel:+4915155501234", "SE", Called(Kind.NUMBER, "4915155501234")),
        ("+٤٤٢٠٧٩٤٦٠٩٥٨", "FR", Called(Kind.NUMBER, "442079460958")),
        ("\u202d+14255550100\u202c", "FR", Called(Kind.NUMBER, "14255550100")),
        ("112", "SE", Called(Kind.EMERGENCY)),
        ("911", "US", Called(Kind.EMERGENCY)),
        ("999", "GB", Called(Kind.EMERGENCY)),
        ("3900", "FR", Called(Kind.SHORT)),
        ("411", "US", Called(Kind.SHORT)),
        ("", "FR", Called(Kind.UNREADABLE)),
        ("*43", "FR", Called(Kind.UNREADABLE)),
        ("louise.seguin", "FR", Called(Kind.UNREADABLE)),
        ("+1-800-FLOWERS", "US", Called(Kind.UNREADABLE)),
        ("+1911", "US", Called(Kind.UNREADABLE)),
        ("+0199004510", "FR", Called(Kind.UNREADABLE)),
        ("²²²²²²²", "FR", Called(Kind.UNREADABLE)),
        ("1234567890123456", "FR", Called(Kind.UNREADABLE)),
    ],
)
def test_what_was_called_is_read_as_exchanges_write_it(text, country, called):
    assert read_called(text, country=country) == called


@given(text=st.text(max_size=30), country=st.sampled_from(["FR", "US", "SE", "GB", "XX", ""]))
def test_any_text_is_read_without_failing_and_numbers_are_digits(text, country):
    called = read_called(text, country=country)

    assert bool(called.digits) == (called.kind == Kind.NUMBER)
    assert not called.digits or (called.digits.isascii() and called.digits.isdecimal() and len(called.digits) <= 15)


def test_rating_knows_neither_django_nor_the_database():
    known = "{name.partition('.')[0] for name in sys.modules}"
    code = f"import sys, telephony.rating; sys.exit(bool({known} & {{'django', 'psycopg'}}))"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
