import re
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from members.models import Batch, Member, User
from tests.factories import MemberFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client):
    member = MemberFactory(admin=True, organization__slug="architectes")
    client.force_login(member.user)
    return member


def add(client, **data):
    return client.post("/architectes/members/add/", {"addresses": "", "key": str(uuid4()), **data})


def csv(text, name="people.csv"):
    return SimpleUploadedFile(name, text.encode(), content_type="text/csv")


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_pasted_addresses_are_reviewed_and_become_members(client, admin):
    response = add(client, addresses="Anna Berg <anna@people.example>, bo@people.example; anna@people.example")
    review = client.get(response.url)
    assert "Review 3 people" in text_of(review)
    assert "Same e-mail address as row 1" in text_of(review)
    assert Member.objects.count() == 1

    done = client.post(f"{response.url}create/", follow=True)

    assert "2 accounts created" in text_of(done)
    assert set(Member.objects.exclude(pk=admin.pk).values_list("email", flat=True)) == {
        "anna@people.example",
        "bo@people.example",
    }


def test_a_file_shows_how_it_was_read_and_what_was_ignored(client, admin):
    response = add(client, file=csv("Matricule;Adresse e-mail;Mot de passe\n7;anna@people.example;secret\n"))

    page = text_of(client.get(response.url))
    assert "From people.csv ." in page or "From people.csv" in page
    assert "separated by semicolons" in page
    assert "Matricule ( not used )" in page or "Matricule (not used)" in page
    assert "passwords are never used" in page


def test_the_summary_leads_to_each_row_that_needs_a_correction(client, admin):
    response = add(client, addresses="anna@people.example, anna@people")

    page = client.get(response.url).content.decode()

    assert "1 row needs a correction" in page
    assert 'href="#row-2"' in page
    assert "Create the 1 that is right" in page


def test_a_row_is_corrected_in_place(client, admin):
    response = add(client, addresses="anna@people")

    answer = client.post(f"{response.url}rows/1/", {"email": "anna@people.example"})

    assert answer.url.endswith("#row-1")
    assert "needs a correction" not in client.get(response.url).content.decode()


def test_the_skype_name_opens_for_editing_and_is_kept(client, admin):
    response = add(client, addresses="anna@people.example")
    editing = client.get(f"{response.url}?edit=1").content.decode()
    assert 'name="skype_name"' in editing

    client.post(f"{response.url}rows/1/", {"skype_name": "anna.typed", "first_name": "Anna"})

    page = text_of(client.get(response.url))
    assert "anna.typed" in page


def test_a_weak_first_password_is_refused_next_to_its_field(client, admin):
    response = add(client, addresses="anna@people.example")

    answer = client.post(f"{response.url}rows/1/", {"email": "anna@people.example", "password": "short"})

    assert answer.status_code == 422
    assert "This password is too short" in answer.content.decode()


def test_a_row_is_left_out_and_taken_in_again(client, admin):
    response = add(client, addresses="anna@people.example, bo@people.example")

    client.post(f"{response.url}rows/1/leave-out/")
    assert "1 account" in text_of(client.get(response.url))
    client.post(f"{response.url}rows/1/take-in/")

    assert "2 accounts" in text_of(client.get(response.url))


def test_rows_that_were_not_created_come_back_as_a_file_that_can_be_taken_in(client, admin):
    response = add(client, file=csv("E-mail,First name\nanna@people.example,Anna\n=cmd|bad,Bo\n"))
    client.post(f"{response.url}create/", {"rows": "valid"})

    answer = client.get(f"{response.url}outcome.csv?rows=errors")
    content = b"".join(answer.streaming_content).decode("utf-8-sig")

    assert "'=cmd|bad" in content
    again = add(client, file=csv(content.replace("'=cmd|bad", "bo@people.example"), "again.csv"))
    client.post(f"{again.url}create/")
    assert User.objects.get(email="bo@people.example").first_name == "Bo"


