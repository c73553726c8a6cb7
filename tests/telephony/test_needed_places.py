"""Where a country wants it, nobody gets a number without a place of their emergency address, by whatever door."""

import io
import json
import re
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from members.access import Actor
from members.models import Member
from telephony.assigning import Pairing
from telephony.assignment_errors import PlaceMissing
from telephony.assignment_file import check_assignments
from telephony.countries import countries_with_places
from telephony.models import CountryRule, NumberAssignment
from telephony.selectors.readiness import readiness_of
from telephony.services.assignments import assign_numbers, change_number, move_to_address
from telephony.services.disclaimers import accept_disclaimer
from tests.factories import (
    EmergencyAddressFactory,
    LicenseFactory,
    MemberFactory,
    NumberAreaFactory,
    PhoneNumberFactory,
    PlaceFactory,
    SeatFactory,
)
from tests.telephony.test_assignments import has

pytestmark = pytest.mark.django_db

MISSING = "rescuers need more than the street. Choose a place at “Redmond”"


@pytest.fixture(autouse=True)
def wanted_in_the_states(db):
    CountryRule.objects.filter(country="US").update(place_needed=True)


@pytest.fixture
def manager(client):
    member = MemberFactory(role=Member.Role.VOICE_MANAGER, organization__country="US")
    accept_disclaimer(actor=Actor.system(), organization=member.organization, country="US")
    client.force_login(member.user)
    return member


@pytest.fixture
def organization(manager):
    return manager.organization


@pytest.fixture
def seats(organization):
    return LicenseFactory(organization=organization, quantity=20)


@pytest.fixture
def site(organization):
    return EmergencyAddressFactory(organization=organization, name="Redmond", country="US")


@pytest.fixture
def lobby(site):
    return PlaceFactory(address=site, name="Lobby")


def somebody(seats, **facts):
    return SeatFactory(license=seats, member=MemberFactory(organization=seats.organization, **facts)).member


def free(organization, **facts):
    return PhoneNumberFactory(organization=organization, area=NumberAreaFactory(), **facts)


def given(seats, site, place=None, **facts):
    """Somebody who has a number, as before there was a rule."""
    member = somebody(seats, **facts)
    NumberAssignment.objects.create(
        organization=seats.organization,
        number=free(seats.organization),
        member=member,
        emergency_address=site,
        place=place,
        since="2026-01-01T00:00:00Z",
    )
    return member


def url(member, name, *args):
    return reverse(f"telephony:{name}", args=[member.organization.slug, *args])


def beside(page, field):
    """What is told next to a field."""
    found = re.search(rf'<div id="id_{field}_error">(.*?)</div>', page.content.decode(), re.DOTALL)
    return found and found[1]


def run(name, *arguments):
    out = io.StringIO()
    try:
        call_command(name, *arguments, "--json", stdout=out)
    except CommandError as refusal:
        return {}, str(refusal)
    return json.loads(out.getvalue()), ""


def facts(organization):
    return {"actor": Actor.system(), "organization": organization}


def test_the_us_wants_a_place_and_the_others_do_not():
    assert countries_with_places() == {"US"}


def test_nobody_gets_a_number_without_one(organization, seats, site, lobby):
    member, number = somebody(seats), free(organization, emergency_address=site)

    for address in (site, None):
        with pytest.raises(PlaceMissing):
            assign_numbers(**facts(organization), pairings=[Pairing(member, number, address)], key=uuid4())
    assign_numbers(**facts(organization), pairings=[Pairing(member, number, None, lobby)], key=uuid4())

    assert has(member) == (number.number, "Redmond", "Lobby")


def test_elsewhere_a_place_may_be_left_out(organization, seats):
    accept_disclaimer(**facts(organization), country="FR")
    paris = NumberAreaFactory(country="FR", region="Île-de-France", city="Paris")
    member, number = somebody(seats), PhoneNumberFactory(organization=organization, area=paris)
    pairing = Pairing(member, number, EmergencyAddressFactory(organization=organization, name="Siège"))

    assign_numbers(**facts(organization), pairings=[pairing], key=uuid4())

    assert has(member) == (number.number, "Siège", None)


