"""manage.py allocate_credit: the verb of the pages, for whoever sits at the machine."""

import io
import json
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from credit.funding import fund
from credit.models import Transfer
from credit.selectors.balances import list_balances, wallet_balance
from members.access import Actor
from tests.factories import DepartmentFactory, MemberFactory, OrganizationFactory


@pytest.fixture
def organization(db):
    organization = OrganizationFactory(slug="acme")
    fund(organization=organization, actor=Actor.system(), amount=Decimal(100), key=uuid4())
    return organization


@pytest.fixture
def people(organization):
    sales = DepartmentFactory(organization=organization, name="Sales")
    berlin = DepartmentFactory(organization=organization, name="Berlin", parent=sales)
    return [
        MemberFactory(organization=organization, user__skype_name="ann.berg"),
        MemberFactory(organization=organization, department=sales, user__email="bo@acme.example"),
        MemberFactory(organization=organization, department=berlin),
        MemberFactory(organization=organization, department=berlin, state="left", user__skype_name="gone.ek"),
    ]


def run(*words):
    """What the command prints for programs, and why it refused, or ""."""
    out = io.StringIO()
    try:
        call_command("allocate_credit", *words, "--organization", "acme", "--json", stdout=out)
    except CommandError as refusal:
        return json.loads(out.getvalue()), str(refusal)
    return json.loads(out.getvalue()), ""


def balances(people):
    return [int(balance) for balance in list_balances(people[0].organization, people).values()]


def test_one_member_by_skype_name(people):
    assert run("--amount", "10", "--member", "ANN.berg", "--reason", "Trip") == (
        {"members": 1, "amount": "10.0000", "wallet": "90.0000"},
        "",
    )
    assert balances(people) == [10, 0, 0, 0]
    assert Transfer.objects.get(operation="allocation").reason == "Trip"


@pytest.mark.parametrize(
    ("whom", "got"),
    [
        (["--member", "ann.berg", "--member", "bo@acme.example"], [10, 10, 0, 0]),
        (["--department", "sales"], [0, 10, 10, 0]),
        (["--department", "Sales", "--not-under-it"], [0, 10, 0, 0]),
        (["--department", "Sales / Berlin"], [0, 0, 10, 0]),
        (["--all"], [10, 10, 10, 0]),
    ],
)
def test_each_of_several_gets_the_amount(people, whom, got):
    told, refusal = run("--amount", "10.00", *whom)

    number = sum(1 for amount in got if amount)
    assert refusal == ""
    assert told == {"members": number, "amount": "10.0000", "wallet": f"{100 - number * 10}.0000"}
    assert balances(people) == got


def test_the_same_key_gives_the_first_answer(people):
    first = run("--amount", "10", "--all", "--key", "November")
    MemberFactory(organization=people[0].organization)

    assert run("--amount", "10", "--all", "--key", "November") == first
    assert run("--amount", "11", "--all", "--key", "November")[1].startswith("This form was already sent")
    assert balances(people) == [10, 10, 10, 0]


def test_too_little_is_told_with_the_true_balance(people):
    told, refusal = run("--amount", "50", "--all")

    assert refusal == "There is not enough credit: €100.00 of €150.00."
    assert told == {"members": 0, "amount": "50.0000", "wallet": "100.0000", "error": refusal}
    assert balances(people) == [0, 0, 0, 0]


def test_a_dry_run_gives_nobody_any(people):
    told, refusal = run("--amount", "10", "--all", "--dry-run")

    assert (refusal, told["would_get"], told["members"]) == ("", 3, 0)
    assert "€100.00 of €150.00" in run("--amount", "50", "--all", "--dry-run")[1]
    assert balances(people) == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--amount", "10", "--member", "nobody.here"], "There is no member “nobody.here”"),
        (["--amount", "10", "--member", "gone.ek"], "has left"),
        (["--amount", "10", "--member", "ann.berg", "--member", "gone.ek"], "has left"),
        (["--amount", "10", "--department", "Nowhere"], "There is no department “Nowhere”."),
        (["--amount", "1e3", "--all"], "plain digits"),
        (["--amount", "0", "--all"], "more than zero"),
        (["--amount", "1,5", "--all"], "Is 1.50 meant?"),
        (["--amount", "10", "--all", "--reason", "\x07"], "U+0007"),
    ],
)
def test_a_refusal_says_why_and_gives_nobody_any(people, words, why):
    told, refusal = run(*words)

    assert why in refusal
    assert told["members"] == 0
    assert wallet_balance(people[0].organization) == 100


@pytest.mark.parametrize("words", [["--all"], ["--amount", "10"], ["--amount", "10", "--all", "--member", "x"]])
def test_wrong_usage_is_told_from_a_refusal(people, words):
    with pytest.raises(CommandError, match=r"required|not allowed"):
        call_command("allocate_credit", *words, "--organization", "acme")

    assert wallet_balance(people[0].organization) == 100
