"""Numbers for many people from a CSV file: all of them, or nobody."""

import csv
import io
import json
import re
from io import BytesIO
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from members.access import Actor
from members.models import Letter, Member
from telephony.assignment_file import Outcome, check_assignments
from telephony.models import EmergencyAddress, NumberAssignment
from telephony.services.assignments import assign_numbers
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
    organization = OrganizationFactory(name="Architectes", slug="architectes", country="FR")
    accept_disclaimer(actor=Actor.system(), organization=organization, country="FR")
    return organization


@pytest.fixture
def paris():
    return NumberAreaFactory(country="FR", region="Île-de-France", city="Paris")


@pytest.fixture
def site(organization):
    return EmergencyAddressFactory(organization=organization, name="Siège")


@pytest.fixture
def seats(organization):
    return LicenseFactory(organization=organization, quantity=2_000)


def somebody(seats, name):
    member = MemberFactory(organization=seats.organization, user__skype_name=name)
    return SeatFactory(license=seats, member=member).member


def number_of(organization, area, number, **facts):
    return PhoneNumberFactory(organization=organization, area=area, number=number, **facts)


def check(organization, text):
    return check_assignments(organization, BytesIO(text.encode()))


def problems(read):
    return [(row.line, field, text) for row in read.rows for field, text in row.problems]


def holders():
    return dict(NumberAssignment.objects.filter(until=None).values_list("number__number", "member__user__skype_name"))


@pytest.fixture
def three(organization, paris, site, seats):
    """Three people and three numbers, the third of which comes with the address."""
    PlaceFactory(organization=organization, address=site, name="3e étage")
    for place, name in enumerate(["ines.even", "lena.lind", "omar.odd"], start=1):
        somebody(seats, name)
        number_of(organization, paris, f"+3314000000{place}", **({"emergency_address": site} if place == 3 else {}))


FILE = """Pseudo Skype;Numéro de téléphone;Adresse d’urgence;Emplacement;Notes
ines.even;+33 1 40 00 00 01;siège;3E ÉTAGE;x
LENA.LIND;01 40 00 00 02;Siège;;
omar.odd;33140000003;;;
"""


def test_a_file_says_who_is_found_where_in_any_usual_form(organization, three):
    read = check(organization, FILE)

    assert problems(read) == []
    assert [(row.outcome, row.number.number, row.found_at.name) for row in read.rows] == [
        (Outcome.NEW, f"+3314000000{place}", "Siège") for place in (1, 2, 3)
    ]
    assert [row.place and row.place.name for row in read.rows] == ["3e étage", None, None]
    assert read.ignored == ["Notes"]
    assert holders() == {}


def test_every_problem_of_every_row_is_told_at_once(organization, three, seats, site, paris):
    MemberFactory(organization=organization, user__skype_name="without.seat")
    holder = somebody(seats, "has.one")
    taken = number_of(organization, paris, "+33140000004", emergency_address=site)
    assign_numbers(
        actor=Actor.system(),
        organization=organization,
        pairings=check(organization, "person,number\nhas.one,+33140000004\n").pairings,
        key=uuid4(),
    )
    assert (holder.pk, taken.number) in NumberAssignment.objects.values_list("member", "number__number")

    read = check(
        organization,
        "person,number,address,place\n"
        "nobody,+33140000009,Nowhere,\n"
        ",twelve,,\n"
        "without.seat,+33140000004,,\n"
        "has.one,+33140000001,,\n"
        "ines.even,+33140000003,,Roof\n"
        "ines.even,+33140000003,,\n",
    )

    assert problems(read) == [
        (1, "person", "There is no member nobody."),
        (1, "number", "Your organization has no number +33140000009."),
        (1, "emergency_address", "There is no emergency address “Nowhere”."),
        (2, "person", "Nobody is named: write an e-mail address or a Skype Name."),
        (2, "number", "“twelve” is not a phone number. Write it as +33 1 99 00 45 10."),
        (
            3,
            "person",
            f"{read.rows[2].member.user.display_name} has no Phone System. Assign a license first, then a number.",
        ),
        (3, "number", f"+33 1 40 00 00 04 is already assigned to {holder.user.display_name}."),
        (
            4,
            "person",
            f"{holder.user.display_name} already has +33 1 40 00 00 04. Change the number, or take it back first.",
        ),
        (4, "emergency_address", "+33 1 40 00 00 01 has no emergency address. Choose the one where it will be used."),
        (5, "place", "There is no place “Roof” at that emergency address."),
        (6, "person", "The same person as in row 5."),
        (6, "number", "The same number as in row 5."),
    ]


def test_numbers_of_others_and_of_nobody_are_told_alike(organization, three, paris):
    other = OrganizationFactory()
    number_of(other, paris, "+33140000008")
    EmergencyAddressFactory(organization=other, name="Theirs")
    somebody(LicenseFactory(organization=other), "not.ours")

    theirs = problems(check(organization, "person,number,address\nnot.ours,+33140000008,Theirs\n"))
    nobodys = problems(check(organization, "person,number,address\nno.one,+33140000009,Nowhere\n"))

    told = json.dumps(theirs).replace("not.ours", "no.one").replace("08", "09").replace("Theirs", "Nowhere")
    assert told == json.dumps(nobodys)
    assert len(theirs) == 3


