"""Licenses and seats: what the database refuses whoever asks, and what an organization owns."""

from datetime import date

import pytest
from django.utils import timezone

from telephony.models import License, LicenseAssignment, LicensePeriod, Product, ProductPrice
from telephony.product_names import TEXTS
from telephony.selectors.licenses import count_seats, covered_by, owned_seats, voice_is_open
from tests.factories import LicenseFactory, MemberFactory, OrganizationFactory, SeatFactory
from tests.refusals import refused

pytestmark = pytest.mark.django_db


def taken(bought):
    bought.refresh_from_db()
    return bought.assigned


def end(seats, **more):
    seats.update(ended_at=timezone.now(), ending="unassigned", **more)


def test_every_product_has_a_name_and_a_price_in_each_currency():
    assert {product.code for product in Product.objects.all()} == set(TEXTS)
    assert ProductPrice.objects.count() == 4 * Product.objects.count()
    assert Product.objects.get(code="phone-system").name == "Phone System (Cloud PBX)"


def test_a_calling_plan_requires_phone_system_which_e5_includes():
    plan = Product.objects.get(code="calling-plan-domestic")

    assert [product.code for product in plan.requires.all()] == ["phone-system"]
    assert "e5" in {product.code for product in plan.requires.get().included_in.all()}


def test_the_database_refuses_the_last_seat_to_whoever_comes_second():
    bought = LicenseFactory(quantity=2)
    SeatFactory.create_batch(2, license=bought)

    refused(lambda: SeatFactory(license=bought))
    assert taken(bought) == 2


def test_seats_are_counted_when_they_are_given_moved_and_ended_many_at_once():
    first = LicenseFactory(quantity=5)
    second = LicenseFactory(organization=first.organization, quantity=5)
    members = MemberFactory.create_batch(3, organization=first.organization)
    facts = {"organization": first.organization, "product": first.product, "assigned_at": timezone.now()}
    LicenseAssignment.objects.bulk_create(LicenseAssignment(license=first, member=one, **facts) for one in members)
    assert (taken(first), taken(second)) == (3, 0)

    LicenseAssignment.objects.filter(member__in=members[:2]).update(license=second)
    assert (taken(first), taken(second)) == (1, 2)

    end(LicenseAssignment.objects.all())
    assert (taken(first), taken(second)) == (0, 0)


def test_nobody_has_two_seats_of_a_product():
    seat = SeatFactory()

    refused(lambda: SeatFactory(license=seat.license, member=seat.member))
    end(LicenseAssignment.objects.filter(pk=seat.pk))
    SeatFactory(license=seat.license, member=seat.member)


def test_a_seat_is_of_the_product_and_the_organization_of_its_license():
    bought = LicenseFactory()

    refused(lambda: SeatFactory(license=bought, product=Product.objects.get(code="e5")))
    refused(lambda: SeatFactory(license=bought, member=MemberFactory()))
    refused(lambda: SeatFactory(license=bought, organization=OrganizationFactory(), member=MemberFactory()))


def test_what_has_ended_stays_so_and_nothing_is_deleted():
    seat = SeatFactory()
    refused(seat.delete)
    refused(lambda: License.objects.filter(pk=seat.license_id).update(ended_at=timezone.now()))
    end(LicenseAssignment.objects.filter(pk=seat.pk))
    refused(lambda: LicenseAssignment.objects.filter(pk=seat.pk).update(ended_at=None, ending=""))

    License.objects.filter(pk=seat.license_id).update(ended_at=timezone.now())
    refused(lambda: License.objects.filter(pk=seat.license_id).update(ended_at=None))
    refused(seat.license.delete)


def test_a_period_of_a_license_is_paid_once():
    bought = LicenseFactory()
    day = {"begins_on": date(2027, 1, 1), "ends_before": date(2027, 2, 1)}
    facts = {"organization": bought.organization, "license": bought, "quantity": 1, "amount": 0, **day}
    LicensePeriod.objects.create(**facts)

    refused(lambda: LicensePeriod.objects.create(**facts))
    refused(lambda: LicensePeriod.objects.create(**facts | {"amount": 5, "begins_on": date(2027, 1, 2)}))


def test_only_awake_seats_are_owned(django_assert_num_queries):
    organization, now = OrganizationFactory(), timezone.now()
    SeatFactory(license=LicenseFactory(organization=organization, quantity=3))
    LicenseFactory(organization=organization, quantity=4, grace_since=now)
    LicenseFactory(organization=organization, quantity=20, grace_since=now, asleep_since=now)
    LicenseFactory(organization=organization, quantity=30, ended_at=now)
    LicenseFactory(quantity=50)
    LicenseFactory(organization=organization, quantity=2, code="premium")

    with django_assert_num_queries(1):
        assert owned_seats(organization) == {"phone-system": 7, "premium": 2}
    seats = count_seats(organization)["phone-system"]
    assert (seats.owned, seats.assigned, seats.free) == (7, 1, 6)


@pytest.mark.parametrize("code", ["e5", "phone-system", "audio-conferencing"])
def test_any_one_of_three_products_opens_voice(code):
    bought = LicenseFactory(code=code)

    assert voice_is_open(bought.organization)
    License.objects.filter(pk=bought.pk).update(grace_since=timezone.now(), asleep_since=timezone.now())
    assert not voice_is_open(bought.organization)


def test_premium_does_not_open_voice():
    assert not voice_is_open(LicenseFactory(code="premium").organization)


def test_whoever_has_e5_has_phone_system():
    bought = LicenseFactory(code="e5")
    seat = SeatFactory(license=bought)
    other = MemberFactory(organization=bought.organization)
    people = [seat.member, other]

    assert covered_by(bought.organization, people, "phone-system") == {seat.member_id: seat.pk}
    assert covered_by(bought.organization, people, "premium") == {}


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({}, "active"),
        ({"grace_since": timezone.now()}, "grace"),
        ({"grace_since": timezone.now(), "asleep_since": timezone.now()}, "asleep"),
        ({"ended_at": timezone.now()}, "ended"),
    ],
)
def test_states_follow_from_facts_and_so_do_the_words(facts, state):
    bought = LicenseFactory(**facts)
    every = License.objects.all()
    words = {
        "active": every.awake().filter(grace_since=None),
        "grace": every.in_grace(),
        "asleep": every.asleep(),
        "ended": every.ended(),
    }

    assert bought.state == state
    assert [word for word, found in words.items() if found.exists()] == [state]
