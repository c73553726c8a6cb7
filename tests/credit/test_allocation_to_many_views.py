"""Credit for many on the pages: chosen, shown, and then given at once or behind the pages."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.urls import reverse

from credit.funding import fund
from credit.selectors.balances import list_balances, wallet_balance
from members.access import Actor
from members.models import Batch, Member
from members.services.import_work import advance_batches_task
from tests.factories import DepartmentFactory, MemberFactory, OrganizationFactory

URL = "/acme/members/credit/"
ALL = {"all": "1"}


@pytest.fixture
def organization(db):
    return OrganizationFactory(slug="acme")


@pytest.fixture
def boss(organization, client):
    boss = MemberFactory(organization=organization, role=Member.Role.CREDIT_MANAGER)
    client.force_login(boss.user)
    return boss


@pytest.fixture
def sales(organization):
    return DepartmentFactory(organization=organization, name="Sales")


@pytest.fixture
def people(organization, boss, sales):
    fund(organization=organization, actor=Actor.system(), amount=Decimal(100), key=uuid4())
    berlin = DepartmentFactory(organization=organization, name="Berlin", parent=sales)
    return [
        boss,
        MemberFactory(organization=organization, department=sales),
        MemberFactory(organization=organization, department=berlin),
        MemberFactory(organization=organization, department=berlin, state="left"),
    ]


def shown(client, whom, amount="10.00", **facts):
    """The page that says what will happen."""
    return client.get(URL, {**whom, "amount": amount, **facts})


def confirmed(client, whom, amount="10.00", **changes):
    """The answer to the button of that page."""
    page = shown(client, whom, amount)
    sent = {"amount": amount, "reason": "", "key": page.context["form"]["key"].value()}
    return client.post(URL, {**whom, **sent, "count": page.context["forecast"].chosen, **changes})


def balances(people):
    return [int(balance) for balance in list_balances(people[0].organization, people).values()]


def ticked(*people):
    return {"member": [person.pk for person in people]}


def test_the_button_of_the_members_list_leads_here_with_who_was_ticked(client, people):
    assert f'formaction="{URL}"' in client.get("/acme/members/").text

    page = client.get(URL, ticked(*people[:2]))

    assert page.status_code == 200
    assert "2 people" in page.text
    assert 'method="post"' not in page.text.partition("<main")[2]


def test_what_will_happen_is_told_before_it_does(client, people):
    page = shown(client, ticked(*people))

    assert "3 of 4 people get €10.00 each." in page.text
    assert "1 has left." in page.text
    for text in ("€100.00", "€30.00", "€70.00", "can’t be taken back", "Allocate credit to 3 people"):
        assert text in page.text
    assert balances(people) == [0, 0, 0, 0]


def test_who_was_ticked_gets_it_at_once_and_the_list_says_so(client, people):
    answer = confirmed(client, ticked(*people))

    assert answer.status_code == 302
    page = client.get(answer["Location"])
    assert "3 people got €10.00 each." in page.text
    assert balances(people) == [10, 10, 10, 0]


def test_sent_twice_it_is_given_once(client, people):
    page = shown(client, ticked(*people))
    sent = {
        **ticked(*people),
        "amount": "10.00",
        "reason": "",
        "count": "4",
        "key": page.context["form"]["key"].value(),
    }

    assert [client.post(URL, sent).status_code for _time in range(2)] == [302, 302]
    assert balances(people) == [10, 10, 10, 0]


def test_more_than_the_wallet_holds_has_no_button_and_is_refused(client, people):
    page = shown(client, ALL, "33.34")
    assert "The wallet holds too little for this." in page.text
    assert "Allocate credit to 3 people" not in page.text

    answer = confirmed(client, ALL, "33.34")

    assert answer.status_code == 422
    assert "There is not enough credit: €100.00 of €100.02." in answer.text
    assert balances(people) == [0, 0, 0, 0]


def test_others_than_were_shown_are_shown_first(client, people, organization):
    answer = confirmed(client, ALL, count="2")

    assert answer.status_code == 422
    assert "The list has changed in the meantime." in answer.text
    assert balances(people) == [0, 0, 0, 0]


def test_everybody_or_a_department_is_chosen_on_a_page_of_its_own(client, people, sales):
    page = client.get(reverse("credit:allocate", args=["acme"]))
    assert page.status_code == 200

    def chosen(**query):
        answer = client.get(reverse("credit:allocate", args=["acme"]), query)
        return client.get(answer["Location"]).context["chosen"].number

    assert chosen(whom="everybody") == 3
    assert chosen(whom="department", department=sales.pk, under="on") == 2
    assert chosen(whom="department", department=sales.pk) == 1
    assert client.get(reverse("credit:allocate", args=["acme"]), {"whom": "department"}).status_code == 422


def test_a_department_alone_gets_it_without_those_under_it(client, people, sales):
    confirmed(client, {**ALL, "department": sales.pk, "only": "1"})

    assert balances(people) == [0, 10, 0, 0]


def test_a_department_leads_here_from_its_menu(client, people, sales):
    page = client.get("/acme/members/departments/").text

    assert f'href="{URL}?all=1&amp;department={sales.pk}"' in page


def test_many_get_it_behind_the_pages_all_at_the_same_moment(client, people, monkeypatch, organization):
    monkeypatch.setattr("members.batches.AT_ONCE", 2)
    assert "behind the pages" in shown(client, ALL).text

    answer = confirmed(client, ALL)
    run = client.get(answer["Location"])
    assert run.status_code == 200
    assert "€10.00 for each." in run.text
    assert wallet_balance(organization) == 100

    advance_batches_task()

    assert balances(people) == [10, 10, 10, 0]
    done = client.get(f"{answer['Location']}?show=changed").text
    assert "Got credit" in done
    assert "€10.00 for each, €30.00 in all." in done
    file = b"".join(client.get(f"{answer['Location']}outcome.csv").streaming_content).decode()
    assert file.count("Got credit") == 3
    assert answer["Location"] in client.get("/acme/members/changes/").text


def test_what_was_refused_behind_the_pages_says_why(client, people, monkeypatch, organization):
    monkeypatch.setattr("members.batches.AT_ONCE", 2)
    answer = confirmed(client, ALL, "30.00")
    confirmed(client, ticked(people[1]), "20.00")

    advance_batches_task()

    page = client.get(answer["Location"]).text
    assert "There is not enough credit: €80.00 of €90.00. Nobody got any." in page
    assert balances(people) == [0, 20, 0, 0]
    assert Batch.objects.order_by("pk")[0].state == Batch.State.CANCELED


def test_who_manages_members_alone_sees_none_of_it(client, people, monkeypatch, organization):
    monkeypatch.setattr("members.batches.AT_ONCE", 2)
    run = confirmed(client, ALL)["Location"]
    client.force_login(MemberFactory(organization=organization, role=Member.Role.MEMBERS_MANAGER).user)

    assert URL not in client.get("/acme/members/").text
    assert client.get(run).status_code == 403
    assert run not in client.get("/acme/members/changes/").text
    assert client.post(f"{run}cancel/").status_code == 403
