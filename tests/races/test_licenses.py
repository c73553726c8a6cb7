"""The last seat of a license, wanted by many at once; and seats assigned while the license is reduced."""

from decimal import Decimal
from functools import partial
from uuid import uuid4

import pytest
from django.db import IntegrityError

from credit.selectors.balances import wallet_balance
from members.access import Actor
from telephony.license_errors import NoFreeSeat, SeatsAreTaken, StillNeeded, WalletTooSmall
from telephony.models import License, LicenseAssignment, PriceChange, ProductPrice
from telephony.services.licenses import change_renewal
from telephony.services.prices import set_prices
from tests.credit.moves import buy
from tests.factories import LicenseFactory, MemberFactory, OrganizationFactory
from tests.telephony.licensed import assigning, buying, has, product, unassigning

pytestmark = pytest.mark.django_db(transaction=True)

LICENSES = r'^SELECT .*"telephony_license"\."renewed_quantity"'
SEATS = r'^SELECT "telephony_licenseassignment"\."member_id"'


def colleagues(bought, number):
    return MemberFactory.create_batch(number, organization=bought.organization)


def reducing(bought, quantity):
    facts = {"actor": Actor.system(), "organization": bought.organization}
    return partial(change_renewal, bought=bought, quantity=quantity, **facts)


def test_the_last_seat_goes_to_one_of_many(race):
    bought = LicenseFactory(code="premium", quantity=1)

    answers = race(*[partial(assigning, "premium", one) for one in colleagues(bought, 6)])

    assert sorted(type(answer).__name__ for answer in answers) == ["NoFreeSeat"] * 5 + ["int"]
    bought.refresh_from_db()
    assert (bought.assigned, LicenseAssignment.objects.count()) == (1, 1)


def test_control_without_the_lock_the_database_alone_refuses_the_last_seat(race, unguarded):
    bought = LicenseFactory(code="premium", quantity=1)
    calls = [partial(assigning, "premium", one) for one in colleagues(bought, 2)]

    answers = race(*unguarded(*calls, before=("INSERT", "COPY")))

    assert {type(answer) for answer in answers} == {int, IntegrityError}
    assert LicenseAssignment.objects.count() == 1


def test_one_member_who_is_given_a_seat_twice_at_once_has_one(race):
    bought = LicenseFactory(code="premium", quantity=5)
    [member] = colleagues(bought, 1)

    race(*[partial(assigning, "premium", member)] * 4)

    assert LicenseAssignment.objects.count() == 1


def test_a_license_that_is_reduced_while_seats_are_assigned_keeps_enough(meanwhile):
    bought = LicenseFactory(code="premium", quantity=3)
    assign = partial(assigning, "premium", *colleagues(bought, 2))

    held = meanwhile(assign, reducing(bought, 1), at=LICENSES)

    assert held.waited
    assert [type(one) for one in held[:2]] == [int, SeatsAreTaken]


def test_control_without_the_lock_fewer_seats_are_renewed_than_are_taken(meanwhile):
    bought = LicenseFactory(code="premium", quantity=3)
    assign = partial(assigning, "premium", *colleagues(bought, 2))

    meanwhile(assign, reducing(bought, 1), at=LICENSES, unlocked=True)

    bought.refresh_from_db()
    assert (bought.renewed_quantity, bought.assigned) == (1, 2)


def test_a_plan_assigned_while_phone_system_is_taken_away_keeps_it(meanwhile):
    organization = LicenseFactory().organization
    LicenseFactory(organization=organization, code="calling-plan-domestic")
    member = MemberFactory(organization=organization)
    assigning("phone-system", member)

    held = meanwhile(
        partial(assigning, "calling-plan-domestic", member), partial(unassigning, "phone-system", member), at=LICENSES
    )

    assert held.waited
    assert isinstance(held.second, StillNeeded)
    assert has(member) == ["calling-plan-domestic", "phone-system"]


def test_control_without_the_locks_a_plan_is_left_without_phone_system(meanwhile):
    organization = LicenseFactory().organization
    LicenseFactory(organization=organization, code="calling-plan-domestic")
    member = MemberFactory(organization=organization)
    assigning("phone-system", member)

    meanwhile(
        partial(assigning, "calling-plan-domestic", member),
        partial(unassigning, "phone-system", member),
        at=SEATS,
        unlocked=True,
    )

    assert has(member) == ["calling-plan-domestic"]


def test_as_many_licenses_are_bought_as_the_wallet_pays(race):
    organization = OrganizationFactory()
    buy(organization, "20")

    answers = race(*[partial(buying, organization, "phone-system", key=uuid4()) for _ in range(6)])

    assert sum(isinstance(answer, License) for answer in answers) == 2
    assert {type(answer) for answer in answers} == {License, WalletTooSmall}
    assert wallet_balance(organization) == Decimal("3.20")


def test_one_key_at_once_buys_once(race):
    organization, key = OrganizationFactory(), uuid4()
    buy(organization, "100")

    answers = race(*[partial(buying, organization, "premium", key=key)] * 4)

    assert len({answer.pk for answer in answers}) == 1
    assert License.objects.count() == 1


def test_two_who_set_a_price_at_once_leave_one(race):
    setting = partial(set_prices, actor=Actor.system(), product=product("premium"))

    answers = race(*[partial(setting, prices={"NOK": Decimal(price)}) for price in range(1, 5)])

    assert answers == [1] * 4
    [left] = ProductPrice.objects.filter(product__code="premium", currency="NOK")
    assert left.monthly in range(1, 5)
    assert PriceChange.objects.count() == 4
    # Prices outlive the tests.
    left.delete()


def test_nobody_is_refused_a_seat_that_is_free(race):
    bought = LicenseFactory(code="premium", quantity=6)

    answers = race(*[partial(assigning, "premium", one) for one in colleagues(bought, 6)])

    assert not [answer for answer in answers if isinstance(answer, NoFreeSeat)]
