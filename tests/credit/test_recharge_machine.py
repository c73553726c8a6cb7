"""Whatever happens to members who are recharged, in whatever order: a plain Python model foretells every balance.

No limit is passed, the wallet never falls below zero, and nobody gets more than they need.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from hypothesis.strategies import booleans, integers, lists, sampled_from, tuples

from credit.ledger import Move, account_of, accounts_of, post
from credit.models import LedgerAccount, RechargePlan, Transfer
from credit.selectors.balances import wallet_balance
from credit.selectors.recharges import State, list_recharging, refused_plans
from credit.services.recharge import stop_auto_recharge
from credit.services.recharge_sweep import answer_calls, recharge_members
from members.models import Member
from tests.credit.recharges import SYSTEM, call, pay, plan, put_into_the_past
from tests.factories import MemberFactory, OrganizationFactory

PEOPLE = 4
WHO = integers(0, PEOPLE - 1)
CENTS = integers(1, 6_000).map(lambda cents: Decimal(cents) / 100)
AMOUNTS = integers(1, 40).map(lambda number: Decimal(number) / 2)


@dataclass
class Recharged:
    """What should be known of a member."""

    balance: Decimal = Decimal(0)
    used: Decimal = Decimal(0)
    active: bool = False
    amount: Decimal = Decimal(0)
    below: Decimal = Decimal(0)
    limit: Decimal = Decimal(0)
    refusal: str = ""
    # Of the limits of this month the highest.
    limits: list[Decimal] = field(default_factory=list)


class Kasse(RuleBasedStateMachine):
    """An organization with a wallet, and members who talk."""

    def __init__(self) -> None:
        super().__init__()
        self.place = transaction.savepoint_create()
        self.organization = OrganizationFactory()
        self.people = [MemberFactory(organization=self.organization) for _ in range(PEOPLE)]
        # Opened in an order of their own, which is that in which the wallet serves them.
        for place in (2, 0, 3, 1):
            accounts_of(self.organization, [self.people[place]])
        self.order = [2, 0, 3, 1]
        self.known = [Recharged() for _ in self.people]
        self.wallet = Decimal(0)
        self.called = False

    def teardown(self) -> None:
        transaction.savepoint_rollback(self.place)

    def recharge(self, chosen: list[int]) -> None:
        """The rule in plain words: amount after amount, while the balance is below and the limit allows the next."""
        for one in (self.known[place] for place in self.order if place in chosen):
            if not one.active:
                continue
            added = Decimal(0)
            while one.balance + added < one.below and one.used + added + one.amount <= one.limit:
                added += one.amount
            if added > self.wallet:
                one.refusal = "wallet"
                continue
            self.wallet -= added
            one.balance += added
            one.used += added
            one.refusal = "limit" if one.balance < one.below else ""

    @rule(amount=CENTS)
    def buy(self, amount: Decimal) -> None:
        pay(self.organization, amount)
        self.wallet += amount
        self.called = True

    @rule(chosen=lists(WHO, min_size=1, unique=True), costs=CENTS)
    def talk(self, chosen: list[int], costs: Decimal) -> None:
        call(self.organization, *(self.people[place] for place in chosen), costs=costs)
        for place in chosen:
            self.known[place].balance -= costs
        self.recharge(chosen)

    @rule(who=WHO, amount=CENTS)
    def allocate(self, who: int, amount: Decimal) -> None:
        if amount > self.wallet:
            return
        wallet = account_of(self.organization, "wallet")
        account = accounts_of(self.organization, [self.people[who]])[self.people[who].pk]
        moves = [Move(wallet, account, amount, uuid4())]
        post(organization=self.organization, operation="allocation", moves=moves, actor=SYSTEM)
        self.wallet -= amount
        self.known[who].balance += amount

    @rule(
        chosen=lists(WHO, min_size=1, unique=True),
        amount=AMOUNTS,
        share=sampled_from([0, 25, 50, 100]),
        more=tuples(integers(1, 4), booleans()),
    )
    def save_and_activate(self, chosen: list[int], amount: Decimal, share: int, more: tuple[int, bool]) -> None:
        below = amount * share / 100
        limit = amount * more[0] + (Decimal("0.01") if more[1] else 0)
        plan(self.organization, *(self.people[place] for place in chosen), amount=amount, below=below, limit=limit)
        for place in chosen:
            one = self.known[place]
            if not (one.active and (one.amount, one.below, one.limit) == (amount, below, limit)):
                one.active, one.amount, one.below, one.limit, one.refusal = True, amount, below, limit, ""
            one.limits.append(limit)
        self.recharge(chosen)

    @rule(who=WHO)
    def turn_off(self, who: int) -> None:
        stopped = stop_auto_recharge(
            actor=SYSTEM, organization=self.organization, members=Member.objects.filter(pk=self.people[who].pk)
        )
        assert stopped == self.known[who].active
        self.known[who].active, self.known[who].refusal = False, ""

    @rule()
    def sweep(self) -> None:
        recharge_members(self.organization)
        self.recharge(self.order)

    @rule()
    def answer(self) -> None:
        answer_calls()
        if self.called:
            self.recharge(self.order)
        self.called = False

    @rule()
    def let_the_month_turn(self) -> None:
        put_into_the_past(*self.people, days=32)
        for one in self.known:
            one.used, one.limits = Decimal(0), [one.limit]

    @invariant()
    def every_balance_is_foretold(self) -> None:
        assert wallet_balance(self.organization) == self.wallet
        found = dict(LedgerAccount.objects.filter(kind="member").values_list("member_id", "balance"))
        assert [found[person.pk] for person in self.people] == [one.balance for one in self.known]

    @invariant()
    def the_plans_say_what_is_foretold(self) -> None:
        plans = {plan.member_id: plan for plan in RechargePlan.objects.all()}
        for person, one in zip(self.people, self.known, strict=True):
            if person.pk in plans:
                assert (plans[person.pk].active, plans[person.pk].refusal) == (one.active, one.refusal)
        told = list_recharging(self.organization, self.people)
        for person, one in zip(self.people, self.known, strict=True):
            if stands := told.get(person.pk):
                assert stands.used == one.used
                suspended = one.active and one.used + one.amount > one.limit
                assert stands.state == (State.SUSPENDED if suspended else State.ACTIVE if one.active else State.OFF)

    @invariant()
    def no_limit_is_passed(self) -> None:
        assert self.wallet >= 0
        for one in self.known:
            assert one.used <= max(one.limits, default=Decimal(0))
        assert not Transfer.objects.filter(source_after__lt=0).exclude(operation="charge").exists()

    @invariant()
    def nobody_gets_more_than_they_need(self) -> None:
        for recharge in Transfer.objects.filter(operation="recharge").order_by("-pk")[:PEOPLE]:
            assert recharge.target_after is not None
            assert recharge.target_after < 40, "twice the highest amount there is"

    @invariant()
    def those_who_were_refused_are_named(self) -> None:
        named = {plan.member_id for plan in refused_plans(self.organization, "wallet")}
        assert named == {
            person.pk
            for person, one in zip(self.people, self.known, strict=True)
            if one.refusal == "wallet" and one.balance < one.below
        }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("examples", "steps"), [(10, 30), pytest.param(200, 50, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_every_recharge_is_as_a_plain_model_foretells(examples, steps):
    with connection.cursor() as cursor:
        # All of it is one transaction, which takes longer than any of the product's may.
        cursor.execute("SET LOCAL transaction_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")
    run_state_machine_as_test(
        Kasse,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate],
        ),
    )
