"""What somebody with a number sees of it, and that they have read how emergency calls work."""

import csv
import io
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import InternalError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from members.access import Actor
from members.models import AuditEntry, Member
from members.personal_data import data_of_account, data_of_membership
from members.registry import HandOverPart, registry
from members.services.erasure import erase_member
from members.services.hand_over import hand_over
from telephony.assigning import Pairing
from telephony.assignment_errors import NotWhatWasRead, WithoutNumber
from telephony.models import CountryRule, EmergencyAcknowledgment, EmergencyAddress, NumberAssignment
from telephony.selectors.acknowledgments import acknowledged, standings_of
from telephony.services.acknowledgments import acknowledge_emergency_calls
from telephony.services.assignments import assign_numbers, change_number, move_to_address, unassign_numbers
from telephony.services.disclaimers import accept_disclaimer, publish_disclaimer
from telephony.services.places import change_place
from tests.factories import (
    EmergencyAddressFactory,
    LicenseFactory,
    MemberFactory,
    NumberAreaFactory,
    OrganizationFactory,
    PhoneNumberFactory,
    PlaceFactory,
    SeatFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system()


@pytest.fixture
def organization():
    organization = OrganizationFactory(name="Architectes", slug="architectes", country="FR")
    accept_disclaimer(actor=SYSTEM, organization=organization, country="FR")
    return organization


@pytest.fixture
def site(organization):
    return EmergencyAddressFactory(organization=organization, name="Siège")


@pytest.fixture
def place(organization, site):
    return PlaceFactory(organization=organization, address=site, name="3e étage", building="B2")


@pytest.fixture
def area():
    return NumberAreaFactory(country="FR", region="Île-de-France", city="Paris")


@pytest.fixture
def member(organization, site, place, area):
    """Somebody with a number."""
    member = MemberFactory(organization=organization, user__skype_name="ines.even")
    SeatFactory(license=LicenseFactory(organization=organization, quantity=5), member=member)
    give(member, site, area, place, number="+33140000001")
    return member


def give(member, site, area, place=None, **facts):
    number = PhoneNumberFactory(organization=member.organization, area=area, **facts)
    assign_numbers(
        actor=SYSTEM, organization=member.organization, pairings=[Pairing(member, number, site, place)], key=uuid4()
    )


def stamp_of(member):
    [standing] = standings_of(member.organization, [member])
    return standing.stamp


def read(member):
    user = Member.objects.get(pk=member.pk).user
    return acknowledge_emergency_calls(
        actor=Actor.of_person(user), organization=member.organization, stamp=stamp_of(member)
    )


def has_read(member):
    return acknowledged(member.organization, [member]) == {member.pk}


def test_the_page_tells_number_place_and_how_emergency_calls_work(client, member):
    client.force_login(member.user)

    page = client.get(reverse("my_phone:phone")).content.decode()

    for text in (
        "+33 1 40 00 00 01",
        "1 rue de Rivoli",
        "<bdi>3e étage</bdi>",
        "<bdi>B2</bdi>",
        "wherever the caller is at that moment",
        "I have read how emergency calls work",
    ):
        assert text in page
    assert [number for number in ("112", "15", "17", "18") if f'<strong class="phone">{number}</strong>' in page] == [
        "112",
        "15",
        "17",
        "18",
    ]


def test_in_french_the_country_s_text_is_french(client, member):
    member.user.language = "fr"
    member.user.save()
    client.force_login(member.user)

    assert "Un appel d’urgence peut échouer sans électricité" in client.get(reverse("my_phone:phone")).content.decode()


def test_who_has_no_number_is_told_so_and_sees_no_panel(client, organization):
    client.force_login(MemberFactory(organization=organization).user)

    assert "You have no phone number" in client.get(reverse("my_phone:phone")).content.decode()
    assert "Your phone number" not in client.get(reverse("me:home")).content.decode()


def test_the_panel_asks_until_it_is_read(client, member):
    client.force_login(member.user)
    assert "Read about emergency calls" in client.get(reverse("me:home")).content.decode()

    done = client.post(reverse("my_phone:acknowledge", args=["architectes"]), {"stamp": stamp_of(member)}, follow=True)

    assert "You have read this" in done.content.decode()
    panel = client.get(reverse("me:home")).content.decode()
    assert "+33 1 40 00 00 01" in panel
    assert "Read about emergency calls" not in panel


def test_it_is_noted_once_with_all_that_was_read(member):
    read(member)
    read(member)

    said = EmergencyAcknowledgment.objects.get()
    assignment = NumberAssignment.objects.get()
    assert (said.member, said.assignment, said.place) == (member, assignment, "3e étage, B2")
    assert said.version == assignment.emergency_address.current
    assert (said.disclaimer.country, said.disclaimer.version) == ("FR", 1)
    entry = AuditEntry.objects.get(action="emergency_calls.read")
    assert (entry.actor_member, entry.subject_member) == (member, member)
    assert entry.after == {"number": "+33140000001", "emergency_address": "Siège", "place": "3e étage, B2"}


def another_text(member, **things):
    rule = CountryRule.objects.get(country="FR")
    publish_disclaimer(actor=SYSTEM, country=rule.country, text_en="New", text_fr="Neuf", text_sv="Ny")


def another_address(member, **things):
    elsewhere = EmergencyAddressFactory(organization=member.organization, name="Atelier")
    move_to_address(actor=SYSTEM, organization=member.organization, member=member, address=elsewhere)


def no_place(member, site, **things):
    move_to_address(actor=SYSTEM, organization=member.organization, member=member, address=site)


def place_called_otherwise(member, place, **things):
    change_place(actor=SYSTEM, organization=member.organization, place=place, name="3e étage", building="B3")


def another_version(member, site, **things):
    version = site.current
    version.pk, version.number = None, 2
    version._state.adding = True
    version.save()
    EmergencyAddress.objects.filter(pk=site.pk).update(current=version)


def another_number(member, area, **things):
    number = PhoneNumberFactory(organization=member.organization, area=area)
    change_number(actor=SYSTEM, organization=member.organization, pairing=Pairing(member, number), key=uuid4())


def another_person(member, **things):
    boss = MemberFactory(organization=member.organization, role=Member.Role.ADMINISTRATOR)
    hand_over(
        actor=Actor.of_member(boss),
        organization=member.organization,
        member=member,
        email="lena@people.example",
        first_name="Lena",
        last_name="Lind",
        key=uuid4(),
    )


@pytest.mark.parametrize(
    "change",
    [
        another_text,
        another_address,
        no_place,
        place_called_otherwise,
        another_version,
        another_number,
        another_person,
    ],
)
def test_it_is_asked_again_when_what_was_read_changes(member, site, place, area, change):
    read(member)
    assert has_read(member)

    change(member, site=site, place=place, area=area)
    assert not has_read(member)

    Member.objects.filter(pk=member.pk).update(state=Member.State.ACTIVE, joined_at=timezone.now())
    read(member)
    assert has_read(member)


@pytest.mark.parametrize("change", [another_text, another_address, place_called_otherwise])
def test_what_changed_while_it_was_read_is_to_be_read_again(client, member, site, place, area, change):
    stamp = stamp_of(member)
    change(member, site=site, place=place, area=area)

    with pytest.raises(NotWhatWasRead):
        acknowledge_emergency_calls(actor=Actor.of_person(member.user), organization=member.organization, stamp=stamp)

    client.force_login(member.user)
    page = client.post(reverse("my_phone:acknowledge", args=["architectes"]), {"stamp": stamp}, follow=True)
    assert "has changed in the meantime" in page.content.decode()
    assert not has_read(member)


def test_nobody_says_it_for_somebody_else(client, member):
    stamp = stamp_of(member)
    boss = MemberFactory(organization=member.organization, role=Member.Role.ADMINISTRATOR)
    stranger = MemberFactory()
    with pytest.raises(WithoutNumber):
        acknowledge_emergency_calls(actor=Actor.of_member(boss), organization=member.organization, stamp=stamp)
    for actor in (SYSTEM, Actor.of_person(stranger.user)):
        with pytest.raises(PermissionDenied):
            acknowledge_emergency_calls(actor=actor, organization=member.organization, stamp=stamp)

    client.force_login(stranger.user)
    answers = [
        client.post(reverse("my_phone:acknowledge", args=[slug]), {"stamp": stamp}) for slug in ("architectes", "none")
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert not EmergencyAcknowledgment.objects.exists()


def test_nothing_of_it_is_changed_or_deleted(member):
    read(member)

    for change in (lambda rows: rows.update(place=""), lambda rows: rows.delete()):
        with pytest.raises((InternalError, ProgrammingError)), transaction.atomic():
            change(EmergencyAcknowledgment.objects.all())


def test_personal_pages_cost_one_query_more(client, member):
    client.force_login(member.user)
    with CaptureQueriesContext(connection) as home:
        client.get(reverse("me:home"))
    of_numbers = [entry for entry in home.captured_queries if "telephony_numberassignment" in entry["sql"]]
    assert len(of_numbers) == 1

    with CaptureQueriesContext(connection) as page:
        client.get(reverse("my_phone:phone"))
    assert len([entry for entry in page.captured_queries if "telephony_" in entry["sql"]]) == 3


def test_administrators_see_who_has_read_it(client, member):
    boss = MemberFactory(organization=member.organization, role=Member.Role.ADMINISTRATOR)
    client.force_login(boss.user)
    page = reverse("telephony:number_detail", args=["architectes", "33140000001"])

    def in_file():
        export = client.get(reverse("telephony:number_export", args=["architectes"]))
        text = b"".join(export.streaming_content).decode("utf-8-sig")
        [row] = csv.DictReader(io.StringIO(text))
        return row["Has read about emergency calls"]

    assert "Has not read yet how they work" in client.get(page).content.decode()
    assert in_file() == "No"
    read(member)
    assert "Read how they work on" in client.get(page).content.decode()
    assert in_file() == "Yes"


def test_of_many_it_is_one_query(organization, member, django_assert_num_queries):
    others = MemberFactory.create_batch(3, organization=organization)
    read(member)

    with django_assert_num_queries(1):
        assert acknowledged(organization, [member, *others]) == {member.pk}
    assert acknowledged(OrganizationFactory(), [member]) == set()


def test_the_number_goes_over_with_the_account_and_is_to_be_read_again(member):
    [part] = [part for part in registry.all(HandOverPart) if part.key == "phone"]

    assert [(str(name), value) for name, value in part.list(member)] == [
        ("Phone number", "+33 1 40 00 00 01"),
        ("Emergency address", "Siège, 3e étage, B2: to be confirmed again"),
        ("Licenses", "Phone System (Cloud PBX)"),
    ]


def test_it_stands_in_what_my_company_sees_of_me(client, member):
    client.force_login(member.user)
    text = "whether you have read how emergency calls work"
    assert text in client.get(reverse("me:seen", args=["architectes"])).content.decode()

    guest = MemberFactory(organization=member.organization, user=UserFactory())
    client.force_login(guest.user)
    assert text not in client.get(reverse("me:seen", args=["architectes"])).content.decode()


def test_it_stands_in_the_file_of_my_data_of_each_person_their_own(member, site, area):
    read(member)
    unassign_numbers(actor=SYSTEM, organization=member.organization, members=[member])
    give(member, site, area, number="+33140000002")
    another_person(member)
    member = Member.objects.with_people().select_related("organization").get(pk=member.pk)

    [present] = data_of_account(member.user)["memberships"]
    before = data_of_membership(member, member.predecessors[0])

    assert [one["number"] for one in present["phone"]["numbers"]] == ["+33140000002"]
    assert present["phone"]["emergency_calls_read"] == []
    assert [(one["number"], one["place"]) for one in before["phone"]["numbers"]] == [
        ("+33140000001", "3e étage"),
        ("+33140000002", None),
    ]
    assert all(one["until"] for one in before["phone"]["numbers"])
    assert [one["emergency_address"] for one in before["phone"]["emergency_calls_read"]] == ["Siège"]


def test_of_somebody_erased_the_number_remembers_no_name(client, member):
    read(member)
    unassign_numbers(actor=SYSTEM, organization=member.organization, members=[member])
    Member.objects.filter(pk=member.pk).update(state=Member.State.LEFT)
    erase_member(actor=SYSTEM, organization=member.organization, member=member)
    boss = MemberFactory(organization=member.organization, role=Member.Role.ADMINISTRATOR)
    client.force_login(boss.user)

    page = client.get(reverse("telephony:number_detail", args=["architectes", "33140000001"])).content.decode()

    assert f"erased-{member.user_id}" in page
    assert "ines.even" not in page
