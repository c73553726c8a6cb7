"""Rate decks, while somebody else loads the same one."""

from decimal import Decimal
from functools import partial

import pytest
from django.db import IntegrityError

from members.access import Actor
from telephony.models import RateDeckVersion, RateRange
from telephony.rating import Rate
from telephony.services.rates import load_rates
from tests.telephony.decks import entry, row_of

pytestmark = pytest.mark.django_db(transaction=True)


def loading(*prefixes):
    rows = [row_of(entry(prefix, Rate(per_minute=Decimal("0.1")))) for prefix in prefixes]
    return partial(load_rates, actor=Actor.system(), rows=rows)


def versions():
    return list(RateDeckVersion.objects.order_by("number").values_list("number", "rates"))


def test_of_two_who_load_rates_at_once_the_second_comes_after_the_first(race):
    outcomes = race(loading("44", "33"), loading("44", "33"), loading("46"), loading("46"))

    assert not [one for one in outcomes if isinstance(one, Exception)]
    numbers = [number for number, _rates in versions()]
    assert numbers == list(range(1, len(numbers) + 1))
    # Whoever loads what is there already adds nothing.
    assert all(before != after for (_, before), (_, after) in zip(versions(), versions()[1:], strict=False))
    assert RateRange.objects.filter(low="").count() == len(numbers)


def test_control_without_the_lock_the_second_version_of_a_deck_fails_in_the_database(race, unguarded):
    loading("44")()

    outcomes = race(*unguarded(loading("33"), loading("46")))

    assert sum(isinstance(one, IntegrityError) for one in outcomes) == 1
    assert len(versions()) == 2
