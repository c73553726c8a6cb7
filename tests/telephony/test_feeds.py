"""Whatever way calls come in, in pieces, again, in any order: they come to the same."""

import random
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credit.selectors.balances import balance_of
from telephony.models import AccountCode, Call, CallKey
from telephony.services.usage import rebuild_usage
from tests.factories import LicenseFactory, MemberFactory, OrganizationFactory, SeatFactory
from tests.telephony.calls import START, SYSTEM, a_call, imported, with_rates

pytestmark = pytest.mark.django_db
LONG_AGO = START - timedelta(days=400)
# Of Spain, with and without a longer prefix, of home, of nowhere that a rate is known for, and in case of emergency.
NUMBERS = ("+34912345678", "+34671234567", "+33123456789", "+81312345678", "112")
FACTS = st.tuples(
    st.integers(0, 60 * 24 * 45),
    st.integers(0, 36_000),
    st.sampled_from(NUMBERS),
    st.sampled_from(("2001", "2002", "nobody")),
    st.booleans(),
)


def company():
    """Two people, one of whom has a plan that covers some minutes."""
    organization = OrganizationFactory(country="FR", currency="EUR", time_zone="Europe/Paris")
    people = MemberFactory.create_batch(2, organization=organization)
    for code, member in zip(("2001", "2002"), people, strict=True):
        AccountCode.objects.create(organization=organization, code=code, member=member)
    seats = LicenseFactory(organization=organization, code="calling-plan-international")
    SeatFactory(license=seats, member=people[0], assigned_at=LONG_AGO)
    return organization, people


def told(organization, people):
    """What came of each call, and what its people hold."""
    keys = dict(CallKey.objects.filter(organization=organization).values_list("id", "external_id"))
    calls = Call.objects.filter(organization=organization)
    assert rebuild_usage(actor=SYSTEM, organization=organization, check=True).differences == []
    return (
        sorted((keys[call.id], call.outcome, call.charge, call.destination, call.day) for call in calls),
        [balance_of(organization, member) for member in people],
    )


@given(made=st.lists(FACTS, min_size=1, max_size=10), seed=st.integers(0, 2**16), size=st.integers(1, 6))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_feeds_that_are_shuffled_split_overlapping_and_sent_again_come_to_the_same(made, seed, size):
    with_rates()
    calls = [
        a_call(number, at=START + timedelta(minutes=at), seconds=seconds, to=to, account=account, answered=answered)
        for number, (at, seconds, to, account, answered) in enumerate(made)
    ]
    chance = random.Random(seed)
    in_order, in_pieces = company(), company()
    imported(in_order[0], calls)

    shuffled = chance.sample(calls, len(calls))
    for start in range(0, len(shuffled), size):
        # Each piece begins before the end of the one before it.
        imported(in_pieces[0], shuffled[max(0, start - 2) : start + size])
    # One that is told again began another time, so it is said.
    again = chance.choice(calls)
    imported(in_pieces[0], [a_call(calls.index(again), at=START + timedelta(days=90), account=again["account"])])

    assert told(*in_pieces) == told(*in_order)
