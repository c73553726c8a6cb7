"""Calls that two rate again at once, and credit that comes meanwhile."""

from datetime import date
from decimal import Decimal
from functools import partial

import pytest
from django.db import transaction

from credit.models import Transfer
from credit.selectors.balances import balance_of
from members.access import Actor
from telephony.services.rerating import rerate_calls
from tests.credit.moves import allocate, buy
from tests.factories import MemberFactory, OrganizationFactory
from tests.telephony.calls import PRICES, a_call, imported, with_rates

pytestmark = pytest.mark.django_db(transaction=True)
OCTOBER = {"first": date(2026, 10, 1), "last": date(2026, 10, 31)}


@pytest.fixture
def people():
    with_rates()
    organization = OrganizationFactory(country="FR", currency="EUR")
    people = [MemberFactory(organization=organization) for _number in range(3)]
    names = [member.user.skype_name for member in people]
    imported(organization, [a_call(number, account=names[number % 3]) for number in range(9)])
    with_rates({**PRICES, "34": "0.030000"})
    return people


def again(people):
    return partial(rerate_calls, actor=Actor.system(), organization=people[0].organization, **OCTOBER)


def balances(people):
    return [balance_of(member.organization, member) for member in people]


def test_two_who_rate_the_same_calls_again_at_once_post_once(race, people):
    outcomes = race(*[again(people)] * 2)

    assert sorted(outcome.changed for outcome in outcomes) == [0, 9]
    assert balances(people) == [Decimal("-0.0900")] * 3
    assert Transfer.objects.filter(operation=Transfer.Operation.REFUND).count() == 9


def test_credit_that_comes_while_calls_are_rated_again_is_all_there(race, people):
    with transaction.atomic():
        buy(people[0].organization, "100")

    def give():
        with transaction.atomic():
            for member in people:
                allocate(member, "1")

    race(again(people), give)

    assert balances(people) == [Decimal("0.9100")] * 3
