"""Recharges, charges and changes of plans that meet: no limit is passed, and nobody gets more than they need."""

from functools import partial

import pytest

from credit.errors import InsufficientCredit
from credit.ledger import accounts_of
from credit.models import RechargeCall, RechargePlan, Transfer
from credit.recharging import due_accounts
from credit.selectors.balances import balance_of, wallet_balance
from credit.services.recharge import stop_auto_recharge
from credit.services.recharge_sweep import answer_calls, recharge_members, recharge_some
from members.models import Member
from skypemgr.invariants import find_violations
from tests.credit.recharges import SYSTEM, call, pay, plan, recharged, refusal_of
from tests.factories import MemberFactory, OrganizationFactory

WALLET_LOCK = r" FOR NO KEY UPDATE$"
NEEDS = r"^SELECT .*monthly_limit"
DUE = r'FOR NO KEY UPDATE OF "credit_ledgeraccount"'


@pytest.fixture
def organization(transactional_db):
    return OrganizationFactory()


@pytest.fixture
def member(organization):
    return MemberFactory(organization=organization)


@pytest.fixture
def low(organization, member):
    """Somebody whose wallet was empty when they fell to -30; two recharges of 20 bring them back."""
    plan(organization, member, amount=20, below=5, limit=50)
    call(organization, member, costs=30)
    pay(organization, 1000)
    RechargeCall.objects.all().delete()
    return member


def stop(organization):
    return stop_auto_recharge(actor=SYSTEM, organization=organization, members=Member.objects.all())


def test_two_calls_of_one_member_at_once_recharge_what_both_take(organization, member, race, rounds):
    pay(organization, 100_000)
    plan(organization, member, amount=20, below=5, limit=100_000)
    for _round in range(rounds):
        before = balance_of(organization, member)

        outcomes = race(*[partial(call, organization, member, costs=9)] * 2)

        assert [outcome.new for outcome in outcomes] == [1, 1]
        after = balance_of(organization, member)
        assert 5 <= after < 25
        assert (after - before + 18) % 20 == 0


def test_twenty_sweeps_at_once_recharge_once(organization, low, race):
    outcomes = race(*[partial(recharge_members, organization)] * 20)

    assert sorted(outcomes) == [0] * 19 + [1]
    assert recharged(low) == 40
    assert balance_of(organization, low) == 10


def test_control_without_the_lock_sweeps_pass_the_limit(organization, low, race, unguarded):
    race(*unguarded(*[partial(recharge_members, organization)] * 2, before="SELECT * FROM credit_post"))

    assert recharged(low) == 80
    assert RechargePlan.objects.get().monthly_limit == 50


def test_a_call_during_a_sweep_waits_and_is_recharged_for_itself(organization, low, meanwhile):
    held = meanwhile(partial(recharge_members, organization), partial(call, organization, low, costs=6), at=NEEDS)

    assert held.waited
    assert held.first == 1
    assert balance_of(organization, low) == 4, "the limit of 50 leaves no room for a third"
    assert recharged(low) == 40
    assert refusal_of(low) == "limit"


def test_a_sweep_during_a_call_finds_nobody_low(organization, low, meanwhile):
    held = meanwhile(partial(call, organization, low, costs=1), partial(recharge_members, organization), at=NEEDS)

    assert held.waited
    assert held.second == 0
    assert recharged(low) == 40
    assert balance_of(organization, low) == 9


def test_terms_changed_during_a_recharge_come_after_it(organization, low, meanwhile):
    held = meanwhile(
        partial(recharge_members, organization), partial(plan, organization, low, amount=20, limit=20), at=NEEDS
    )

    assert held.waited
    assert (held.first, held.second) == (1, 1)
    assert recharged(low) == 40, "as the terms were; what they are now leaves no room"


def test_control_without_the_locks_more_comes_than_either_terms_allow(organization, low, meanwhile):
    meanwhile(
        partial(recharge_members, organization),
        partial(plan, organization, low, amount=20, limit=20),
        at=NEEDS,
        unlocked=True,
    )

    assert recharged(low) == 60


