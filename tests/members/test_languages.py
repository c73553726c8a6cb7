"""The language of a person, from the file that names it to the letter that is written in it."""

import io
from uuid import uuid4

import pytest
from django.urls import reverse

from members.access import Actor
from members.languages import read_language
from members.letter_texts import compose
from members.models import BatchRow, Letter, Member
from members.row_texts import sentence
from members.services import imports
from members.services.import_work import advance_to_the_end
from tests.factories import MemberFactory

Outcome = BatchRow.Outcome


@pytest.fixture
def boss(db):
    return MemberFactory(organization__slug="acme", organization__language="en", admin=True)


def take_in(boss, lines, *, create=True):
    """Add the people of a file; gives its rows."""
    batch = imports.start_import_of_file(
        actor=Actor.of_member(boss),
        organization=boss.organization,
        content=io.BytesIO("\n".join(lines).encode()),
        file_name="people.csv",
        key=uuid4(),
    )
    advance_to_the_end(batch)
    if create:
        batch = imports.start_batch(actor=Actor.of_member(boss), organization=boss.organization, batch=batch)
        advance_to_the_end(batch)
    return list(batch.rows.order_by("number"))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("fr", "fr"),
        ("FR", "fr"),
        ("fr-FR", "fr"),
        ("fr_CA.UTF-8", "fr"),
        ("French", "fr"),
        ("Français (France)", "fr"),
        ("FRANCAIS", "fr"),
        ("franska", "fr"),
        ("en-US", "en"),
        ("Anglais", "en"),
        ("engelska", "en"),
        ("English (United Kingdom)", "en"),
        ("sv-SE,en", "sv"),
        ("Svenska", "sv"),
        ("suédois", "sv"),
        ("de-DE", None),
        ("frisian", None),
        ("France", None),
        ("", None),
        ("-", None),
    ],
)
def test_a_language_is_known_by_its_names_and_codes(text, code):
    assert read_language(text) == code


def test_somebody_of_a_file_gets_their_letter_in_its_language(boss):
    take_in(boss, ["E-mail,Langue", "ines@people.example,Français", "ann@people.example,"])

    found = dict(Member.objects.values_list("email", "user__language"))
    assert (found["ines@people.example"], found["ann@people.example"]) == ("fr", "")
    letters = {letter.email: compose(letter).language for letter in Letter.objects.all()}
    assert letters == {"ines@people.example": "fr", "ann@people.example": "en"}


def test_a_language_that_we_have_not_is_told_and_keeps_nobody_out(boss):
    [row] = take_in(boss, ["E-mail,Language", "uwe@people.example,de-DE"], create=False)

    assert (row.outcome, row.data["language"]) == (Outcome.READY, "")
    assert [(note["field"], sentence(note)) for note in row.notes if note["field"] == "language"] == [
        ("language", "“de-DE” is none of our languages. Letters come in that of the organization.")
    ]


def test_the_language_of_a_row_is_corrected_in_the_review(boss, client):
    client.force_login(boss.user)
    [row] = take_in(boss, ["E-mail,Language", "uwe@people.example,de-DE"], create=False)
    url = reverse("members:import_row", args=["acme", row.batch_id, row.number])
    review = reverse("members:import_detail", args=["acme", row.batch_id])

    assert "is none of our languages" in client.get(review).text
    client.post(url, {"email": row.data["email"], "language": "sv"})

    row.refresh_from_db()
    assert (row.data["language"], row.notes) == ("sv", [])
    assert "Svenska" in client.get(review).text


def test_a_language_of_no_choice_changes_no_row(boss, client):
    client.force_login(boss.user)
    [row] = take_in(boss, ["E-mail,Language", "uwe@people.example,sv"], create=False)
    url = reverse("members:import_row", args=["acme", row.batch_id, row.number])

    assert client.post(url, {"email": row.data["email"], "language": "de"}).status_code == 422

    row.refresh_from_db()
    assert row.data["language"] == "sv"
