import json
from decimal import Decimal
from io import StringIO
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.urls import reverse

from credit.models import RechargePlan
from credit.selectors.balances import balance_of, wallet_balance
from members.models import Batch, BatchRow, Member
from members.months import present_month
from members.services.run_work import advance_run
from tests.credit.recharges import call, pay, plan
from tests.factories import MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db
TERMS = {"amount": "20", "below": "5", "monthly_limit": "50"}


@pytest.fixture
def organization():
    return OrganizationFactory(slug="kontor", time_zone="America/Havana")


@pytest.fixture
def member(organization):
    return MemberFactory(organization=organization, user__skype_name="nora.ek")


@pytest.fixture
def boss(organization, client):
    boss = MemberFactory(organization=organization, role=Member.Role.CREDIT_MANAGER)
    client.force_login(boss.user)
    return boss


def panel(client):
    return client.get("/kontor/members/@nora.ek/credit/").text


def test_save_and_activate_saves_and_acts_at_once(organization, member, boss, client):
    pay(organization, 100)
    assert client.get("/kontor/members/@nora.ek/auto-recharge/").url.endswith("@nora.ek/credit/#auto-recharge")

    response = client.post("/kontor/members/@nora.ek/auto-recharge/", TERMS)

    assert response.status_code == 302
    assert balance_of(organization, member) == 20
    assert "Recharged €20.00 of €50.00 this month; next when the balance falls below €5.00." in panel(client)


def test_the_sentence_says_until_when_it_is_suspended_and_in_which_time_zone(organization, member, boss, client):
    pay(organization, 100)
    plan(organization, member)
    call(organization, member, costs=90)
    first = present_month(organization).end.astimezone(ZoneInfo("America/Havana"))

    text = panel(client)

    assert f"Suspended until 1 {first:%B}" in text
    assert "00:00 (America/Havana): €40.00 of €50.00 was recharged this month; another €20.00 would pass" in text


def test_the_sentence_says_that_the_wallet_holds_too_little_and_what_to_do(organization, member, boss, client):
    plan(organization, member)
    pay(organization, 3)

    text = panel(client)

    assert "the balance of €0.00 is below €5.00, but the wallet holds €3.00 and the recharge takes €20.00." in text
    assert ">Buy credit</a>" in text


def test_it_is_turned_off_by_one_button(organization, member, boss, client):
    plan(organization, member)

    response = client.post("/kontor/members/@nora.ek/auto-recharge/off/")

    assert response.status_code == 302
    assert RechargePlan.objects.get().active is False
    assert "Auto-recharge is off" in panel(client)


@pytest.mark.parametrize(
    ("changed", "field", "why"),
    [
        ({"below": "20.01"}, "below", "One recharge would not reach that."),
        ({"monthly_limit": "19.99"}, "monthly_limit", "Not one recharge would fit into that."),
        ({"monthly_limit": "0"}, "monthly_limit", "The amount must be more than zero."),
        ({"below": "-1"}, "below", "Type an amount in plain digits"),
        ({"amount": "0"}, "amount", "The amount must be more than zero."),
        ({"amount": "1e1"}, "amount", "Type an amount in plain digits"),
        ({"amount": ""}, "amount", "This field is required."),
    ],
)
def test_terms_that_make_no_sense_are_told_beside_their_field(organization, member, boss, client, changed, field, why):
    response = client.post("/kontor/members/@nora.ek/auto-recharge/", {**TERMS, **changed})

    assert response.status_code == 422
    form = response.context["recharge"].form
    assert why in str(form.errors[field])
    assert response.context["refused"] is form
    assert not RechargePlan.objects.exists()


def test_who_has_left_gets_no_form(organization, member, boss, client):
    Member.objects.filter(pk=member.pk).update(state="left")

    assert "Save and activate" not in panel(client)
    assert client.post("/kontor/members/@nora.ek/auto-recharge/", TERMS).status_code == 422
    assert not RechargePlan.objects.exists()


# Many


def ask(client, **query):
    return client.get(reverse("credit:members_recharge", args=["kontor"]), query)


def test_the_preview_of_many_counts_whom_it_changes_and_what_leaves_the_wallet(organization, member, boss, client):
    has_it, left = (MemberFactory(organization=organization) for _ in range(2))
    pay(organization, 5)
    plan(organization, has_it)
    Member.objects.filter(pk=left.pk).update(state="left")
    chosen = [one.pk for one in (member, boss, has_it, left)]

    response = ask(client, member=chosen, **TERMS)

    told = " ".join(response.context["forecast"])
    assert "This changes 2 of 4 people: recharged by €20.00 when the balance falls below €5.00, up to €50.00" in told
    assert "1 has left." in told
    assert "1 already has these terms." in told
    assert "2 are below that now: €40.00 leaves the wallet at once, which holds €5.00." in told
    assert "Whom it doesn’t cover is recharged when credit is bought." in told


