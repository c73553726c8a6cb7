"""buy_licenses, assign_licenses and unassign_licenses."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from telephony.models import License
from tests.credit.moves import buy
from tests.factories import MemberFactory, OrganizationFactory
from tests.telephony.licensed import buying, has

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    found = OrganizationFactory()
    buy(found, "1000")
    return found


def run(name, *arguments):
    out = io.StringIO()
    try:
        call_command(name, *arguments, "--json", stdout=out)
    except CommandError as refusal:
        return json.loads(out.getvalue()), str(refusal)
    return json.loads(out.getvalue()), ""


def seats(answer):
    return [answer[name] for name in ("owned", "assigned", "free")]


def test_seats_are_bought_assigned_and_taken_away(organization):
    member = MemberFactory(organization=organization)
    name = member.user.skype_name

    bought, _ = run("buy_licenses", "--product", "phone-system", "--quantity", "5", "--months", "12")
    assert seats(bought) == [5, 0, 5]
    assert bought["amount"] == "504.0000"

    assigned, _ = run("assign_licenses", "--product", "phone-system", "--member", name)
    assert seats(assigned) == [5, 1, 4]
    assert has(member) == ["phone-system"]

    taken, _ = run("unassign_licenses", "--product", "phone-system", "--member", name)
    assert seats(taken) == [5, 0, 5]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["buy_licenses", "--product", "calling-plan-domestic", "--quantity", "1"], "Phone System"),
        (["buy_licenses", "--product", "e5", "--quantity", "100"], "The wallet holds"),
        (["buy_licenses", "--product", "no-such", "--quantity", "1"], "no product"),
        (["assign_licenses", "--product", "premium", "--member", "nobody"], "no member"),
    ],
)
def test_a_refusal_says_why_and_gives_its_json(organization, arguments, reason):
    answer, why = run(*arguments)

    assert reason in why
    assert seats(answer) == [0, 0, 0]
    assert not License.objects.exists()


def test_a_dry_run_tells_and_changes_nothing(organization):
    member = MemberFactory(organization=organization)
    name = member.user.skype_name

    told, _ = run("buy_licenses", "--product", "premium", "--quantity", "2", "--dry-run")
    assert (told["would_buy"], told["amount"]) == (2, "9.9800")
    assert not License.objects.exists()

    buying(organization, "premium")
    told, _ = run("assign_licenses", "--product", "premium", "--member", name, "--dry-run")
    assert told["would_get"] == 1
    told, _ = run("unassign_licenses", "--product", "premium", "--member", name, "--dry-run")
    assert told["would_lose"] == 0
    assert has(member) == []


def test_the_same_key_buys_once(organization):
    arguments = ["buy_licenses", "--product", "premium", "--quantity", "2", "--key", "order 7"]

    assert run(*arguments) == run(*arguments)
    assert License.objects.count() == 1
