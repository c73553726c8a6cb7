"""Who watches wallets, met by another who does."""

from decimal import Decimal
from functools import partial

import pytest
from django.db import IntegrityError, transaction

from credit.services.alert_letters import tell_of_wallet
from credit.services.alerts import change_alerts
from members.access import Actor
from members.models import Letter
from tests.credit.moves import buy
from tests.factories import MemberFactory

pytestmark = pytest.mark.django_db(transaction=True)
CONFLICT = r" ON CONFLICT \(organization_id, key\) DO NOTHING"


@pytest.fixture
def organization():
    administrator = MemberFactory(admin=True)
    MemberFactory(organization=administrator.organization, admin=True)
    with transaction.atomic():
        buy(administrator.organization, "10")
    change_alerts(actor=Actor.system(), organization=administrator.organization, low_wallet=Decimal(50))
    return administrator.organization


def letters():
    return Letter.objects.filter(kind=Letter.Kind.CREDIT_ALERT).count()


def test_two_who_watch_a_wallet_at_once_write_to_each_person_once(race, organization):
    outcomes = race(*[partial(tell_of_wallet, organization)] * 2)

    assert sorted(outcomes) == [False, True]
    assert letters() == 2


def test_control_without_the_lock_both_tell_and_only_what_was_told_keeps_letters_from_going_twice(
    race, organization, unguarded
):
    outcomes = race(*unguarded(*[partial(tell_of_wallet, organization)] * 2))

    assert outcomes == [True, True]
    assert letters() == 2


def test_control_without_either_the_second_fails_in_the_database(race, organization, unguarded):
    """Nothing but the unique key is left then, and nothing is sent twice."""
    without = rf"{CONFLICT}| FOR UPDATE"
    outcomes = race(*unguarded(*[partial(tell_of_wallet, organization)] * 2, without=without))

    assert sum(isinstance(outcome, IntegrityError) for outcome in outcomes) == 1
    assert letters() == 2
