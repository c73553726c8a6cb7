"""Adding credit on the page of a member."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.urls import reverse

from credit.funding import fund
from credit.models import Transfer
from credit.selectors.balances import balance_of, wallet_balance
from members.access import Actor
from members.models import Member
from tests.factories import MemberFactory, OrganizationFactory

ROW = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def organization(db):
    return OrganizationFactory(slug="acme")


@pytest.fixture
def boss(organization, client):
    boss = MemberFactory(organization=organization, role=Member.Role.CREDIT_MANAGER)
    client.force_login(boss.user)
    return boss


@pytest.fixture
def ann(organization):
    return MemberFactory(
        organization=organization, user__skype_name="ann.berg", user__first_name="Ann", user__last_name="Berg"
    )


@pytest.fixture
def wallet(organization):
    fund(organization=organization, actor=Actor.system(), amount=Decimal("1284.5"), key=uuid4())


def url(name, member):
    return reverse(f"credit:{name}", args=["acme", member.user.skype_name])


def add(client, member, amount="25.00", **facts):
    data = {"amount": amount, "key": str(uuid4()), **facts}
    return client.post(url("member_add", member), data)


def test_the_panel_says_what_the_wallet_holds_and_that_nothing_comes_back(client, boss, ann, wallet):
    response = client.get(url("member_credit", ann))

    assert "The company wallet holds €1,284.50" in response.text
    assert "can’t be taken back" in response.text
    assert response.text.index("can’t be taken back") < response.text.index(">Add credit</button>")


def test_the_new_balance_stands_on_the_page_at_once(client, boss, ann, wallet):
    response = client.post(
        url("member_add", ann), {"amount": "25.00", "reason": " Trip  to Basel ", "key": str(uuid4())}, follow=True
    )

    assert response.status_code == 200
    assert "€25.00 added. Ann Berg now has €25.00." in response.text
    assert "as of " in response.text
    assert Transfer.objects.get(operation="allocation").reason == "Trip to Basel"


def test_a_form_that_is_sent_twice_adds_once(client, boss, ann, wallet, organization):
    key = str(uuid4())

    assert [add(client, ann, key=key).status_code for _time in range(2)] == [302, 302]
    assert balance_of(organization, ann) == 25
    assert add(client, ann, amount="26.00", key=key).status_code == 422
    assert balance_of(organization, ann) == 25


def test_a_refusal_tells_the_true_balance_beside_the_amount(client, boss, ann, wallet, organization):
    response = add(client, ann, amount="1284.51")

    assert response.status_code == 422
    assert response.context["add"].form.errors == {"amount": ["There is not enough credit: €1,284.50 of €1,284.51."]}
    assert 'value="1284.51"' in response.text
    assert wallet_balance(organization) == Decimal("1284.5")


def test_what_both_will_have_is_told_while_the_amount_is_typed(client, boss, ann, wallet):
    told = client.get(url("member_add", ann), {"amount": "25"}, **ROW)

    assert "Ann Berg</bdi> will have €25.00; the wallet will hold €1,259.50." in told.text
    assert "<form" not in told.text
    lacking = client.get(url("member_add", ann), {"amount": "2000"}, **ROW)
    assert "The wallet lacks €715.50 for this." in lacking.text
    for amount in ("", "x", "1e3"):
        assert "will have" not in client.get(url("member_add", ann), {"amount": amount}, **ROW).text
    assert client.get(url("member_add", ann), {"amount": "25"}).status_code == 302


def test_an_empty_wallet_is_explained_with_the_way_to_credit(client, boss, ann):
    response = client.get(url("member_credit", ann))

    assert "The wallet is empty" in response.text
    assert ">Add credit</button>" not in response.text
    assert add(client, ann).context["add"].form.errors == {"amount": ["There is not enough credit: €0.00 of €25.00."]}


def test_who_has_left_is_offered_nothing(client, boss, ann, wallet):
    Member.objects.filter(pk=ann.pk).update(state="left")

    response = client.get(url("member_credit", ann))

    assert "has left, and gets no credit" in response.text
    assert ">Add credit</button>" not in response.text
    refused = add(client, ann)
    assert refused.status_code == 422
    assert "Ann Berg has left" in refused.text


def test_no_field_is_left_empty(client, boss, ann, wallet):
    response = client.post(url("member_add", ann), {})

    assert response.status_code == 422
    assert "amount" in response.context["add"].form.errors


@pytest.mark.parametrize("amount", [["1", "100"], ["1", "1"], ["", "1"]])
def test_an_amount_sent_twice_is_no_request_at_all(client, boss, ann, wallet, organization, amount):
    response = client.post(url("member_add", ann), {"amount": amount, "key": str(uuid4())})

    assert response.status_code == 400
    assert balance_of(organization, ann) == 0
