"""What was accepted is text wherever it is shown: pages, letters, files, the log."""

import csv
import io
from email.message import EmailMessage

import pytest
from django.http import HttpResponse
from django.utils.html import escape

from members.gateways.mail import render_letter
from members.letter_texts import compose
from members.models import Letter, Member, Organization, User
from members.newcomers import sorting_of
from members.templatetags.letter_names import as_name
from skypemgr.csv_files import defuse, restore
from tests.factories import DepartmentFactory, MemberFactory
from tests.inputs.corpus import inputs
from tests.inputs.doors import World, post

STORED = [one.expected.stored for one in inputs("name") if one.expected.stored]
MARKUP = [text for text in STORED if "<" in text or "&" in text or '"' in text]
FORMULAS = [text for text in STORED if defuse(text) != text]


@pytest.fixture
def world(db: None) -> World:
    return World.make()


def page(world: World, rest: str) -> str:
    response = world.client.get(world.url(rest))
    assert response.status_code == 200
    return response.content.decode()


def cells(response: HttpResponse) -> list[list[str]]:
    content = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.reader(io.StringIO(content, newline="")))


def formulas(written: set[str]) -> set[str]:
    """The cells a spreadsheet would run: an apostrophe in front makes a text of them."""
    return {cell for cell in written if defuse(cell) != cell and not cell.startswith("'")}


def shown_as_text(text: str, html: str) -> bool:
    return str(escape(text)) in html and ("<" not in text or text not in html)


@pytest.fixture
def crowd(world: World) -> list[Member]:
    people = []
    for text in STORED:
        member = MemberFactory(organization=world.organization, user__first_name="", user__last_name=text)
        people.append(member)
    return people


def test_names_are_text_on_the_list_and_on_the_page_of_each(world: World, crowd: list[Member]) -> None:
    wrong, seen = [], ""
    url: str | None = "members/"
    while url:
        response = world.client.get(world.url(url))
        seen += response.content.decode()
        following = response.context["page"].next_url
        url = f"members/{following}" if following else None
    wrong += [text for text in STORED if not shown_as_text(text, seen)]
    for member in crowd:
        if member.user.last_name in MARKUP:
            html = page(world, f"members/@{member.user.skype_name}/")
            if not shown_as_text(member.user.last_name, html):
                wrong.append(member.user.last_name)
    assert not wrong


def test_an_export_holds_no_formula_and_comes_back_as_it_was(world: World, crowd: list[Member]) -> None:
    rows = cells(world.client.get(world.url("members/export.csv")))
    written = {row[2] for row in rows[1:]}

    assert FORMULAS
    assert not formulas(written)
    assert {restore(cell) for cell in written} >= set(STORED)


def test_names_are_text_in_letters(world: World) -> None:
    wrong = []
    letter = Letter(
        organization=world.organization,
        kind=Letter.Kind.INVITATION,
        user=world.invited.user,
        member=world.invited,
        invitation=world.invited.invitations.get(),
        email=world.invited.email,
    )
    for text in STORED:
        User.objects.filter(pk=world.invited.user_id).update(first_name=text, last_name="")
        Organization.objects.filter(pk=world.organization.pk).update(name=text)
        letter.organization.refresh_from_db()
        letter.member = Member.objects.select_related("user", "department").get(pk=world.invited.pk)
        letter.user = letter.member.user
        letter.invitation.organization.refresh_from_db()
        composed = compose(letter)
        assert composed is not None
        made = render_letter(
            template="invitation", context=composed.context, address=letter.email, message_id=letter.message_id
        )
        message = made.message()
        assert isinstance(message, EmailMessage)
        html, named = str(made.alternatives[0].content), str(as_name(text))
        if str(escape(named)) not in html or ("<" in text and text in html):
            wrong.append(f"HTML: {text!a}")
        if named not in made.body:
            wrong.append(f"text: {text!a}")
        if " ".join(named.split()) not in made.subject or "\n" in made.subject or "\r" in made.subject:
            wrong.append(f"subject: {text!a}")
        headers = message.as_bytes().partition(b"\n\n")[0].decode("ascii")
        if "Bcc" in message or sum(line.startswith("To:") for line in headers.split("\n")) != 1:
            wrong.append(f"headers: {text!a}")
    assert not wrong


def test_names_are_text_in_the_log_and_its_export(world: World) -> None:
    for text in MARKUP + FORMULAS:
        data = {"name": text.replace("/", ""), "parent": "none"}
        assert post(world.client, world.url("members/departments/add/"), **data).status_code in (302, 422)
    names = set(world.organization.departments.exclude(pk=world.department.pk).values_list("name", flat=True))
    assert len(names) > 15

    log, rows = page(world, "audit/"), cells(world.client.get(world.url("audit/export.csv")))
    departments = page(world, "members/departments/")
    choices = page(world, "members/departments/add/")

    assert all(shown_as_text(name, html) for name in names for html in (log, departments, choices))
    written = {cell for row in rows for cell in row}
    assert not formulas(written)
    assert {restore(cell) for cell in written} >= names


def test_a_search_finds_composed_and_decomposed_letters_and_takes_every_sign_as_it_is(world: World) -> None:
    for name in ("René", "100% sure", "under_score", "back\\slash", "O’Brien", "İlker", "Straße", "Dupont & Fils"):
        MemberFactory(organization=world.organization, user__first_name="", user__last_name=name)
    for member in Member.objects.select_related("user"):
        Member.objects.filter(pk=member.pk).update(**sorting_of(member.user, world.organization, member.email))

    def found(text: str) -> set[str]:
        response = world.client.get(world.url("members/"), {"q": text})
        return {row.user.last_name for row in response.context["page"].rows}

    assert found("René") == found("rene\u0301") == found("RENE") == {"René"}
    assert found("100%") == {"100% sure"}
    assert found("under_") == {"under_score"}
    assert found("k\\s") == set()
    assert found("back\\s") == {"back\\slash"}
    assert found("dupont & fils") == {"Dupont & Fils"}
    assert found("& René") == set()
    # Signs alone find nobody, and never everybody.
    assert found("%") == found("_") == found("\\") == set()
    assert found("o'brien") == found("O’BRIEN") == {"O’Brien"}
    assert found("ilker") == {"İlker"}
    assert found("strasse") == {"Straße"}


def test_a_department_is_chosen_and_shown_as_text(world: World) -> None:
    name = '"><script>alert(1)</script>'
    department = DepartmentFactory(organization=world.organization, name=name, path=name, sort_key="x")

    html = page(world, f"members/?department={department.pk}")

    assert shown_as_text(name, html)
