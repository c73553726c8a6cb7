"""Calls that were charged, rated again by rates that were corrected: given back, and charged anew."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credit.models import Transfer
from credit.selectors.balances import balance_of
from members.audit import Action
from members.models import AuditEntry
from telephony.models import Call, DayUsage, MonthUsage
from telephony.services import rerating
from telephony.services.rerating import rerate_calls
from telephony.services.usage import rebuild_usage
from tests.factories import MemberFactory, OrganizationFactory
from tests.telephony.calls import PRICES, SYSTEM, a_call, imported, with_rates

pytestmark = pytest.mark.django_db
OCTOBER = {"first": date(2026, 10, 1), "last": date(2026, 10, 31)}
Operation = Transfer.Operation


@pytest.fixture
def company():
    with_rates()
    organization = OrganizationFactory(country="FR", currency="EUR", time_zone="Europe/Paris", language="en")
    for name in ("marie.curie", "pierre.curie"):
        MemberFactory(organization=organization, user__skype_name=name)
    return organization


@pytest.fixture
def marie(company):
    return company.members.get(user__skype_name="marie.curie")


def sums_agree(organization):
    """That calls, what they add up to, and the ledger say the same; gives what they say."""
    assert rebuild_usage(actor=SYSTEM, organization=organization, check=True).differences == []
    calls = Call.objects.filter(organization=organization).aggregate(sum=Sum("charge", default=0))["sum"]
    moved = {
        operation: Transfer.objects.filter(organization=organization, operation=operation).aggregate(
            sum=Sum("amount", default=0)
        )["sum"]
        for operation in (Operation.CHARGE, Operation.REFUND)
    }
    assert calls == moved[Operation.CHARGE] - moved[Operation.REFUND]
    assert calls == MonthUsage.objects.filter(organization=organization).aggregate(sum=Sum("charge", default=0))["sum"]
    return calls


def test_what_a_call_cost_is_given_back_and_what_it_costs_now_is_charged(company, marie):
    imported(company, [a_call(1, account="marie.curie"), a_call(2, account="marie.curie", to="+33123456789")])
    assert balance_of(company, marie) == Decimal("-0.0700")
    with_rates({**PRICES, "34": "0.030000"})

    rerated = rerate_calls(actor=SYSTEM, organization=company, **OCTOBER)

    assert (rerated.calls, rerated.changed) == (2, 1)
    assert (rerated.given_back, rerated.charged) == (Decimal("0.0500"), Decimal("0.0300"))
    assert balance_of(company, marie) == Decimal("-0.0500")
    assert sums_agree(company) == Decimal("0.0500")
    call = Call.objects.get(digits__startswith="34")
    assert (call.charge, call.price, call.postings) == (Decimal("0.0300"), Decimal("0.0300"), 2)
    [back] = Transfer.objects.filter(operation=Operation.REFUND)
    assert back.happened_at == call.at
    assert AuditEntry.objects.get(action=Action.CALLS_RERATED).after == {"calls": 1, "amount": "-0.0200"}


def test_again_changes_nothing_and_trying_it_neither(company, marie):
    imported(company, [a_call(number, account="marie.curie") for number in range(3)])
    with_rates({**PRICES, "34": "0.080000"})

    tried = rerate_calls(actor=SYSTEM, organization=company, **OCTOBER, dry_run=True)
    assert (tried.changed, tried.charged) == (3, Decimal("0.2400"))
    assert balance_of(company, marie) == Decimal("-0.1500")
    rerate_calls(actor=SYSTEM, organization=company, **OCTOBER)
    assert rerate_calls(actor=SYSTEM, organization=company, **OCTOBER).changed == 0
    assert sums_agree(company) == Decimal("0.2400")
    assert AuditEntry.objects.filter(action=Action.CALLS_RERATED).count() == 1


def test_days_beside_and_what_has_no_rate_any_more_stay_as_they_are(company, marie):
    november = a_call(9, account="marie.curie", at=datetime(2026, 11, 15, tzinfo=UTC))
    imported(company, [a_call(1, account="marie.curie"), a_call(2, account="marie.curie", to="+46123456789"), november])
    with_rates({"34": "0.010000"})

    rerated = rerate_calls(actor=SYSTEM, organization=company, **OCTOBER)

    assert rerated.changed == 1
    assert Call.objects.get(digits__startswith="46").charge == Decimal("0.0300")
    assert Call.objects.get(day__month=11).charge == Decimal("0.0500")
    sums_agree(company)


def test_a_call_that_became_free_is_given_back_and_can_cost_something_again(company, marie):
    imported(company, [a_call(1, account="marie.curie")])
    for price, balance in (("0.000000", "0.0000"), ("0.090000", "-0.0900"), ("0.000000", "0.0000")):
        with_rates({**PRICES, "34": price})
        rerate_calls(actor=SYSTEM, organization=company, **OCTOBER)
        assert balance_of(company, marie) == Decimal(balance)
    assert sums_agree(company) == 0


def test_many_are_rated_again_some_at_a_time(company, marie, monkeypatch):
    imported(company, [a_call(number, account="marie.curie") for number in range(7)])
    monkeypatch.setattr(rerating, "CHUNK", 3)
    with_rates({**PRICES, "34": "0.060000"})

    rerated = rerate_calls(actor=SYSTEM, organization=company, **OCTOBER)

    assert (rerated.calls, rerated.changed) == (7, 7)
    assert sums_agree(company) == Decimal("0.4200")


def test_a_crash_before_the_end_of_a_chunk_loses_and_doubles_nothing(company, marie, monkeypatch):
    imported(company, [a_call(number, account="marie.curie") for number in range(4)])
    with_rates({**PRICES, "34": "0.060000"})
    monkeypatch.setattr(rerating, "CHUNK", 2)
    crashed = iter([None, RuntimeError("killed")])

    def kill(name):
        if error := next(crashed, None):
            raise error

    monkeypatch.setattr(rerating, "kill_point", kill)
    with pytest.raises(RuntimeError):
        rerate_calls(actor=SYSTEM, organization=company, **OCTOBER)
    assert sums_agree(company) == Decimal("0.2200")

    assert rerate_calls(actor=SYSTEM, organization=company, **OCTOBER).changed == 2
    assert sums_agree(company) == Decimal("0.2400")


@given(
    prices=st.lists(st.integers(0, 40), min_size=1, max_size=4),
    seconds=st.lists(st.integers(0, 400), min_size=1, max_size=5),
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_rates_do_balances_are_what_calls_cost_at_last(prices, seconds):
    with_rates()
    organization = OrganizationFactory(country="FR", currency="EUR")
    member = MemberFactory(organization=organization)
    name = member.user.skype_name
    imported(organization, [a_call(place, account=name, seconds=each) for place, each in enumerate(seconds)])
    for price in prices:
        with_rates({**PRICES, "34": f"0.{price:06}"})
        rerate_calls(actor=SYSTEM, organization=organization, **OCTOBER)

    each_costs = [Decimal(prices[-1]) * -(-one // 60) / 1_000_000 for one in seconds]
    exact = sum(cost.quantize(Decimal("0.0001"), rounding="ROUND_UP") for cost in each_costs)
    assert balance_of(organization, member) == -exact
    assert sums_agree(organization) == exact


def test_the_command_tells_what_came_of_it(company, marie, capsys):
    imported(company, [a_call(1, account="marie.curie")])
    with_rates({**PRICES, "34": "0.030000"})

    asked = ["--organization", company.slug, "--from", "2026-10-01", "--to", "2026-10-31", "--json"]
    call_command("rerate_calls", *asked)

    told = json.loads(capsys.readouterr().out)
    assert told == {"calls": 1, "changed": 1, "given_back": "0.0500", "charged": "0.0300", "currency": "EUR"}
    assert DayUsage.objects.get().charge == Decimal("0.0300")


def test_a_page_tries_and_rates_again_some_at_a_time(client, company, marie, monkeypatch):
    client.force_login(MemberFactory(organization=company, role="voice_manager").user)
    imported(company, [a_call(number, account="marie.curie") for number in range(5)])
    with_rates({**PRICES, "34": "0.060000"})
    monkeypatch.setattr(rerating, "CHUNK", 2)
    monkeypatch.setattr("telephony.views.calls.CHUNK", 2)
    page = f"/{company.slug}/calls/rerate/"
    days = {"first": "2026-10-01", "last": "2026-10-31"}

    tried = client.post(page, {**days, "try": "1"}).context
    assert (tried["rerated"].changed, tried["rerated"].charged) == (2, Decimal("0.1200"))
    assert balance_of(company, marie) == Decimal("-0.2500")

    changed, behind = 0, ""
    for _press in range(3):
        answer = client.post(page, {**days, "behind": behind})
        changed += answer.context["rerated"].changed
        behind = answer.context.get("behind", "")
    assert (changed, behind) == (5, "")
    assert balance_of(company, marie) == Decimal("-0.3000")
    sums_agree(company)


def test_days_that_end_before_they_begin_are_refused_beside_their_field(client, company):
    client.force_login(MemberFactory(organization=company, role="voice_manager").user)

    answer = client.post(f"/{company.slug}/calls/rerate/", {"first": "2026-10-02", "last": "2026-10-01"})

    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["last"])
