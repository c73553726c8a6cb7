"""Whatever happens to credit, in whatever order: the ledger never contradicts itself, nor what was expected.

The machine knows in a few lines of Python what each operation should do, and asks after each step whether the
database says the same and every invariant holds. It is itself tested: it finds each of the mistakes planted below.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from hypothesis.strategies import booleans, integers, lists, sampled_from

from credit import charging, funding, ledger, recharging
from credit.errors import InsufficientCredit
from credit.ledger import Move, account_of, accounts_of
from credit.models import LedgerAccount, Transfer
from credit.recharging import recharged_in
from credit.services.allocation import allocate_credit
from credit.services.recharge import set_auto_recharge, stop_auto_recharge
from credit.services.recharge_sweep import recharge_members
from members.access import Actor
from members.errors import KeyReused
from members.models import Member
from members.months import present_month
from members.services.organization_settings import change_organization_settings
from skypemgr.invariants import all_invariants, find_violations
from tests.factories import MemberFactory, OrganizationFactory

SYSTEM = Actor.system()
ZONES = ["Europe/Paris", "America/Havana", "Pacific/Auckland", "Pacific/Apia", "UTC"]
# Few, so that they meet: equal to a threshold, just below it, several times what a month allows.
CENTS = sampled_from([1, 250, 499, 500, 501, 1_000, 3_000])
LOTS = sampled_from([1_000, 5_000, 20_000])
MEMBER = integers(min_value=0, max_value=1)
FORTY_DAYS = timedelta(days=40)
NOT_OURS = frozenset(name for name in all_invariants() if not name.startswith("credit."))


@dataclass
class Plan:
    amount: Decimal
    below: Decimal
    limit: Decimal


@dataclass
class Holder:
    """What should be known of a member."""

    balance: Decimal = Decimal(0)
    plan: Plan | None = None
    used: Decimal = Decimal(0)


@contextmanager
def undone() -> Iterator[None]:
    """Whatever happens here has not happened."""
    place = transaction.savepoint_create()
    try:
        yield
    finally:
        transaction.set_rollback(False)
        transaction.savepoint_rollback(place)


def euros(cents: int) -> Decimal:
    return Decimal(cents) / 100


class Till(RuleBasedStateMachine):
    """An organization with two members and a wallet, to which anything may happen next."""

    def __init__(self) -> None:
        super().__init__()
        self.place = transaction.savepoint_create()
        self.organization = OrganizationFactory()
        self.members = MemberFactory.create_batch(2, organization=self.organization)
        self.accounts = list(accounts_of(self.organization, self.members).values())
        self.holders = [Holder() for _ in self.members]
        self.wallet = self.owed = self.bought = self.spent = Decimal(0)
        self.done: list[tuple[Callable[[UUID, int], object], UUID, int]] = []

    def teardown(self) -> None:
        # After an error of the database nothing else would be said to it, and the next example fails in its first step.
        transaction.set_rollback(False)
        transaction.savepoint_rollback(self.place)

    @initialize()
    def begin(self) -> None:
        """Something to lose, and somebody who is recharged."""
        self.top_up(5_000)
        self.plan(0, 500, 500, 2)

    def repeatable(self, work: Callable[[UUID, int], object], cents: int) -> None:
        """Do something by a new key, which may be asked for again."""
        key = uuid4()
        work(key, cents)
        self.done.append((work, key, cents))

    def expect_recharges(self, *numbers: int) -> None:
        """One amount after the other while the balance is below and the month allows it; or nothing of it at all."""
        for number in sorted(numbers):
            holder = self.holders[number]
            if holder.plan is None:
                continue
            got = Decimal(0)
            while (
                holder.balance + got < holder.plan.below and holder.used + got + holder.plan.amount <= holder.plan.limit
            ):
                got += holder.plan.amount
            if got <= self.wallet:
                holder.balance += got
                holder.used += got
                self.wallet -= got

    @rule(cents=LOTS)
    def top_up(self, cents: int) -> None:
        self.repeatable(self._fund, cents)
        self.bought += euros(cents)
        settled = min(self.owed, euros(cents))
        self.owed -= settled
        self.wallet += euros(cents) - settled

    def _fund(self, key: UUID, cents: int) -> object:
        return funding.fund(organization=self.organization, actor=SYSTEM, amount=euros(cents), key=key)

    @rule(cents=LOTS)
    def refund(self, cents: int) -> None:
        amount = min(euros(cents), self.bought)
        if not amount:
            return
        self.repeatable(self._take_back, int(amount * 100))
        self.bought -= amount
        self.owed += max(amount - self.wallet, Decimal(0))
        self.wallet = max(self.wallet - amount, Decimal(0))

    def _take_back(self, key: UUID, cents: int) -> object:
        return funding.take_back(organization=self.organization, actor=SYSTEM, amount=euros(cents), key=key)

    @rule(numbers=lists(MEMBER, min_size=1, max_size=2, unique=True), cents=CENTS)
    def allocate(self, numbers: list[int], cents: int) -> None:
        chosen = [self.members[number] for number in numbers]

        def work(key: UUID, cents: int) -> object:
            return allocate_credit(
                actor=SYSTEM, organization=self.organization, members=chosen, amount=euros(cents), key=key
            )

        wanted = euros(cents) * len(numbers)
        if wanted > self.wallet:
            with pytest.raises(InsufficientCredit) as refusal, undone():
                work(uuid4(), cents)
            assert (refusal.value.balance, refusal.value.wanted) == (self.wallet, wanted)
            return
        self.repeatable(work, cents)
        self.wallet -= wanted
        for number in numbers:
            self.holders[number].balance += euros(cents)

    @rule(numbers=lists(MEMBER, min_size=1, max_size=5), cents=CENTS)
    def call(self, numbers: list[int], cents: int) -> None:
        usage = account_of(self.organization, "usage")

        def work(key: UUID, cents: int) -> object:
            moves = [
                Move(self.accounts[number], usage, euros(cents), UUID(int=key.int ^ place))
                for place, number in enumerate(numbers)
            ]
            return charging.charge(organization=self.organization, moves=moves, actor=SYSTEM)

        self.repeatable(work, cents)
        self.spent += euros(cents) * len(numbers)
        for number in numbers:
            self.holders[number].balance -= euros(cents)
        self.expect_recharges(*set(numbers))

    @rule(number=MEMBER, amount=CENTS, below=CENTS, times=integers(min_value=1, max_value=3))
    def plan(self, number: int, amount: int, below: int, times: int) -> None:
        terms = Plan(euros(amount), min(euros(below), euros(amount)), euros(amount) * times)
        set_auto_recharge(
            actor=SYSTEM,
            organization=self.organization,
            members=self._rows(number),
            amount=terms.amount,
            below=terms.below,
            monthly_limit=terms.limit,
        )
        self.holders[number].plan = terms
        self.expect_recharges(number)

    @rule(number=MEMBER)
    def turn_off(self, number: int) -> None:
        stop_auto_recharge(actor=SYSTEM, organization=self.organization, members=self._rows(number))
        self.holders[number].plan = None

    def _rows(self, number: int):
        return Member.objects.filter(pk=self.members[number].pk)

    @rule()
    def sweep(self) -> None:
        recharge_members(self.organization)
        self.expect_recharges(0, 1)

    @rule()
    def turn_the_month(self) -> None:
        # The clock of the database is not ours to turn, so what happened goes back instead.
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE credit_transfer DISABLE TRIGGER USER")
        Transfer.objects.update(recorded_at=F("recorded_at") - FORTY_DAYS)
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE credit_transfer ENABLE TRIGGER USER; SET CONSTRAINTS ALL DEFERRED")
        for holder in self.holders:
            holder.used = Decimal(0)

    @rule(zone=sampled_from(ZONES))
    def move_the_clock(self, zone: str) -> None:
        change_organization_settings(
            actor=SYSTEM,
            organization=self.organization,
            name=self.organization.name,
            time_zone=zone,
            language="en",
            allow_personal_accounts=True,
            show_colleagues=False,
        )

    @precondition(lambda self: self.done)
    @rule(which=integers(min_value=0, max_value=1_000))
    def repeat(self, which: int) -> None:
        work, key, cents = self.done[which % len(self.done)]
        work(key, cents)

    @precondition(lambda self: self.done)
    @rule(which=integers(min_value=0, max_value=1_000))
    def repeat_with_other_facts(self, which: int) -> None:
        work, key, cents = self.done[which % len(self.done)]
        with pytest.raises(KeyReused), undone():
            work(key, cents + 1)

    @rule(cents=CENTS, number=MEMBER, calls=booleans())
    def crash(self, cents: int, number: int, calls: bool) -> None:
        """Somebody dies before the commit: nothing of it has happened."""
        with undone():
            self._fund(uuid4(), cents)
            usage = account_of(self.organization, "usage")
            if calls:
                move = Move(self.accounts[number], usage, euros(cents), uuid4())
                charging.charge(organization=self.organization, moves=[move], actor=SYSTEM)

    @invariant()
    def the_database_says_the_same(self) -> None:
        balances = dict(LedgerAccount.objects.filter(pk__in=self.accounts).values_list("pk", "balance"))
        assert [balances[account] for account in self.accounts] == [holder.balance for holder in self.holders]
        wallet = LedgerAccount.objects.filter(organization=self.organization, kind="wallet").first()
        assert (wallet.balance if wallet else 0) == self.wallet
        assert funding.owed_by(self.organization) == self.owed
        used = LedgerAccount.objects.filter(pk__in=self.accounts).order_by("pk")
        month = present_month(self.organization)
        assert list(used.values_list(recharged_in(month), flat=True)) == [holder.used for holder in self.holders]

    @invariant()
    def what_came_in_is_held_or_spent(self) -> None:
        held = sum(holder.balance for holder in self.holders)
        assert self.bought + self.owed == self.wallet + held + self.spent

    @invariant()
    def nothing_contradicts_itself(self) -> None:
        connection.check_constraints()
        assert find_violations(without=NOT_OURS) == []


def profile(examples: int, steps: int, *, same_each_time: bool = False) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=same_each_time,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
        # A failure is told at once, by all of its steps: finding fewer takes minutes.
        phases=[Phase.explicit, Phase.generate],
    )


def run(examples: int, steps: int, *, same_each_time: bool = False) -> None:
    with connection.cursor() as cursor:
        # All of it is one transaction, which takes longer than any of the product's may.
        cursor.execute("SET LOCAL transaction_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")
    run_state_machine_as_test(Till, settings=profile(examples, steps, same_each_time=same_each_time))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("examples", "steps"), [(8, 25), pytest.param(200, 50, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_whatever_happens_the_ledger_stays_true(examples, steps):
    run(examples, steps)


def uncovered(patch: pytest.MonkeyPatch) -> None:
    """Allocations take what the wallet doesn't hold."""
    replace_in("credit_post", "given_balance < 0", "false")
    replace_in("credit_post_many", "asked.wanted > account.balance", "false")


