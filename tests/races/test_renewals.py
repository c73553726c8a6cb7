"""What is due is paid once, however many workers find it."""

from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import IntegrityError

from credit.selectors.balances import wallet_balance
from members.access import Actor
from telephony.licensing import today_of
from telephony.models import LicensePeriod, PhoneNumber, Postcode
from telephony.services.license_work import renew_due
from telephony.services.number_work import renew_oldest
from telephony.services.postcodes import load_postcodes
from tests.credit.moves import buy
from tests.factories import LicenseFactory, OrganizationFactory, PhoneNumberFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def organization():
    organization = OrganizationFactory()
    buy(organization, "1000")
    return organization


@pytest.fixture
def due(organization):
    today = today_of(organization)
    begun = today - timedelta(days=28)
    return LicenseFactory(
        organization=organization,
        code="premium",
        quantity=2,
        anchored_on=begun,
        began_on=begun,
        renews_on=today,
    )


def test_two_workers_who_renew_a_license_at_once_pay_it_once(organization, due, race):
    before, price = wallet_balance(organization), Decimal("4.99")

    assert race(*[partial(renew_due, organization)] * 4) == [None] * 4

    assert before - wallet_balance(organization) == 2 * price
    assert LicensePeriod.objects.filter(license=due, begins_on=today_of(organization)).count() == 1


def test_control_without_the_locks_the_second_renewal_fails_in_the_database(organization, due, race, unguarded):
    outcomes = race(*unguarded(*[partial(renew_due, organization)] * 2))

    assert {type(one) for one in outcomes} == {type(None), IntegrityError}
    assert LicensePeriod.objects.filter(license=due, begins_on=today_of(organization)).count() == 1


def test_two_workers_who_renew_numbers_at_once_pay_them_once(organization, race):
    today = today_of(organization)
    PhoneNumberFactory.create_batch(
        3,
        organization=organization,
        monthly_price=2,
        currency="EUR",
        anchored_on=today - timedelta(days=28),
        renews_on=today,
    )
    before = wallet_balance(organization)

    outcomes = race(*[partial(renew_oldest, organization=organization)] * 3)

    assert sorted(outcomes) == [False, False, True]
    assert before - wallet_balance(organization) == 6
    assert not PhoneNumber.objects.filter(renews_on=today).exists()


def test_two_who_load_postal_codes_at_once_load_them_once(race):
    loading = partial(load_postcodes, actor=Actor.system(), country="GB")
    loading()
    before = Postcode.objects.filter(country="GB").count()
    Postcode.objects.filter(country="GB", pk__in=Postcode.objects.filter(country="GB")[:50].values("pk")).delete()

    outcomes = race(loading, loading)

    assert not [one for one in outcomes if isinstance(one, Exception)]
    assert Postcode.objects.filter(country="GB").count() == before > 50