def test_several_are_set_and_turned_off_at_once(organization, member, boss, client):
    pay(organization, 100)
    chosen = {"member": [member.pk, boss.pk]}

    assert client.post(reverse("credit:members_recharge", args=["kontor"]), {**chosen, **TERMS}).status_code == 302
    assert wallet_balance(organization) == 60
    assert RechargePlan.objects.filter(active=True).count() == 2

    assert "2 of 2 people will be recharged no more." in client.get("/kontor/credit/auto-recharge/off/", chosen).text
    assert client.post("/kontor/credit/auto-recharge/off/", chosen).status_code == 302
    assert not RechargePlan.objects.filter(active=True).exists()


def test_others_than_were_shown_are_shown_first(organization, member, boss, client):
    pay(organization, 100)
    shown = {"all": "1", "count": "2"}
    MemberFactory(organization=organization)

    answers = [
        client.post(reverse("credit:members_recharge", args=["kontor"]), shown | TERMS),
        client.post("/kontor/credit/auto-recharge/off/", shown),
    ]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert all("The list has changed in the meantime." in answer.text for answer in answers)
    assert not RechargePlan.objects.exists()


def test_more_than_a_page_can_wait_for_are_set_by_a_run(organization, member, boss, client, monkeypatch):
    monkeypatch.setattr("members.batches.AT_ONCE", 1)
    left = MemberFactory(organization=organization, state="left")
    pay(organization, 100)
    sent = {"member": [member.pk, boss.pk, left.pk], "count": "3", "key": str(uuid4()), **TERMS}

    response = client.post(reverse("credit:members_recharge", args=["kontor"]), sent)
    batch = Batch.objects.get(kind="set_auto_recharge")
    assert response.url == f"/kontor/members/changes/{batch.pk}/"
    assert client.post(reverse("credit:members_recharge", args=["kontor"]), sent).url == response.url
    advance_run(batch)

    outcomes = dict(BatchRow.objects.filter(batch=batch).values_list("member_id", "outcome"))
    assert outcomes == {member.pk: "done", boss.pk: "done", left.pk: "skipped"}
    assert wallet_balance(organization) == 60
    assert "€20.00 below €5.00, up to €50.00 a month" in client.get(response.url).text

    sent = {"member": [member.pk, boss.pk, left.pk], "count": "3", "key": str(uuid4())}
    client.post(reverse("credit:members_recharge_off", args=["kontor"]), sent)
    advance_run(Batch.objects.get(kind="stop_auto_recharge"))
    assert not RechargePlan.objects.filter(active=True).exists()


def test_the_list_shows_the_terms_and_finds_those_who_wait(organization, member, boss, client):
    plan(organization, member)

    assert "Waiting for credit" in client.get("/kontor/members/").text
    for choice, names in [("wallet", ["nora.ek"]), ("on", ["nora.ek"]), ("limit", []), ("off", [boss.user.skype_name])]:
        page = client.get("/kontor/members/", {"auto_recharge": choice}).context["page"]
        assert [row.user.skype_name for row in page.rows] == names
    pay(organization, 100)
    plan(organization, member, amount=15)
    assert "€15.00 below €5.00" in client.get("/kontor/members/").text


# By command


def command(*arguments):
    out = StringIO()
    call_command("set_auto_recharge", "--organization", "kontor", "--json", *arguments, stdout=out, stderr=StringIO())
    return json.loads(out.getvalue())


def test_the_command_says_how_it_stands(organization, member):
    pay(organization, 100)
    terms = ["--member", "nora.ek", "--amount", "20", "--below", "5", "--monthly-limit", "20"]

    assert command(*terms, "--dry-run")["state"] == command("--member", "nora.ek", "--dry-run")["state"] == "off"
    result = command(*terms)

    assert (result["state"], result["recharged_this_month"], result["balance"]) == ("suspended", "20.0000", "20.0000")
    assert result["suspended_until"] == present_month(organization).end.isoformat().replace("+00:00", "Z")
    assert command("--member", member.email, "--amount", "20", "--below", "5", "--monthly-limit", "60")["state"] == (
        "active"
    )
    off = command("--member", "nora.ek", "--off")
    assert (off["state"], off["suspended_until"], off["recharged_this_month"]) == ("off", None, "20.0000")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--amount", "20", "--below", "20.01", "--monthly-limit", "50"],
        ["--amount", "20", "--below", "5", "--monthly-limit", "19"],
        ["--amount", "20", "--below", "-5", "--monthly-limit", "50"],
        ["--amount", "1e1", "--below", "5", "--monthly-limit", "50"],
        ["--amount", "20", "--below", "5"],
        ["--off", "--amount", "20"],
        [],
    ],
)
def test_the_command_refuses_what_makes_no_sense(organization, member, arguments):
    with pytest.raises(CommandError):
        command("--member", "nora.ek", *arguments)

    assert not RechargePlan.objects.exists()


def test_amounts_of_a_currency_without_decimals_have_none(member):
    organization = member.organization
    type(organization).objects.filter(pk=organization.pk).update(currency="JPY")

    with pytest.raises(CommandError, match="no decimals"):
        command("--member", "nora.ek", "--amount", "20.5", "--below", "5", "--monthly-limit", "50")
    command("--member", "nora.ek", "--amount", "2000", "--below", "500", "--monthly-limit", "5000")
    assert RechargePlan.objects.get().amount == Decimal(2000)