def forgetful(patch: pytest.MonkeyPatch) -> None:
    """What is asked for again is done again."""
    plain = ledger.Move

    def new_each_time(source, target, amount, key, happened_at=None):
        return plain(source, target, amount, uuid4(), happened_at)

    patch.setattr(funding, "Move", new_each_time)


def lavish(patch: pytest.MonkeyPatch) -> None:
    """One amount more comes than brings the balance back to the threshold."""
    plain = recharging.Need.of.__func__

    def of(cls, *, below, amount, **facts):
        return plain(cls, below=below + amount, amount=amount, **facts)

    patch.setattr(recharging.Need, "of", classmethod(of))


def boundless(patch: pytest.MonkeyPatch) -> None:
    """The limit is asked of each recharge alone, not of the month."""
    plain = recharging.Need.of.__func__

    def of(cls, *, used, **facts):
        return plain(cls, used=Decimal(0), **facts)

    patch.setattr(recharging.Need, "of", classmethod(of))


def unforgiving(patch: pytest.MonkeyPatch) -> None:
    """The next purchase doesn't settle what is owed."""
    patch.setattr(funding, "owed_by", lambda organization: Decimal(0))


def replace_in(function: str, this: str, that: str) -> None:
    """Change a function of the database, in the transaction of this test."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = %s", [function])
        [(definition,)] = cursor.fetchall()
        assert this in definition
        cursor.execute(definition.replace(this, that))


@pytest.mark.django_db
@pytest.mark.parametrize("plant", [uncovered, forgetful, lavish, boundless, unforgiving], ids=lambda bug: bug.__name__)
def test_the_machine_finds_what_is_planted(plant, monkeypatch):
    plant(monkeypatch)

    # What was expected did not come, or the database itself refused what was wrong.
    with pytest.raises((AssertionError, pytest.fail.Exception, DatabaseError, BaseExceptionGroup)):
        run(100, 30, same_each_time=True)