def test_who_changes_their_number_keeps_the_place_or_chooses_one(organization, seats, site, lobby):
    placed, placeless = given(seats, site, lobby), given(seats, site)
    first, second = free(organization), free(organization)

    change_number(**facts(organization), pairing=Pairing(placed, first), key=uuid4())
    with pytest.raises(PlaceMissing):
        change_number(**facts(organization), pairing=Pairing(placeless, second), key=uuid4())

    assert has(placed) == (first.number, "Redmond", "Lobby")
    assert has(placeless)[0] != second.number


def test_nobody_is_moved_to_where_no_place_is_named(organization, seats, site, lobby):
    member = given(seats, site, lobby)
    other = EmergencyAddressFactory(organization=organization, name="Seattle", country="US")

    for address in (other, site):
        with pytest.raises(PlaceMissing):
            move_to_address(**facts(organization), member=member, address=address)

    assert has(member)[1:] == ("Redmond", "Lobby")


def test_the_page_tells_it_next_to_the_place(client, manager, seats, site, lobby):
    member, number = somebody(seats), free(manager.organization)
    sent = {"member": member.pk, "number": number.number, "emergency_address": site.pk, "key": uuid4()}

    refused = client.post(url(manager, "assign"), sent)
    assert refused.status_code == 422
    assert MISSING in beside(refused, "place")
    assert "Place <span" not in refused.content.decode()
    assert client.post(url(manager, "assign"), {**sent, "place": lobby.pk}).status_code == 302

    assert has(member) == (number.number, "Redmond", "Lobby")


def test_where_there_is_no_place_yet_it_is_told_next_to_the_address(client, manager, seats, site):
    member, number = somebody(seats), free(manager.organization)
    sent = {"member": member.pk, "number": number.number, "emergency_address": site.pk, "key": uuid4()}

    refused = client.post(url(manager, "assign"), sent)

    assert refused.status_code == 422
    assert MISSING in beside(refused, "emergency_address")
    assert has(member) is None


def test_of_several_each_has_a_place_their_own_or_that_of_everybody(client, manager, seats, site, lobby):
    people = [somebody(seats) for _ in range(3)]
    numbers = [free(manager.organization) for _ in people]
    roof = PlaceFactory(address=site, name="Roof")
    fields = {f"number_{one.pk}": number.number for one, number in zip(people, numbers, strict=True)}
    sent = {"member": [one.pk for one in people], **fields, "emergency_address": site.pk, "key": uuid4()}
    first = f"place_{people[0].pk}"

    refused = client.post(url(manager, "assign"), {**sent, first: roof.pk})
    assert refused.status_code == 422
    assert beside(refused, first) is None
    assert all(MISSING in beside(refused, f"place_{one.pk}") for one in people[1:])
    assert not NumberAssignment.objects.exists()
    assert client.post(url(manager, "assign"), {**sent, first: roof.pk, "place": lobby.pk}).status_code == 302

    assert [has(one)[2] for one in people] == ["Roof", "Lobby", "Lobby"]


def test_the_place_of_one_of_several_is_at_their_own_address(client, manager, seats, site, lobby):
    people = [somebody(seats) for _ in range(2)]
    other = EmergencyAddressFactory(organization=manager.organization, name="Seattle", country="US")
    fields = {f"number_{one.pk}": free(manager.organization).number for one in people}
    sent = {"member": [one.pk for one in people], **fields, "emergency_address": site.pk, "place": lobby.pk}
    own = {f"address_{people[1].pk}": other.pk, f"place_{people[1].pk}": lobby.pk}

    refused = client.post(url(manager, "assign"), {**sent, **own, "key": uuid4()})

    assert refused.status_code == 422
    assert "This place is at another address" in beside(refused, f"place_{people[1].pk}")


