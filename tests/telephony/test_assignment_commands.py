"""Numbers given, changed and taken back without a browser."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from members.access import Actor
from members.models import Letter
from telephony.services.disclaimers import accept_disclaimer
from tests.factories import (
    EmergencyAddressFactory,
    LicenseFactory,
    MemberFactory,
    NumberAreaFactory,
    OrganizationFactory,
    PhoneNumberFactory,
    PlaceFactory,
    SeatFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    organization = OrganizationFactory(name="Architectes")
    accept_disclaimer(actor=Actor.system(), organization=organization, country="FR")
    PlaceFactory(
        organization=organization,
        address=EmergencyAddressFactory(organization=organization, name="Siège"),
        name="3e étage",
        name_key="3e étage",
    )
    paris = NumberAreaFactory(country="FR", region="Île-de-France", city="Paris")
    for number in ("+33140000001", "+33140000002"):
        PhoneNumberFactory(organization=organization, area=paris, number=number)
    return organization


@pytest.fixture
def member(organization):
    person = MemberFactory(
        organization=organization, user__skype_name="ines.even", user__first_name="Ines", user__last_name="Even"
    )
    return SeatFactory(license=LicenseFactory(organization=organization), member=person).member


def run(name, *arguments):
    """What a command prints with --json, and why it refused."""
    out = io.StringIO()
    try:
        call_command(name, *arguments, "--json", stdout=out)
    except CommandError as refusal:
        return json.loads(out.getvalue()), str(refusal)
    return json.loads(out.getvalue()), ""


def numbers():
    found, _ = run("list_numbers")
    return {one["number"]: (one["state"], one["member"], one["emergency_address"]) for one in found}


def test_a_number_is_assigned_changed_and_taken_back(member):
    given, _ = run(
        "assign_number",
        *("--member", "ines.even", "--number", "+33 1 40 00 00 01"),
        *("--emergency-address", "siège", "--place", "3e étage"),
    )
    assert given == {
        "member": "ines.even",
        "number": "+33140000001",
        "emergency_address": "Siège",
        "place": "3e étage",
    }
    assert numbers()["+33140000001"] == ("assigned", "ines.even", "Siège")
    assert Letter.objects.filter(kind="number_assigned").count() == 1

    changed, _ = run(
        "change_number",
        *("--member", "ines.even", "--number", "+33140000002", "--cooling-days", "30", "--no-notify"),
    )
    assert (changed["number"], changed["place"]) == ("+33140000002", "3e étage")
    assert numbers() == {
        "+33140000001": ("cooling_off", None, None),
        "+33140000002": ("assigned", "ines.even", "Siège"),
    }
    assert Letter.objects.filter(kind="number_assigned").count() == 1

    assert run("unassign_number", "--member", "ines.even") == ({"numbers": ["+33140000002"]}, "")
    assert run("unassign_number", "--member", "ines.even") == ({"numbers": []}, "")


def test_a_dry_run_says_what_would_happen_and_does_nothing(member):
    options = ("--member", "ines.even", "--number", "+33140000001", "--emergency-address", "Siège")

    told, _ = run("assign_number", *options, "--dry-run")

    assert (told["number"], told["emergency_address"]) == ("+33140000001", "Siège")
    assert numbers()["+33140000001"][0] == "acquired"
    run("assign_number", *options)
    assert run("unassign_number", "--member", "ines.even", "--dry-run")[0]["would_unassign"] == ["+33140000001"]
    told, _ = run("change_number", "--member", "ines.even", "--number", "+33140000002", "--dry-run")
    assert (told["number"], told["emergency_address"]) == ("+33140000002", "Siège")
    assert numbers()["+33140000001"][0] == "assigned"


def test_somebody_is_found_at_another_address_from_now_on(organization, member):
    EmergencyAddressFactory(organization=organization, name="Atelier")
    assert run("set_emergency_address", "--member", "ines.even", "--emergency-address", "Atelier")[1] == (
        "Ines Even has no number."
    )
    run("assign_number", "--member", "ines.even", "--number", "+33140000001", "--emergency-address", "Siège")

    options = ("--member", "ines.even", "--emergency-address", "Atelier")
    would, _ = run("set_emergency_address", *options, "--dry-run")
    assert numbers()["+33140000001"] == ("assigned", "ines.even", "Siège")
    told, _ = run("set_emergency_address", *options)

    assert told == would
    assert told["emergency_address"] == "Atelier"
    assert numbers()["+33140000001"] == ("assigned", "ines.even", "Atelier")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--number", "+33140000001"), "has no emergency address"),
        (("--number", "+33140000009", "--emergency-address", "Siège"), "has no number +33140000009"),
        (("--number", "911", "--emergency-address", "Siège"), "Write “911” with its country"),
        (("--number", "+33140000001", "--emergency-address", "Nowhere"), "no emergency address “Nowhere”"),
        (("--number", "+33140000001", "--emergency-address", "Siège", "--place", "Roof"), "no place “Roof”"),
        (("--number", "+33140000001", "--place", "Roof"), "Name the emergency address"),
    ],
)
def test_what_can_not_be_is_refused_in_words(member, options, reason):
    told, refused = run("assign_number", "--member", "ines.even", *options)

    assert reason in refused
    assert told["number"] is None
    assert numbers()["+33140000001"][0] == "acquired"
