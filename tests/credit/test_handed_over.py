"""Credit goes over with an account; what moved it belongs to whoever had the account then."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.urls import reverse

from credit.models import BillingProfile, LedgerAccount, RechargePlan
from credit.personal_data import credit_of
from credit.selectors.balances import balance_of
from credit.services.orders import confirm_order, place_order
from members.access import Actor
from members.models import Letter, Member
from members.services.hand_over import hand_over
from members.tenures import present_stint, stint_of
from tests.credit.moves import allocate, buy, charge
from tests.factories import MemberFactory, OrganizationFactory
from tests.members.signing_in import sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def heir():
    """Bert, whose account was Anna's while 20 came and 5 went; since then 3 came."""
    organization = OrganizationFactory(slug="acme")
    boss = MemberFactory(organization=organization, admin=True)
    anna = MemberFactory(
        organization=organization, user__first_name="Anna", user__last_name="Berg", user__skype_name="anna.berg"
    )
    buy(organization)
    allocate(anna, "20", reason="For Anna", actor=Actor.of_member(boss))
    charge(anna, "5")
    given = hand_over(
        actor=Actor.of_member(boss),
        organization=organization,
        member=anna,
        email="bert@people.example",
        first_name="Bert",
        last_name="Lind",
        key=uuid4(),
    )
    given.user.set_password("three quiet herons wait")
    given.user.save()
    given.state = "active"
    given.save()
    allocate(given, "3", reason="For Bert")
    return given


def test_the_balance_goes_over_and_so_does_auto_recharge(heir):
    RechargePlan.objects.create(
        organization=heir.organization, member=heir, amount=20, below=5, monthly_limit=60, active=True
    )
    assert balance_of(heir.organization, heir) == 18

    given = hand_over(
        actor=Actor.system(),
        organization=heir.organization,
        member=heir,
        email="cleo@people.example",
        first_name="",
        last_name="",
        key=uuid4(),
    )

    assert balance_of(heir.organization, given) == 18
    assert RechargePlan.objects.get().active


def test_the_new_person_sees_their_own_lines_and_what_they_got(heir, client):
    sign_in(client, heir.user)

    page = client.get("/me/credit/acme/").text
    home = client.get("/me/").text
    month = client.get("/me/credit/acme/?from=2020-01-01&to=2099-01-01").text
    export = b"".join(client.get("/me/credit/acme/export.csv")).decode()

    for text in (page, month, export):
        assert "For Bert" in text
        assert "For Anna" not in text
    assert "with €15.00" in page
    assert "1 of 1 entry" in page
    assert home.count('class="money"') == 1
    assert "balance was €15.00 before and €18.00 after" in month


def test_the_company_sees_everything(heir, client):
    sign_in(client, Member.objects.get(role="administrator").user)

    page = client.get("/acme/members/@anna.berg/credit/statement/").text

    assert "For Bert" in page
    assert "For Anna" in page
    assert "You got the account" not in page


def test_the_wallets_statement_names_whoever_it_went_to(heir, client):
    sign_in(client, Member.objects.get(role="administrator").user)

    page = client.get("/acme/credit/statement/").text

    assert "<bdi>Anna Berg</bdi>" in page
    assert "<bdi>Bert Lind</bdi>" in page


def test_the_files_of_both_hold_what_is_theirs(heir):
    [tenure] = Member.objects.get(pk=heir.pk).predecessors

    before, now = credit_of(heir, stint_of(heir, tenure)), credit_of(heir, present_stint(heir))

    assert [line["change"] for line in before["statement"]] == [Decimal(-5), Decimal(20)]
    assert [line["change"] for line in now["statement"]] == [Decimal(3)]
    assert (before["balance"], now["balance"]) == (15, 18)
    assert LedgerAccount.objects.filter(member=heir).count() == 1


def test_a_page_of_the_statement_before_the_account_was_handed_over_is_empty(heir, client):
    sign_in(client, heir.user)

    for query in ("?before=2", "?after=1", "?before=99", "?to=2020-01-01"):
        assert "For Anna" not in client.get(f"/me/credit/acme/{query}").text


def test_an_order_names_whoever_placed_it_and_tells_nobody_after_them(client):
    boss = MemberFactory(organization__slug="acme", admin=True)
    anna = MemberFactory(organization=boss.organization, admin=True, user__first_name="Anna", user__last_name="Berg")
    address = {"street": "1 rue Neuve", "city": "Lyon", "country": "FR", "email": "bills@people.example"}
    BillingProfile.objects.create(organization=boss.organization, name="Architectes", **address)
    order = place_order(actor=Actor.of_member(anna), organization=boss.organization, amount=Decimal(50), key=uuid4())
    Letter.objects.all().delete()
    given = hand_over(
        actor=Actor.system(),
        organization=boss.organization,
        member=anna,
        email="bert@people.example",
        first_name="Bert",
        last_name="Lind",
        key=uuid4(),
    )
    Member.objects.filter(pk=given.pk).update(state="active")
    Letter.objects.all().delete()

    client.force_login(boss.user)
    shown = client.get(reverse("credit:order", args=["acme", order.number])).text
    assert "<bdi>Anna Berg</bdi>" in shown
    assert "Bert Lind" not in shown
    confirm_order(actor=Actor.system(), organization=boss.organization, order=order, amount=order.gross)
    assert "bert@people.example" not in set(Letter.objects.values_list("email", flat=True))
