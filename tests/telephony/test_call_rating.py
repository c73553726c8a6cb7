"""Many calls are rated in SQL, each as it would be alone."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from members.access import Actor
from telephony.call_rating import rate_table
from telephony.models import PrefixRate, RateDeck
from telephony.rate_loading import stage_rates, store_rates
from telephony.rating import AnsweredCall, Called, Deck, DeckEntry, Kind, Rate, rate_call
from tests.factories import OrganizationFactory
from tests.matrix.asking import rolled_back
from tests.telephony.decks import DAY, ENTRIES, NUMBERS, SECONDS, entry, row_of

pytestmark = pytest.mark.django_db

STAGE = """
    CREATE TEMPORARY TABLE calls_to_rate (
        row integer, organization_id bigint, currency text, digits text COLLATE "C", answered_at timestamptz,
        seconds integer, free_by text
    ) ON COMMIT DROP
"""
VERSIONS = st.lists(st.tuples(ENTRIES.filter(bool), st.integers(0, 4)), max_size=3)
CALLS = st.lists(
    st.fixed_dictionaries(
        {
            "digits": NUMBERS,
            "days": st.none() | st.integers(-1, 12),
            "seconds": SECONDS,
            "free_by": st.sampled_from(["", "", "", "emergency", "short", "internal", "covered"]),
            "ours": st.booleans(),
            "currency": st.sampled_from(["EUR", "EUR", "EUR", "USD"]),
        }
    ),
    min_size=1,
    max_size=30,
)
OUTCOMES = {"emergency": Kind.EMERGENCY, "short": Kind.SHORT}


def store(organization, entries, decimals=4):
    """Load a deck as ``load_rates`` does, within a transaction."""
    assert stage_rates([row_of(one, row=row) for row, one in enumerate(entries, 1)]) == []
    store_rates(actor=Actor.system(), organization=organization, decimals=decimals, file_name="")


def rated(organizations, calls):
    """What each call costs by SQL: outcome, cost, billed seconds, key of the rate."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS calls_to_rate, calls_rated")
        cursor.execute(STAGE)
        with cursor.copy("COPY calls_to_rate FROM STDIN") as copy:
            for row, call in enumerate(calls):
                answered = None if call["days"] is None else DAY + timedelta(days=call["days"])
                owner = organizations[0 if call["ours"] else 1].pk
                copy.write_row(
                    (row, owner, call["currency"], call["digits"], answered, call["seconds"], call["free_by"])
                )
        assert rate_table("calls_to_rate", "calls_rated") == len(calls)
        cursor.execute("SELECT outcome, cost, billed_seconds, rate_id FROM calls_rated ORDER BY row")
        return cursor.fetchall()


def deck_at(organization, moment):
    """The deck that counts at a moment, as the rating of one call has it; None while there is none."""
    decks = RateDeck.objects.filter(organization=organization, currency="EUR")
    version = next(
        (
            version
            for deck in decks
            for version in deck.versions.order_by("-number")
            if min(version.prefix_rates.values_list("valid_from", flat=True)) <= moment
        ),
        None,
    )
    if version is None:
        return None
    entries = [
        DeckEntry(
            prefix=one.prefix,
            destination=one.destination,
            rate=Rate(
                per_minute=one.per_minute,
                connection_fee=one.connection_fee,
                first_increment=one.first_increment,
                next_increment=one.next_increment,
                grace_seconds=one.grace_seconds,
                minimum_charge=one.minimum_charge,
            ),
            valid_from=one.valid_from,
            key=one.pk,
        )
        for one in version.prefix_rates.all()
    ]
    return Deck(entries, currency="EUR", decimals=version.decimals)


def alone(organizations, call):
    """The same by the rating of one call."""
    moment = None if call["days"] is None else DAY + timedelta(days=call["days"])
    decks = []
    if moment is not None and call["currency"] == "EUR":
        owner = organizations[0 if call["ours"] else 1]
        decks = [deck for deck in (deck_at(owner, moment), deck_at(None, moment)) if deck is not None]
    kind = OUTCOMES.get(call["free_by"])
    found = rate_call(
        AnsweredCall(
            called=Called(kind) if kind else Called(Kind.NUMBER, call["digits"]),
            answered_at=moment,
            seconds=call["seconds"],
            internal=call["free_by"] == "internal",
            covered_by="calling-plan-domestic" if call["free_by"] == "covered" else "",
        ),
        decks,
    )
    return (found.outcome, found.cost, found.billed_seconds, found.entry.key if found.entry else None)


@settings(max_examples=60, deadline=None)
@given(general=VERSIONS, own=VERSIONS, calls=CALLS)
def test_many_calls_cost_together_what_each_costs_alone(general, own, calls):
    with rolled_back():
        organizations = [OrganizationFactory(), OrganizationFactory()]
        for organization, versions in ((None, general), (organizations[0], own)):
            for entries, decimals in versions:
                store(organization, entries, decimals)

        found = rated(organizations, calls)

        assert found == [alone(organizations, call) for call in calls]


def call(digits="442079460123", **facts):
    return {"digits": digits, "days": 0, "seconds": 32, "free_by": "", "ours": True, "currency": "EUR", **facts}


@pytest.fixture
def organizations():
    return [OrganizationFactory(), OrganizationFactory()]


def cheap(minute):
    return Rate(per_minute=Decimal(minute), first_increment=1, next_increment=1)


@transaction.atomic
def test_a_later_version_counts_from_its_beginning_on(organizations):
    store(None, [entry("44", cheap("0.6")), entry("33", cheap("0.6"))])
    store(None, [entry("44", cheap("0.9"), days=10)])

    found = rated(
        organizations, [call(days=9), call(days=10), call("33199001234", days=9), call("33199001234", days=10)]
    )

    assert [(outcome, cost) for outcome, cost, _billed, _rate in found] == [
        ("rated", Decimal("0.3200")),
        ("rated", Decimal("0.4800")),
        ("rated", Decimal("0.3200")),
        ("unrated", None),
    ]


@transaction.atomic
def test_rates_of_an_organization_are_its_own_and_stand_over_those_of_all(organizations):
    store(None, [entry("44", cheap("0.6")), entry("4420", cheap("0.6"))])
    store(organizations[0], [entry("442", cheap("0.06"))], decimals=2)

    found = rated(organizations, [call(), call(ours=False), call("447700900123"), call(currency="USD")])

    assert [cost for _outcome, cost, _billed, _rate in found] == [
        Decimal("0.04"),
        Decimal("0.3200"),
        Decimal("0.3200"),
        None,
    ]
    assert PrefixRate.objects.get(pk=found[0][3]).prefix == "442"


@transaction.atomic
def test_a_very_long_and_dear_call_is_exact(organizations):
    dear = Rate(per_minute=Decimal("99999.999999"), connection_fee=Decimal("0.000001"), next_increment=7)
    store(None, [entry("44", dear)])

    [(_outcome, cost, billed, _rate)] = rated(organizations, [call(seconds=2**31 - 1)])

    assert (cost, billed) == (alone(organizations, call(seconds=2**31 - 1))[1], 2_147_483_650)
