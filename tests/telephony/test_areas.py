"""Where a country wants the address of a number in its area: refused, warned of, or not compared."""

from uuid import uuid4

import pytest
from django.urls import reverse

from members.access import Actor
from members.models import Member
from telephony.areas import lies_outside
from telephony.assigning import Pairing
from telephony.assignment_errors import AddressOutside
from telephony.errors import AddressOutsideArea
from telephony.models import CountryRule, NumberArea, NumberAssignment, PhoneNumber
from telephony.services.assignments import assign_numbers, move_to_address
from telephony.services.disclaimers import accept_disclaimer
from telephony.services.reservations import acquire_numbers, reserve_numbers
from tests.factories import (
    EmergencyAddressFactory,
    LicenseFactory,
    MemberFactory,
    NumberAreaFactory,
    PhoneNumberFactory,
    SeatFactory,
)
from tests.telephony.stock import allow, stocked

pytestmark = pytest.mark.django_db

LYON = {"house_number": "1", "street": "rue Neuve", "city": "Lyon", "postal_code": "69002"}


@pytest.fixture
def manager(client):
    member = MemberFactory(role=Member.Role.VOICE_MANAGER, organization__country="FR")
    SeatFactory(license=LicenseFactory(organization=member.organization), member=member)
    accept_disclaimer(actor=Actor.system(), organization=member.organization, country="FR")
    client.force_login(member.user)
    return member


@pytest.fixture
def lyon(manager):
    return EmergencyAddressFactory(organization=manager.organization, name="Atelier", civic=LYON)


@pytest.fixture
def number(manager):
    paris = NumberAreaFactory(country="FR", region="Île-de-France", city="Paris")
    return PhoneNumberFactory(organization=manager.organization, area=paris, number="+33140000001")


def rule(match):
    CountryRule.objects.filter(country="FR").update(area_match=match)


def acting(member):
    return {"actor": Actor.of_member(member), "organization": member.organization}


@pytest.mark.parametrize(
    ("area", "city", "region", "outside"),
    [
        (("Paris", ""), "Lyon", "", True),
        (("Lyon", ""), "Lyon 2e Arrondissement", "", False),
        (("LYON", ""), "lyon", "", False),
        (("Paris", "Île-de-France"), "Nanterre", "ile de france", False),
        (("Paris", "Île-de-France"), "Nanterre", "", True),
        (("", ""), "Lyon", "", False),
    ],
)
def test_an_address_lies_outside_where_both_cities_are_known_and_differ(manager, area, city, region, outside):
    address = EmergencyAddressFactory(organization=manager.organization, civic={**LYON, "city": city, "region": region})

    assert lies_outside(NumberArea(city=area[0], region=area[1]), address) is outside


def test_where_a_rule_refuses_nobody_is_found_outside_the_area(manager, lyon, number):
    rule("refuse")

    with pytest.raises(AddressOutside):
        assign_numbers(**acting(manager), pairings=[Pairing(manager, number, lyon)], key=uuid4())
    site = EmergencyAddressFactory(organization=manager.organization, name="Siège")
    assign_numbers(**acting(manager), pairings=[Pairing(manager, number, site)], key=uuid4())
    with pytest.raises(AddressOutside):
        move_to_address(**acting(manager), member=manager, address=lyon)

    assert NumberAssignment.objects.get().emergency_address == site


def test_where_a_rule_refuses_no_number_is_acquired_with_an_address_outside_its_area(manager, lyon):
    rule("refuse")
    allow(manager.organization, 10)
    area = stocked(1, country="FR", region="Île-de-France", city="Paris")
    reservation = reserve_numbers(**acting(manager), area=area, quantity=1, key=uuid4())

    with pytest.raises(AddressOutsideArea):
        acquire_numbers(**acting(manager), reservations=[reservation], addresses=[lyon], key=uuid4())

    assert not PhoneNumber.objects.filter(organization=manager.organization).exists()


@pytest.mark.parametrize(("match", "warned"), [("warn", True), ("none", False)])
def test_where_a_rule_warns_the_page_says_so_and_the_number_is_given(client, manager, lyon, number, match, warned):
    rule(match)
    url = reverse("telephony:assign", args=[manager.organization.slug])
    sent = {"number": number.number, "emergency_address": lyon.pk, "key": uuid4(), "member": manager.pk}

    page = client.post(url, sent, follow=True)

    assert NumberAssignment.objects.get().emergency_address == lyon
    assert ("which lies elsewhere" in page.text) is warned
