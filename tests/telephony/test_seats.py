"""Seats given to people and taken away: all or nobody, in the order in which products require each other."""

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from members.access import Actor
from members.errors import SelectionChanged
from members.models import AuditEntry
from telephony.catalog import Catalog
from telephony.license_errors import (
    AlreadyIncluded,
    HasLeftAlready,
    NoFreeSeat,
    OnlyBusiness,
    RequirementMissing,
    StillNeeded,
)
from telephony.models import License, LicenseAssignment
from telephony.product_seeds import PRODUCTS
from tests.factories import LicenseFactory, MemberFactory, OrganizationFactory
from tests.telephony.licensed import assigning, has, people, product, unassigning

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    found = OrganizationFactory()
    for code in ("e5", "phone-system", "calling-plan-domestic", "voicemail", "premium"):
        LicenseFactory(organization=found, code=code, quantity=3)
    return found


@pytest.fixture
def member(organization):
    return MemberFactory(organization=organization)


def test_each_gets_a_seat_and_whoever_has_one_keeps_it(organization, member):
    assigning("phone-system", member)
    other = MemberFactory(organization=organization)

    assert assigning("phone-system", member, other) == 1

    assert [has(one) for one in (member, other)] == [["phone-system"]] * 2
    assert License.objects.get(product__code="phone-system").assigned == 2
    assert AuditEntry.objects.filter(action="license.assigned").count() == 2


def test_nobody_gets_a_seat_when_there_are_too_few(organization):
    everybody = MemberFactory.create_batch(4, organization=organization)

    with pytest.raises(NoFreeSeat, match="4 seats of Skype Premium are needed, 3 are free"):
        assigning("premium", *everybody)
    assert not LicenseAssignment.objects.exists()


def test_seats_come_from_several_licenses(organization):
    LicenseFactory(organization=organization, code="premium", quantity=1)
    everybody = MemberFactory.create_batch(4, organization=organization)

    assigning("premium", *everybody)

    taken = License.objects.filter(product__code="premium").order_by("pk").values_list("assigned", flat=True)
    assert list(taken) == [3, 1]


def test_a_canceled_license_gives_its_seats_last(organization, member):
    License.objects.filter(product__code="premium").update(renewed_quantity=0)
    lasting = LicenseFactory(organization=organization, code="premium", quantity=1)

    assigning("premium", member)

    assert LicenseAssignment.objects.get().license == lasting


def test_a_sleeping_license_gives_no_seat(organization, member):
    now = timezone.now()
    License.objects.filter(product__code="premium").update(grace_since=now, asleep_since=now)

    with pytest.raises(NoFreeSeat):
        assigning("premium", member)


def test_a_calling_plan_is_assigned_after_phone_system(member):
    with pytest.raises(RequirementMissing, match="Phone System"):
        assigning("calling-plan-domestic", member)

    assigning("phone-system", member)
    assigning("calling-plan-domestic", member)
    assert has(member) == ["calling-plan-domestic", "phone-system"]


def test_a_calling_plan_is_assigned_to_whoever_has_e5(member):
    assigning("e5", member)
    assigning("calling-plan-domestic", member)


def test_phone_system_is_taken_away_after_the_calling_plan(member):
    assigning("phone-system", member)
    assigning("calling-plan-domestic", member)

    with pytest.raises(StillNeeded, match="Domestic Calling Plan"):
        unassigning("phone-system", member)
    unassigning("calling-plan-domestic", member)
    unassigning("phone-system", member)
    assert has(member) == []


def test_both_are_taken_away_together_when_that_is_said(member):
    assigning("phone-system", member)
    assigning("calling-plan-domestic", member)

    unassigning("phone-system", member, with_dependents=True)

    endings = LicenseAssignment.objects.values_list("product__code", "ending")
    assert dict(endings) == {"phone-system": "unassigned", "calling-plan-domestic": "requirement"}


def test_phone_system_goes_alone_once_e5_carries_the_plan(member):
    assigning("phone-system", member)
    assigning("calling-plan-domestic", member)
    assigning("e5", member)

    unassigning("phone-system", member)
    assert has(member) == ["calling-plan-domestic", "e5"]


@pytest.mark.parametrize("code", ["phone-system", "voicemail"])
def test_nobody_gets_what_they_have_already_with_something_else(member, code):
    assigning("e5", member)

    with pytest.raises(AlreadyIncluded, match="Enterprise E5 includes it"):
        assigning(code, member)


def test_a_personal_account_gets_no_phone_system(organization):
    person = MemberFactory(organization=organization, personal=True)

    with pytest.raises(OnlyBusiness):
        assigning("phone-system", person)
    assigning("premium", person)


def test_whoever_has_left_gets_no_seat(organization):
    with pytest.raises(HasLeftAlready):
        assigning("premium", MemberFactory(organization=organization, state="left"))


def test_a_choice_that_has_changed_is_not_carried_out(member):
    with pytest.raises(SelectionChanged):
        assigning("premium", member, expected=2)


def test_people_of_another_organization_get_and_lose_nothing(organization, member):
    stranger = MemberFactory()
    assigning("premium", member)

    assigning("premium", stranger, organization=organization)
    unassigning("premium", member, organization=stranger.organization)

    assert has(stranger) == []
    assert has(member) == ["premium"]


@pytest.mark.parametrize("verb", [assigning, unassigning])
def test_only_those_who_manage_voice_change_seats(organization, member, verb):
    clerk = MemberFactory(organization=organization, role="members_manager")

    with pytest.raises(PermissionDenied):
        verb("premium", member, actor=Actor.of_member(clerk))


def test_what_is_asked_does_not_grow_with_the_people(organization, django_assert_max_num_queries):
    License.objects.filter(product__code="premium").update(quantity=300)
    everybody = MemberFactory.create_batch(200, organization=organization)

    with django_assert_max_num_queries(40):
        assigning("premium", *everybody)
    assert people(*everybody).filter(seats__product=product("premium")).count() == 200


codes = st.sampled_from(sorted(PRODUCTS))


@given(st.sets(codes), codes)
def test_what_is_left_when_a_seat_ends_has_all_that_it_requires(seats, ended):
    catalog = Catalog.load()
    valid = {code for code in seats if catalog.meets(code, seats)}
    while valid != (less := {code for code in valid if catalog.meets(code, valid)}):
        valid = less

    left = valid - {ended} - set(catalog.dependents(valid, ended))

    assert all(catalog.meets(code, left) for code in left)