def test_turned_off_during_a_call_it_is_off_after_its_recharge(organization, low, meanwhile):
    held = meanwhile(partial(call, organization, low, costs=1), partial(stop, organization), at=NEEDS)

    assert held.waited
    assert (recharged(low), held.second) == (40, 1)
    assert refusal_of(low) == ""


def test_a_call_while_it_is_turned_off_recharges_nothing(organization, low, meanwhile):
    held = meanwhile(partial(stop, organization), partial(call, organization, low, costs=1), at=r"^UPDATE")

    assert held.waited
    assert recharged(low) == 0
    assert balance_of(organization, low) == -31


def two_who_need_what_is_there_for_one(organization):
    people = [MemberFactory(organization=organization) for _ in range(2)]
    plan(organization, *people, amount=20, below=5, limit=50)
    pay(organization, 20)
    accounts = accounts_of(organization, people)
    return [partial(recharge_some, organization=organization, accounts=(accounts[one.pk],)) for one in people]


def test_of_two_whom_the_wallet_covers_once_one_is_recharged(organization, race):
    outcomes = race(*two_who_need_what_is_there_for_one(organization))

    assert sorted(outcomes) == [0, 1]
    assert wallet_balance(organization) == 0
    assert sorted(RechargePlan.objects.values_list("refusal", flat=True)) == ["", "wallet"]


def test_control_without_the_lock_of_the_wallet_one_of_two_fails(organization, race, unguarded):
    outcomes = race(
        *unguarded(*two_who_need_what_is_there_for_one(organization), without=WALLET_LOCK, at_the_guard=True)
    )

    assert any(isinstance(outcome, InsufficientCredit) for outcome in outcomes)


def test_credit_that_comes_while_a_recharge_is_refused_leads_to_it(organization, member, meanwhile):
    plan(organization, member, amount=20, below=5, limit=50)
    pay(organization, 5)
    RechargeCall.objects.all().delete()

    held = meanwhile(partial(recharge_members, organization), partial(pay, organization, 100), at=WALLET_LOCK)

    assert held.waited
    assert (held.first, refusal_of(member)) == (0, "wallet")
    assert RechargeCall.objects.count() == 1
    assert answer_calls() == 1
    assert balance_of(organization, member) == 20


def test_a_call_made_while_others_are_answered_is_not_forgotten(organization, low, meanwhile):
    RechargeCall.objects.create(organization=organization)

    held = meanwhile(answer_calls, partial(pay, organization, 100), at=DUE)

    assert held.first == 1
    assert RechargeCall.objects.count() == 1


def test_members_are_locked_in_their_order_and_the_wallet_last(organization, statements):
    people = [MemberFactory(organization=organization) for _ in range(3)]
    plan(organization, *people)
    pay(organization, 100)

    taken = [sql for sql in statements(partial(recharge_members, organization)) if " FOR " in sql]

    assert len(taken) == 2
    # By the first column, which is the key.
    assert taken[0].endswith('ORDER BY 1 ASC FOR NO KEY UPDATE OF "credit_ledgeraccount"')
    assert taken[0].startswith('SELECT "credit_ledgeraccount"."id" AS "pk" FROM')
    assert "member_id" not in taken[1]


def test_calls_sweeps_and_credit_at_once_leave_everything_right(organization, race, rounds):
    people = [MemberFactory(organization=organization) for _ in range(4)]
    pay(organization, 150)
    plan(organization, *people, amount=10, below=5, limit=60)
    for _round in range(rounds):
        outcomes = race(
            partial(call, organization, *people, costs=3),
            partial(call, organization, *reversed(people), costs=4),
            partial(recharge_members, organization),
            partial(pay, organization, 10),
            answer_calls,
            partial(plan, organization, people[0], amount=10, below=5, limit=60),
        )
        assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []

    answer_calls()
    assert all(recharged(one) <= 60 for one in people)
    assert wallet_balance(organization) >= 0
    assert not Transfer.objects.filter(source_after__lt=0).exclude(operation="charge").exists()
    # Whoever is low could not be helped.
    for account in due_accounts(organization):
        assert refusal_of(account.member) in {"limit", "wallet"}
    assert [found for found in find_violations() if found.invariant.startswith("credit.")] == []