def test_the_pages_of_a_number_and_of_an_address_that_change_tell_it(client, manager, seats, site, lobby):
    member, number = given(seats, site), free(manager.organization)
    name = member.user.skype_name
    sent = {"number": number.number, "emergency_address": site.pk, "cooling_days": 0, "key": uuid4()}

    changed = client.post(url(manager, "member_number", name), sent)
    moved = client.post(url(manager, "member_where", name), {"emergency_address": site.pk})

    assert [changed.status_code, moved.status_code] == [422, 422]
    assert MISSING in beside(changed, "place")
    assert MISSING in beside(moved, "place")
    assert has(member)[2] is None


def test_an_address_without_places_is_told_where_somebody_moves(client, manager, seats, site):
    member = given(seats, site)

    moved = client.post(url(manager, "member_where", member.user.skype_name), {"emergency_address": site.pk})

    assert moved.status_code == 422
    assert MISSING in beside(moved, "emergency_address")


def test_a_file_tells_it_in_the_row_and_nobody_gets_a_number(organization, seats, site, lobby):
    first, second = somebody(seats, user__skype_name="ines.even"), somebody(seats, user__skype_name="ali.odd")
    for number in ("+14255550001", "+14255550002"):
        free(organization, number=number)
    rows = "ines.even,+14255550001,Redmond,Lobby\nali.odd,+14255550002,Redmond,\n"
    file = io.BytesIO(f"person,number,address,place\n{rows}".encode())

    read = check_assignments(organization, file)

    [wrong] = read.wrong
    [(field, text)] = wrong.problems
    assert (wrong.member, field) == (second, "place")
    assert MISSING in text
    assert read.new[0].member == first


def test_commands_refuse_it_also_on_trial(organization, seats, site, lobby):
    member = somebody(seats, user__skype_name="ines.even")
    number, other = free(organization), free(organization)
    words = ["--organization", organization.slug, "--member", "ines.even"]
    where = ["--emergency-address", "Redmond"]

    for trial in (["--dry-run"], []):
        _, refused = run("assign_number", *words, "--number", number.number, *where, *trial)
        assert MISSING in refused
    assert has(member) is None
    run("assign_number", *words, "--number", number.number, *where, "--place", "Lobby")
    for trial in (["--dry-run"], []):
        _, refused = run("set_emergency_address", *words, *where, *trial)
        assert MISSING in refused
        _, refused = run("change_number", *words, "--number", other.number, *where, *trial)
        assert MISSING in refused

    assert has(member) == (number.number, "Redmond", "Lobby")


def test_who_had_a_number_before_the_rule_is_not_ready(client, manager, organization, seats, site, lobby):
    given(seats, site, lobby)
    member = given(seats, site, user__first_name="Ines", user__last_name="Even")

    asked = readiness_of(organization, "no_place")
    assert [(one.member, one.reasons) for rows in asked.chunks() for one in asked.explain(rows)] == [
        (member, ["no_place"])
    ]
    page = client.get(url(manager, "readiness"), {"reason": "no_place"}).text
    assert "No place at the emergency address" in page
    assert url(manager, "member_where", member.user.skype_name) in page
    file = b"".join(client.get(url(manager, "readiness_export")).streaming_content).decode()
    assert "No place at the emergency address" in file
    told, _ = run("show_readiness", "--organization", organization.slug, "--reason", "no_place")
    assert [(row["member"], row["reasons"]) for row in told["rows"]] == [(member.user.skype_name, ["no_place"])]
    overview = client.get(reverse("reports:dashboard", args=[organization.slug])).text
    assert "1 person could not be found in an emergency" in overview


def test_the_rule_of_a_country_decides_who_is_ready(organization, seats, site):
    given(seats, site)
    assert readiness_of(organization).total.number == 1

    CountryRule.objects.filter(country="US").update(place_needed=False)

    assert readiness_of(organization).total.number == 0


def test_voice_users_tell_that_a_place_is_missing(client, manager, seats, site, lobby):
    placed, placeless = given(seats, site, lobby), given(seats, site)

    page = client.get(url(manager, "voice_user_list"), {"state": "missing"})
    phone = client.get(url(manager, "member_phone", placeless.user.skype_name))

    assert placeless.user.skype_name in page.text
    assert placed.user.skype_name not in page.text
    assert "No place</" in page.text
    assert "No place</" in phone.text
