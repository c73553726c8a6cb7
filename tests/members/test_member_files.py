"""The list as a file: it is taken in again as it is, and changes nobody."""

import csv
import io
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone, translation

from members.access import Actor
from members.directory import FIELDS, open_directory
from members.models import Batch, BatchRow, Member
from members.row_texts import sentence
from members.services.erasure import erase_member
from skypemgr.csv_files import restore
from tests.factories import DepartmentFactory, InvitationFactory, MemberFactory, OrganizationFactory
from tests.workbooks import cells_of

Role, State = Member.Role, Member.State
LANGUAGES = ["en", "fr", "sv"]
LANGUAGE_NAMES = {"": "", "en": "English", "fr": "Français", "sv": "Svenska"}
NAMES = [
    ('=HYPERLINK("http://x","y")', "Berg"),
    ("+Plus", "-Minus"),
    ("@cmd", "'=quoted"),
    ("Anna, Maria", 'dit "Le Grand"'),
    ("Åsa\u00a0Öst", "Ærø; Groß | Co"),
    ("", ""),
    ("李", "小龍"),
    ("مريم", "O’Neil"),
]


@pytest.fixture
def organization(db):
    return OrganizationFactory(slug="acme", name="Acme")


@pytest.fixture
def boss(organization, client):
    boss = MemberFactory(organization=organization, admin=True)
    client.force_login(boss.user)
    return boss


@pytest.fixture
def people(organization, boss):
    """Everybody there can be in an organization: in nested departments, of every kind, state and odd name."""
    north = DepartmentFactory(organization=organization, name="=Nord, “Est” & Co")
    oslo = DepartmentFactory(organization=organization, name="-Studio; Oslo", parent=north)
    found = [boss]
    for number, (first, last) in enumerate(NAMES):
        found.append(
            MemberFactory(
                organization=organization,
                department=(north, oslo, None)[number % 3],
                user__first_name=first,
                user__last_name=last,
                user__language=("sv", "fr", "en", "")[number % 4],
                job_title=last,
            )
        )
    found.append(MemberFactory(organization=organization, personal=True, department=oslo, user__language="sv"))
    found.append(InvitationFactory(member__organization=organization).member)
    found.append(MemberFactory(organization=organization, state=State.BLOCKED, email="UPPER.Case+tag@people.example"))
    found.append(MemberFactory(organization=organization, email="o'neil@xn--bcher-kva.example"))
    return found


def url(name, query=""):
    return reverse(f"members:{name}", args=["acme"]) + query


def read(client, query=""):
    return client.get(url("member_export", query)).getvalue()


def speak(boss, language):
    boss.user.language = language
    boss.user.save()


def take_in(client, content):
    """Upload a file; gives the import as it is reviewed."""
    file = SimpleUploadedFile("people.csv", content, content_type="text/csv")
    response = client.post(url("import_add"), {"addresses": "", "file": file, "key": str(uuid4())})
    assert response.status_code == 302, response.text
    return Batch.objects.latest("pk")


def path_of(member):
    return member.department.path if member.department else ""


def reasons(batch):
    return {entry["code"] for row in batch.rows.all() for entry in row.notes}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_file_is_taken_in_again_and_changes_nobody(client, boss, people, language):
    speak(boss, language)

    batch = take_in(client, read(client))

    assert batch.rows.count() == len(people)
    assert set(batch.rows.values_list("outcome", flat=True)) == {BatchRow.Outcome.SKIPPED}
    assert reasons(batch) == {"already_member"}
    assert "Nothing will be done" in sentence({"code": "already_member", "facts": {}})


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_value_of_the_file_is_read_as_it_was(client, boss, people, language):
    speak(boss, language)

    directory = open_directory(io.BytesIO(read(client)))
    rows = {row.values["skype_name"]: row.values for row in directory.rows()}

    for person in people:
        assert rows[person.user.skype_name] == {
            "skype_name": person.user.skype_name,
            "email": person.email,
            "first_name": person.user.first_name.strip(),
            "last_name": person.user.last_name,
            "job_title": person.job_title,
            "department": path_of(person),
            "language": LANGUAGE_NAMES[person.user.language] if person.user.kind == "business" else "",
        }


@pytest.mark.parametrize("language", LANGUAGES)
def test_other_columns_are_reported_as_ignored(client, boss, language):
    speak(boss, language)

    facts = open_directory(io.BytesIO(read(client))).facts.as_json()

    with translation.override(language):
        others = ["Role", "Kind", "State", "Joined", "Balance", "Auto-recharge", "Licenses", "Phone number"]
        assert [column["name"] for column in facts["ignored"]] == [translation.gettext(name) for name in others]
    assert set(facts["columns"]) == set(FIELDS)