def test_what_a_country_asks_to_be_accepted_is_told_with_each_row(organization, three, seats):
    american = EmergencyAddressFactory(organization=organization, name="Redmond", country="US")
    number_of(organization, NumberAreaFactory(country="US", city="Redmond"), "+14255550100", emergency_address=american)

    assert problems(check(organization, "person,number\nines.even,+14255550100\n")) == [
        (1, "emergency_address", "Accept first what using numbers and emergency addresses of United States means.")
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a,b\n1,2\n", "Call them person and number."),
        ("person,number,phone\nx,1,2\n", "Two columns are called “phone”"),
        ("person,number\n", "no rows"),
    ],
)
def test_a_file_that_says_nothing_is_refused_in_words(organization, client, three, administrator, text, told):
    page = upload(client, organization, text)

    assert page.status_code == 422
    assert told in page.content.decode()


@pytest.mark.parametrize("language", ["en", "fr", "sv"])
def test_the_empty_file_is_understood_when_it_is_filled_in(organization, client, administrator, three, language):
    administrator.user.language = language
    administrator.user.save()
    page = client.get(reverse("telephony:assign_template", args=[organization.slug]))
    header = b"".join(page.streaming_content).decode("utf-8-sig").strip()

    cells = next(csv.reader(io.StringIO(header), delimiter=";" if ";" in header else ","))
    assert len(cells) == 4
    with translation.override(language):
        read = check(
            organization, f"{header}\nines.even,+33140000001,Siège,3e étage\n".replace(",", ";").replace('"', "")
        )
    assert problems(read) == []
    assert (read.rows[0].place.name, read.ignored) == ("3e étage", [])


@pytest.fixture
def administrator(organization, client):
    member = MemberFactory(organization=organization, role=Member.Role.ADMINISTRATOR)
    client.force_login(member.user)
    return member


def upload(client, organization, text):
    file = SimpleUploadedFile("numbers.csv", text.encode())
    return client.post(reverse("telephony:assign_file", args=[organization.slug]), {"file": file})


def test_a_file_is_read_in_the_encoding_that_somebody_chose(organization, client, administrator, three, site):
    """Its bytes could as well be letters of another alphabet, and nothing in the file says which."""
    EmergencyAddress.objects.filter(pk=site.pk).update(name="Škoda", name_key="škoda")
    content = "person,number,emergency address\nines.even,+33140000001,Škoda\n".encode("iso8859-15")
    url = reverse("telephony:assign_file", args=[organization.slug])

    guessed = client.post(url, {"file": SimpleUploadedFile("numbers.csv", content)})
    chosen = client.post(url, {"file": SimpleUploadedFile("numbers.csv", content), "encoding": "iso8859-15"})

    assert "Read as ISO-8859-2" in guessed.text
    assert "Assign 1 number" not in guessed.text
    assert "Assign 1 number" in chosen.text
    assert client.post(url, {"file": SimpleUploadedFile("numbers.csv", content), "encoding": "x"}).status_code == 422


def token_of(page):
    return re.search(r'name="token" value="([^"]+)"', page.content.decode())[1]


def save(client, organization, token, **more):
    url = reverse("telephony:assign_file_save", args=[organization.slug])
    return client.post(url, {"token": token, **more}, follow=True)


def test_it_is_shown_and_then_all_get_theirs_with_a_letter(organization, client, administrator, three):
    page = upload(client, organization, FILE)
    assert "Assign 3 numbers" in page.content.decode()
    assert holders() == {}

    done = save(client, organization, token_of(page), notify="1")

    assert "3 people have a number now." in done.content.decode()
    assert holders() == {
        "+33140000001": "ines.even",
        "+33140000002": "lena.lind",
        "+33140000003": "omar.odd",
    }
    assert Letter.objects.filter(kind="number_assigned").count() == 3


def test_a_second_click_and_a_second_upload_do_nothing(organization, client, administrator, three):
    token = token_of(upload(client, organization, FILE))
    save(client, organization, token)
    again = save(client, organization, token)
    page = upload(client, organization, FILE)

    assert "3 people have a number now." in again.content.decode()
    assert "Everybody in this file has their number already." in page.content.decode()
    assert 'name="token"' not in page.content.decode()
    assert NumberAssignment.objects.count() == 3
    assert not Letter.objects.filter(kind="number_assigned").exists()


def test_two_who_take_the_same_file_in_at_once_give_it_once(organization, client, administrator, three):
    tokens = [token_of(upload(client, organization, FILE)) for _person in range(2)]
    save(client, organization, tokens[0])

    refused = save(client, organization, tokens[1])

    assert "already has" in refused.content.decode()
    assert NumberAssignment.objects.count() == 3


def test_nobody_gets_a_number_when_one_was_taken_meanwhile(organization, client, administrator, three):
    token = token_of(upload(client, organization, FILE))
    single = check(organization, "person,number\nines.even,+33140000003\n").pairings
    assign_numbers(actor=Actor.system(), organization=organization, pairings=single, key=uuid4())

    refused = save(client, organization, token)

    assert "already has" in refused.content.decode()
    assert holders() == {"+33140000003": "ines.even"}


