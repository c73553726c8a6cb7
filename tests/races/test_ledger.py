"""Accounts, the wallet and seals under two who post at once."""

from decimal import Decimal
from functools import partial
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from credit.errors import InsufficientCredit
from credit.funding import fund, owed_by, take_back
from credit.ledger import account_of
from credit.models import LedgerAccount, LedgerSeal, RechargePlan
from credit.sealing import LEDGER
from credit.selectors.balances import balance_of, wallet_balance
from credit.services.allocation import Allocated, allocate_credit
from credit.services.seals import seal_ledgers
from members.sealing import broken_seals
from tests.credit.recharges import SYSTEM, call, pay, plan
from tests.factories import MemberFactory, OrganizationFactory

CONFLICT = r" ON CONFLICT (\(member_id\) )?DO NOTHING"
READ = r'^SELECT .*"credit_ledgeraccount"'
OPENED = "INSERT INTO credit_ledgeraccount"
WAIT_FOR_WRITERS = {"without": r"^LOCK TABLE .*", "instead": "SELECT 1"}


@pytest.fixture
def organization(transactional_db):
    return OrganizationFactory()


def receivable(organization):
    return partial(account_of, organization, LedgerAccount.Kind.RECEIVABLE)


def test_an_account_that_two_ask_for_first_is_opened_once(organization, meanwhile):
    held = meanwhile(receivable(organization), receivable(organization), at=READ)

    assert held.first == held.second == receivable(organization)()


def test_control_without_its_conflict_the_second_account_fails_in_the_database(organization, meanwhile):
    held = meanwhile(receivable(organization), receivable(organization), at=READ, unlocked=True, without=CONFLICT)

    assert isinstance(held.first, IntegrityError)


def test_two_who_set_auto_recharge_of_a_new_member_open_one_account(organization, meanwhile):
    setting = partial(plan, organization, MemberFactory(organization=organization))

    held = meanwhile(setting, setting, at=OPENED)

    assert (held.first, held.second, held.waited) == (1, 0, True)
    assert LedgerAccount.objects.filter(kind="member").count() == RechargePlan.objects.count() == 1


def test_control_without_its_conflict_one_of_two_who_set_auto_recharge_fails(organization, meanwhile):
    setting = partial(plan, organization, MemberFactory(organization=organization))

    held = meanwhile(setting, setting, at=OPENED, unlocked=True, without=CONFLICT)

    assert isinstance(held.second, IntegrityError)


def test_credit_for_a_new_member_whose_account_is_opened_meanwhile_reaches_them(organization, meanwhile):
    pay(organization, 100)
    member = MemberFactory(organization=organization)
    give = partial(
        allocate_credit, actor=SYSTEM, organization=organization, members=[member], amount=Decimal(1), key=uuid4()
    )

    held = meanwhile(partial(plan, organization, member), give, at=OPENED)

    assert (held.first, type(held.second), held.waited) == (1, Allocated, True)
    assert balance_of(organization, member) == 21


def taking_back(organization, amount):
    def back():
        with transaction.atomic():
            return take_back(organization=organization, actor=SYSTEM, amount=Decimal(amount), key=uuid4())

    return back


def test_of_two_that_go_back_at_once_what_the_wallet_lacks_is_owed(organization, race, rounds):
    for number in range(1, rounds + 1):
        pay(organization, 100 + 60 * (number > 1))

        outcomes = race(taking_back(organization, 80), taking_back(organization, 80))

        assert [outcome.new for outcome in outcomes] == [1, 1]
        assert (wallet_balance(organization), owed_by(organization)) == (0, 60)


def test_control_without_the_lock_of_the_wallet_the_second_that_goes_back_fails(organization, race, unguarded):
    pay(organization, 100)
    back = taking_back(organization, 80)

    outcomes = race(*unguarded(back, back, before="SELECT * FROM credit_post"))

    assert [type(one) for one in outcomes if isinstance(one, Exception)] == [InsufficientCredit]


def slow_call_and_seal(organization):
    """Somebody whose call is not over yet when another's is, and then what is new is sealed."""
    one, other = MemberFactory.create_batch(2, organization=organization)
    for member in (one, other):
        call(organization, member, costs=1)
    seal_ledgers()

    def call_and_seal():
        call(organization, other, costs=1)
        return seal_ledgers()

    return partial(call, organization, one, costs=1), call_and_seal


def test_a_seal_waits_for_transfers_under_way(organization, meanwhile):
    held = meanwhile(*slow_call_and_seal(organization), at="credit_post")

    # Half a second it waits; then it leaves it to the next hour.
    assert held.first.new == 1
    assert held.second == 0 or held.waited
    seal_ledgers()
    assert list(broken_seals(LEDGER, organization)) == []
    assert sum(LedgerSeal.objects.values_list("rows", flat=True)) == 4


def test_control_without_waiting_a_transfer_is_left_out_of_its_seal(organization, meanwhile):
    held = meanwhile(*slow_call_and_seal(organization), at="credit_post", unlocked=True, **WAIT_FOR_WRITERS)

    assert (held.first.new, held.second, held.waited) == (1, 1, False)
    assert len(list(broken_seals(LEDGER, organization))) == 1


def test_two_who_seal_at_once_make_one_seal(organization, race):
    fund(organization=organization, actor=SYSTEM, amount=Decimal(1), key=uuid4())

    assert sorted(race(*[seal_ledgers] * 2)) == [0, 1]
    assert LedgerSeal.objects.count() == 1
