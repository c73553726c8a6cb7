"""A file of amounts on the pages: taken in, shown, given."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from credit.funding import fund
from credit.selectors.balances import list_balances, wallet_balance
from members.access import Actor
from members.models import Batch, Member
from members.services.import_work import advance_batches_task
from tests.factories import MemberFactory, OrganizationFactory

ADD = "/acme/credit/allocate/file/"
LINES = ["E-mail,Amount,Reason", "ann@acme.example,12.50,Trip to Basel", "bo@acme.example,20,"]


@pytest.fixture
def organization(db):
    organization = OrganizationFactory(slug="acme")
    fund(organization=organization, actor=Actor.system(), amount=Decimal(100), key=uuid4())
    return organization


@pytest.fixture
def people(organization, client):
    boss = MemberFactory(organization=organization, role=Member.Role.CREDIT_MANAGER)
    client.force_login(boss.user)
    addresses = ["ann@acme.example", "bo@acme.example"]
    return [MemberFactory(organization=organization, user__email=address) for address in addresses]


def send(client, *lines, key=None, name="amounts.csv"):
    file = SimpleUploadedFile(name, "\n".join(lines or LINES).encode())
    return client.post(ADD, {"file": file, "key": str(key or uuid4())})


def balances(people):
    return list(list_balances(people[0].organization, people).values())


def test_a_file_is_shown_before_anybody_gets_anything(client, people):
    page = client.get(send(client)["Location"])

    for text in ("Review 2 rows", "€100.00", "€32.50", "€67.50", "Trip to Basel", "can’t be taken back"):
        assert text in page.text
    assert "Allocate credit to 2 people" in page.text
    assert balances(people) == [0, 0]


def test_everybody_in_it_gets_theirs_and_it_is_told_row_by_row(client, people):
    review = send(client)["Location"]

    given = client.post(f"{review}allocate/", follow=True)

    assert balances(people) == [Decimal("12.5"), 20]
    shown = client.get(f"{given.request['PATH_INFO']}?show=all").text
    assert "€12.50 · Trip to Basel" in shown
    file = b"".join(client.get(f"{given.request['PATH_INFO']}outcome.csv").streaming_content).decode()
    assert "Got credit" in file
    assert client.get(review).status_code == 302


def test_a_double_click_gives_it_once(client, people):
    review = send(client)["Location"]

    assert {client.post(f"{review}allocate/").status_code for _time in range(2)} == {302}
    assert balances(people) == [Decimal("12.5"), 20]


def test_all_that_is_wrong_is_told_and_nobody_gets_anything(client, people):
    review = send(client, *LINES, "nobody@acme.example,1e3,", "bo@acme.example,5,")["Location"]

    page = client.get(review)

    assert "2 rows need a correction" in page.text
    for text in (
        "Row 3: There is no member nobody@acme.example.",
        "Row 3: Type an amount in plain digits, as 12.50.",
        "Row 4: The same person as in row 2.",
    ):
        assert text in page.text
    assert "Allocate credit to" not in page.text
    assert len(client.get(f"{review}?show=problems").context["rows"]) == 2
    assert "Some rows need a correction first." in client.post(f"{review}allocate/", follow=True).text
    assert balances(people) == [0, 0]


def test_the_same_file_again_is_refused_with_the_way_to_what_came_of_it(client, people):
    first, second = (send(client)["Location"] for _time in range(2))
    client.post(f"{first}allocate/")

    again = send(client)
    assert again.status_code == 422
    assert "This file was already taken in" in again.text
    assert "See what came of it" in again.text
    assert "can’t be carried out again" in client.get(second).text
    assert "already taken in" in client.post(f"{second}allocate/", follow=True).text
    assert balances(people) == [Decimal("12.5"), 20]


def test_more_than_the_wallet_holds_is_told_before(client, people, organization):
    review = send(client, "E-mail,Amount", "ann@acme.example,100.01")["Location"]

    page = client.get(review)

    assert "The wallet holds too little for this." in page.text
    assert reverse("credit:buy", args=["acme"]) in page.text
    assert "€100.00 of €100.01" in client.post(f"{review}allocate/", follow=True).text
    assert wallet_balance(organization) == 100


def test_what_is_no_such_file_comes_back_with_the_reason(client, people):
    answer = send(client, "E-mail,First name", "ann@acme.example,Ann")

    assert answer.status_code == 422
    assert "Call them E-mail and Amount." in answer.text
    assert client.post(ADD, {"key": str(uuid4())}).status_code == 422


def test_a_file_can_be_given_up(client, people):
    review = send(client)["Location"]

    assert "The file is given up." in client.post(f"{review}discard/", follow=True).text
    assert "was given up" in client.get(review).text
    assert "already carried out or canceled" in client.post(f"{review}allocate/", follow=True).text
    assert balances(people) == [0, 0]


def test_many_get_it_behind_the_pages(client, people, monkeypatch):
    monkeypatch.setattr("members.batches.AT_ONCE", 1)
    review = send(client)["Location"]
    assert "behind the pages" in client.get(review).text
    run = client.post(f"{review}allocate/", follow=True)
    assert "Started by" in run.text
    assert balances(people) == [0, 0]

    advance_batches_task()

    assert balances(people) == [Decimal("12.5"), 20]
    batch = Batch.objects.get()
    assert batch.state == Batch.State.DONE
    assert "€32.50 in all." in client.get(f"/acme/members/changes/{batch.pk}/").text


def test_a_file_whose_encoding_was_guessed_can_be_read_again_in_another(client, people):
    file = SimpleUploadedFile("a.csv", "E-mail;Amount;Reason\nann@acme.example;5;Prêt\n".encode("cp850"))
    review = client.post(ADD, {"file": file, "key": str(uuid4())})["Location"]
    page = client.get(review)
    assert "the encoding was told by the look of the words" in page.text
    assert f"{review}encoding/" in page.text

    choice = client.get(f"{review}encoding/")
    assert "Prêt" in choice.text
    assert client.post(f"{review}encoding/", {"encoding": "utf-8-sig"}).status_code == 422
    again = client.post(f"{review}encoding/", {"encoding": "cp850"}, follow=True)

    assert "You chose this encoding." in again.text
    assert "Prêt" in again.text
    client.post(f"{review}allocate/")
    assert balances(people) == [5, 0]
    assert client.get(f"{review}encoding/", follow=True).redirect_chain[0][0] == review


def test_a_file_that_says_itself_how_it_is_written_is_not_kept(client, people):
    review = send(client)["Location"]

    page = client.get(review)

    assert "Read as UTF-8, separated by commas." in page.text
    assert "encoding/" not in page.text
    assert client.get(f"{review}encoding/")["Location"] == review