def test_a_row_that_is_wrong_keeps_everybody_out(organization, client, administrator, three):
    page = upload(client, organization, FILE + "nobody;+33140000009;;;\n")

    assert "There is no member nobody." in page.content.decode()
    assert 'save/"' not in page.content.decode()
    corrections = client.post(
        reverse("telephony:assign_corrections", args=[organization.slug]), {"token": token_of(page)}
    )
    written = b"".join(corrections.streaming_content).decode("utf-8-sig")
    assert "There is no member nobody." in written
    read = check(organization, written)
    assert [row.outcome for row in read.rows] == [Outcome.NEW] * 3 + [Outcome.WRONG]
    assert read.ignored == ["What is wrong"]


@pytest.mark.parametrize("token", ["", "x", "made:up:token"])
def test_what_was_never_shown_is_not_given(organization, client, administrator, three, token):
    for name in ("assign_file_save", "assign_corrections"):
        page = client.post(reverse(f"telephony:{name}", args=[organization.slug]), {"token": token}, follow=True)
        assert "take the file in again" in page.content.decode()
    assert holders() == {}


def test_what_was_shown_to_one_organization_is_nothing_in_another(organization, client, administrator, three):
    token = token_of(upload(client, organization, FILE))
    other = MemberFactory(role=Member.Role.ADMINISTRATOR)
    LicenseFactory(organization=other.organization)
    client.force_login(other.user)

    page = save(client, other.organization, token)

    assert "take the file in again" in page.content.decode()
    assert holders() == {}


def test_a_file_that_one_organization_took_in_is_given_to_no_other(organization, client, administrator, three):
    token = token_of(upload(client, organization, FILE + "nobody;+33140000009;;;\n"))
    other = MemberFactory(role=Member.Role.ADMINISTRATOR)
    LicenseFactory(organization=other.organization)
    client.force_login(other.user)

    url = reverse("telephony:assign_corrections", args=[other.organization.slug])
    page = client.post(url, {"token": token}, follow=True)

    assert "take the file in again" in page.content.decode()
    assert "ines.even" not in page.content.decode()


def test_an_address_that_is_gone_is_told(organization, client, administrator, three, site):
    token = token_of(upload(client, organization, "person,number,address\nines.even,+33140000001,Siège\n"))
    EmergencyAddress.objects.filter(pk=site.pk).update(retired_at=site.created_at)

    page = save(client, organization, token)

    assert "take the file in again" in page.content.decode()
    assert holders() == {}


def run(text, tmp_path, *options):
    path, out = tmp_path / "numbers.csv", io.StringIO()
    path.write_text(text)
    try:
        call_command("assign_numbers", str(path), *options, "--json", stdout=out)
    except CommandError as refusal:
        return json.loads(out.getvalue()), str(refusal)
    return json.loads(out.getvalue()), ""


def test_the_command_does_the_same(organization, three, tmp_path):
    told, _ = run(FILE, tmp_path, "--dry-run")
    assert (told["assigned"], told["would_assign"], holders()) == (0, 3, {})

    told, _ = run(FILE, tmp_path, "--no-notify")
    assert (told["rows"], told["assigned"], told["skipped"]) == (3, 3, 0)
    assert told["assignments"][0] == {
        "row": 1,
        "member": "ines.even",
        "number": "+33140000001",
        "emergency_address": "Siège",
        "place": "3e étage",
    }
    assert not Letter.objects.filter(kind="number_assigned").exists()

    told, _ = run(FILE, tmp_path)
    assert (told["assigned"], told["skipped"]) == (0, 3)
    assert NumberAssignment.objects.count() == 3


def test_the_command_refuses_a_file_with_a_wrong_row(organization, three, tmp_path):
    told, refused = run(FILE + "nobody;+33140000009;;;\n", tmp_path)

    assert "Row 4, person: There is no member nobody." in refused
    assert (told["assigned"], len(told["errors"]), holders()) == (0, 2, {})


def test_a_thousand_people_take_few_queries_and_one_transaction(organization, paris, site, seats):
    """The acceptance line: under 20 queries per hundred rows, one transaction, one letter each."""
    sites = [EmergencyAddressFactory(organization=organization) for _site in range(200)]
    lines = ["person,number,emergency address"]
    for row in range(1_000):
        member = somebody(seats, f"person.{row:04}")
        number_of(organization, paris, f"+331400{row:05}")
        lines.append(f"{member.user.skype_name},+331400{row:05},{sites[row % 200].name}")
    text = "\n".join(lines)

    with CaptureQueriesContext(
        connection,
    ) as preview:
        read = check(organization, text)
    assert problems(read) == []
    with CaptureQueriesContext(connection) as apply:
        assign_numbers(actor=Actor.system(), organization=organization, pairings=read.pairings, key=uuid4())

    assert len(preview) + len(apply) < 200
    assert len(preview) < 20
    assert len(apply) < 40
    assert len(holders()) == 1_000
    assert Letter.objects.filter(kind="number_assigned").count() == 1_000