def test_each_reason_of_an_outcome_stands_by_itself(client, admin):
    UserFactory(skype_name="prenom_nom")
    response = add(client, file=csv("E-mail,User name\na@people.example,prénom_nom\n"))
    client.post(f"{response.url}create/")

    page = client.get(f"{response.url}?show=created").content.decode()

    assert "<li>“prénom_nom” made ASCII</li><li>“prenom_nom” is taken, so a number was added</li>" in page


def test_nothing_to_add_is_told_next_to_the_field(client, admin):
    response = add(client)

    assert response.status_code == 422
    assert "Enter at least one e-mail address, or choose a file." in response.content.decode()


@pytest.mark.parametrize(
    "content",
    [b"", b"\x89PNG\r\n\x1a\n" + bytes(100), b"PK\x03\x04" + bytes(100), b"Name,Phone\nAnna,1\n", b"E-mail\n"],
)
def test_a_file_that_cannot_be_read_says_why(client, admin, content):
    file = SimpleUploadedFile("people.csv", content)

    response = add(client, file=file)

    assert response.status_code == 422
    assert response.context["form"].errors["file"] or response.context["form"].non_field_errors()
    assert not Batch.objects.exists()


def test_the_same_file_again_leads_to_what_came_of_it(client, admin):
    first = add(client, file=csv("E-mail\nanna@people.example\n"))
    client.post(f"{first.url}create/")

    again = add(client, file=csv("E-mail\nanna@people.example\n"))

    assert again.status_code == 422
    assert f'href="{first.url}"' in again.content.decode()


def test_a_running_batch_shows_its_progress_and_goes_on_without_the_page(client, admin, monkeypatch):
    response = add(client, addresses="anna@people.example")
    Batch.objects.update(state=Batch.State.RUNNING, started_at="2026-11-21T12:00Z")

    page = client.get(response.url)
    fragment = client.get(f"{response.url}progress/")

    assert "0 of 1" in text_of(page)
    assert "0 of 1" in text_of(fragment)
    assert "<html" not in fragment.content.decode()
    assert "HX-Refresh" not in fragment.headers


def test_creating_twice_creates_once(client, admin):
    response = add(client, addresses="anna@people.example")

    client.post(f"{response.url}create/")
    client.post(f"{response.url}create/")

    assert Member.objects.count() == 2


def test_the_list_of_imports_shows_what_each_made(client, admin):
    response = add(client, addresses="anna@people.example")
    client.post(f"{response.url}create/")

    page = text_of(client.get("/architectes/members/imports/"))

    assert "Typed addresses" in page


@pytest.mark.parametrize("path", ["", "progress/", "outcome.csv"])
def test_an_import_of_another_organization_does_not_exist(client, admin, path):
    response = add(client, addresses="anna@people.example")
    stranger = MemberFactory(admin=True, organization__slug="strangers")
    client.force_login(stranger.user)

    assert client.get(response.url.replace("architectes", "strangers") + path).status_code == 404
    assert client.get(response.url + path).status_code == 404


@pytest.mark.parametrize("path", ["create/", "cancel/", "retry/", "rows/1/", "rows/1/leave-out/", "rows/1/take-in/"])
def test_acts_on_an_import_of_another_organization_change_nothing(client, admin, path):
    response = add(client, addresses="anna@people.example")
    stranger = MemberFactory(admin=True, organization__slug="strangers")
    client.force_login(stranger.user)

    assert client.post(response.url.replace("architectes", "strangers") + path).status_code == 404
    assert Batch.objects.get().state == Batch.State.DRAFT


def test_hostile_names_are_shown_as_text(client, admin):
    response = add(client, file=csv('E-mail,First name\nanna@people.example,"<svg/onload=alert(1)>"\n'))

    page = client.get(response.url).content.decode()

    assert "<svg/onload" not in page
    assert "&lt;svg/onload" in page