def test_the_file_makes_the_same_people_in_another_company(client, boss, people):
    content = read(client)
    other = MemberFactory(organization__slug="other", admin=True)
    client.force_login(other.user)
    file = SimpleUploadedFile("people.csv", content, content_type="text/csv")
    client.post(reverse("members:import_add", args=["other"]), {"addresses": "", "file": file, "key": str(uuid4())})
    batch = Batch.objects.latest("pk")
    client.post(reverse("members:import_create", args=["other", batch.pk]))

    made = {member.email: member for member in Member.objects.of(other.organization).with_people()}
    for person in people:
        twin = made[person.email]
        assert (twin.department.path if twin.department else "") == (
            person.department.path if person.department else ""
        )
        assert twin.job_title == person.job_title
        assert twin.user.language == (person.user.language if person.user.kind == "business" else "")
    assert made[people[1].email].user.first_name == NAMES[0][0]


def test_who_has_left_is_not_made_anew_by_the_file(client, organization, boss):
    gone = MemberFactory(organization=organization, state=State.LEFT, personal=True)
    forgotten = MemberFactory(organization=organization, state=State.LEFT)
    erase_member(actor=Actor.of_member(boss), organization=organization, member=forgotten)

    batch = take_in(client, read(client, "?state=left"))

    assert batch.rows.count() == 2
    assert set(batch.rows.values_list("outcome", flat=True)) == {BatchRow.Outcome.SKIPPED}
    assert reasons(batch) == {"has_left"}
    assert gone.user.skype_name in {row.data["skype_name"] for row in batch.rows.all()}


def test_who_has_left_is_made_anew_without_the_skype_name_or_at_another_address(client, organization, boss):
    gone = MemberFactory(organization=organization, state=State.LEFT)
    lines = ["E-mail,Skype Name", f"{gone.email},", f"new@people.example,{gone.user.skype_name}"]

    batch = take_in(client, "\n".join(lines).encode())

    assert list(batch.rows.values_list("outcome", flat=True)) == [BatchRow.Outcome.READY] * 2


def test_who_left_another_company_is_nobody_here(client, organization, boss):
    gone = MemberFactory(state=State.LEFT)

    batch = take_in(client, f"E-mail,Skype Name\n{gone.email},{gone.user.skype_name}\n".encode())

    assert [row.outcome for row in batch.rows.all()] == [BatchRow.Outcome.READY]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_workbook_holds_what_the_csv_file_holds(client, boss, people, language):
    speak(boss, language)

    response = client.get(url("member_workbook", "?sort=newest"))
    header, *rows = cells_of(response.getvalue())
    expected_header, *expected = csv.reader(io.StringIO(read(client, "?sort=newest").decode("utf-8-sig")))

    assert response["Content-Type"] == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert response["Content-Disposition"] == 'attachment; filename="acme-members.xlsx"'
    assert header == expected_header
    today = timezone.localdate(timezone=timezone.zoneinfo.ZoneInfo("Europe/Paris"))
    for row, line in zip(rows, expected, strict=True):
        assert row[0] == line[0]
        # A formula has an apostrophe in a CSV file alone: the cell of a workbook is text by itself.
        assert [cell or "" for cell in row[1:5]] == [restore(cell) for cell in line[1:5]]
        assert row[8] in (None, today)


def test_a_workbook_that_is_uploaded_is_refused_with_what_to_do(client, boss):
    content = client.get(url("member_workbook")).getvalue()
    file = SimpleUploadedFile("people.xlsx", content)

    response = client.post(url("import_add"), {"addresses": "", "file": file, "key": str(uuid4())})

    assert response.status_code == 422
    assert "CSV" in response.text


# Of those who were chosen


def test_a_file_of_who_was_ticked_holds_them_alone(client, organization, boss):
    ann, bo, _cleo = (MemberFactory(organization=organization, user__first_name=name) for name in ("Ann", "Bo", "Cleo"))
    stranger = MemberFactory()
    query = f"?member={bo.pk}&member={ann.pk}&member={stranger.pk}"

    page = client.get(url("members_export", query))
    assert "2 people" in page.text
    assert f'<input type="hidden" name="member" value="{ann.pk}">' in page.text
    _header, *rows = csv.reader(io.StringIO(read(client, query).decode("utf-8-sig")))

    assert [row[1] for row in rows] == ["Ann", "Bo"]


def test_a_file_of_all_who_match_holds_them_all(client, organization, boss):
    MemberFactory.create_batch(60, organization=organization, role=Role.VOICE_MANAGER)
    MemberFactory.create_batch(3, organization=organization)

    page = client.get(url("members_export", "?all=1&role=voice_manager"))
    assert "60 people" in page.text
    query = "?" + "&".join(f"{key}={value}" for key, value in page.context["chosen"].fields)

    assert len(read(client, query).decode().splitlines()) == 61


def test_nonsense_for_a_tick_is_nobody_and_not_everybody(client, organization, boss):
    MemberFactory.create_batch(3, organization=organization)

    assert len(read(client, "?member=x").decode().splitlines()) == 1
    assert "Nobody was chosen" in client.get(url("members_export", "?member=x"), follow=True).text
