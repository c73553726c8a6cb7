from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from credit.errors import InsufficientCredit
from credit.ledger import Move, account_of, accounts_of, post
from credit.models import LedgerAccount, Transfer
from members.access import Actor
from members.errors import KeyReused
from tests.factories import MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    return OrganizationFactory()


@pytest.fixture
def wallet(organization):
    return account_of(organization, "wallet")


def fund(organization, wallet, amount, key=None):
    purchases = account_of(organization, "purchases")
    return post(
        organization=organization,
        operation="purchase",
        moves=[Move(purchases, wallet, Decimal(amount), key or uuid4())],
        actor=Actor.system(),
    )


def balance(account):
    return LedgerAccount.objects.get(pk=account).balance


def allocate(organization, wallet, accounts, amount, key=None):
    key = key or uuid4()
    moves = [Move(wallet, account, Decimal(amount), key) for account in accounts]
    return post(organization=organization, operation="allocation", moves=moves, actor=Actor.system())


def test_a_transfer_moves_credit_and_says_both_balances(organization, wallet):
    fund(organization, wallet, "100")
    [account] = accounts_of(organization, [MemberFactory(organization=organization)]).values()

    posted = allocate(organization, wallet, [account], "30.5")

    assert (posted.new, posted.repeated) == (1, 0)
    assert (balance(wallet), balance(account)) == (Decimal("69.5"), Decimal("30.5"))
    transfer = Transfer.objects.get(operation="allocation")
    assert (transfer.source_after, transfer.target_after) == (Decimal("69.5"), Decimal("30.5"))
    assert (transfer.source_version, transfer.target_version) == (2, 1)


def test_many_transfers_are_all_or_nothing(organization, wallet):
    fund(organization, wallet, "100")
    accounts = accounts_of(organization, [MemberFactory(organization=organization) for _ in range(5)]).values()

    with pytest.raises(InsufficientCredit) as refusal, transaction.atomic():
        allocate(organization, wallet, accounts, "20.01")
    assert (refusal.value.balance, refusal.value.wanted) == (Decimal(100), Decimal("100.05"))
    assert balance(wallet) == 100
    assert {balance(account) for account in accounts} == {0}

    allocate(organization, wallet, accounts, "20")
    assert balance(wallet) == 0
    assert {balance(account) for account in accounts} == {20}
    assert sorted(Transfer.objects.filter(operation="allocation").values_list("source_after", flat=True)) == [
        0,
        20,
        40,
        60,
        80,
    ]


def test_the_same_key_moves_nothing_again_and_other_facts_are_refused(organization, wallet):
    fund(organization, wallet, "100")
    accounts = list(accounts_of(organization, [MemberFactory(organization=organization) for _ in range(3)]).values())
    key = uuid4()
    allocate(organization, wallet, accounts[:2], "10", key)

    again = allocate(organization, wallet, accounts[:2], "10", key)
    more = allocate(organization, wallet, accounts, "10", key)

    assert (again.new, again.repeated) == (0, 2)
    assert (more.new, more.repeated) == (1, 2)
    assert balance(wallet) == 70
    with pytest.raises(KeyReused), transaction.atomic():
        allocate(organization, wallet, accounts, "11", key)


def test_one_transfer_that_is_repeated_leaves_everything_as_it_was(organization, wallet):
    fund(organization, wallet, "30")
    [account] = accounts_of(organization, [MemberFactory(organization=organization)]).values()
    key = uuid4()
    allocate(organization, wallet, [account], "20", key)

    # The wallet would not cover another one, and does not have to.
    again = allocate(organization, wallet, [account], "20", key)

    assert (again.new, again.repeated) == (0, 1)
    assert (balance(wallet), balance(account)) == (10, 20)
    assert LedgerAccount.objects.get(pk=wallet).version == 2
    for other_amount in ("5", "25"):
        with pytest.raises(KeyReused), transaction.atomic():
            allocate(organization, wallet, [account], other_amount, key)
    with pytest.raises(InsufficientCredit) as refusal, transaction.atomic():
        allocate(organization, wallet, [account], "10.01")
    assert (refusal.value.balance, refusal.value.wanted) == (Decimal(10), Decimal("10.01"))


@pytest.mark.parametrize("number", [1, 2])
def test_credit_never_goes_back_from_a_member_to_the_wallet(organization, wallet, number):
    fund(organization, wallet, "100")
    people = [MemberFactory(organization=organization) for _ in range(number)]
    accounts = list(accounts_of(organization, people).values())
    allocate(organization, wallet, accounts, "10")

    for operation in ("fee", "charge", "refund", "allocation"):
        moves = [Move(account, wallet, Decimal(1), uuid4()) for account in accounts]
        with pytest.raises(DatabaseError), transaction.atomic():
            post(organization=organization, operation=operation, moves=moves, actor=Actor.system())

    assert {balance(account) for account in accounts} == {10}


def test_only_a_call_takes_a_member_below_zero(organization, wallet):
    [account] = accounts_of(organization, [MemberFactory(organization=organization)]).values()
    usage = account_of(organization, "usage")
    moves = [Move(account, usage, Decimal("0.5"), uuid4())]

    with pytest.raises(InsufficientCredit), transaction.atomic():
        post(organization=organization, operation="fee", moves=moves, actor=Actor.system())
    post(organization=organization, operation="charge", moves=moves, actor=Actor.system())

    assert balance(account) == Decimal("-0.5")


ANOTHER_ONE = """
    INSERT INTO credit_transfer (organization_id, source_id, target_id, amount, source_after, source_version,
        target_after, target_version, operation, key, happened_at, recorded_at, actor_kind, reason)
    SELECT organization_id, source_id, target_id, amount, source_after, source_version, target_after + amount,
        target_version + 1, operation, gen_random_uuid(), happened_at, recorded_at, actor_kind, reason
    FROM credit_transfer
"""


AN_ACCOUNT = """
    INSERT INTO credit_ledgeraccount (organization_id, kind, member_id, balance, version)
    SELECT max(id), {} FROM members_organization
"""


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE credit_ledgeraccount SET balance = balance + 1",
        "UPDATE credit_ledgeraccount SET version = version + 1",
        "UPDATE credit_ledgeraccount SET kind = 'receivable' WHERE kind = 'wallet'",
        "DELETE FROM credit_ledgeraccount",
        "UPDATE credit_transfer SET amount = amount + 1",
        "DELETE FROM credit_transfer",
        "TRUNCATE credit_transfer",
        "TRUNCATE credit_ledgeraccount CASCADE",
        ANOTHER_ONE,
        AN_ACCOUNT.format("'savings', NULL, NULL, NULL"),
        AN_ACCOUNT.format("'fees', NULL, 0, 0"),
        AN_ACCOUNT.format("'wallet', NULL, NULL, NULL"),
        AN_ACCOUNT.format("'member', NULL, 0, 0"),
        AN_ACCOUNT.format("'wallet', NULL, 5, 0"),
    ],
)
def test_the_database_refuses_what_is_no_transfer(organization, wallet, statement):
    fund(organization, wallet, "100")

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert balance(wallet) == 100


def test_nobody_can_have_the_guards_ignored(organization, wallet):
    fund(organization, wallet, 10)
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")
        triggers = [name for (name,) in cursor.fetchall()]
        # As pgtrigger.ignore tells the triggers that it made.
        cursor.execute("SELECT set_config('pgtrigger.ignore', %s, true)", ["{" + ",".join(triggers) + "}"])

    with pytest.raises(DatabaseError, match=r"credit_post alone"), transaction.atomic():
        LedgerAccount.objects.filter(pk=wallet).update(balance=Decimal(11))


def test_a_transfer_between_organizations_is_refused(organization, wallet):
    fund(organization, wallet, "100")
    other = account_of(OrganizationFactory(), "wallet")

    with pytest.raises(DatabaseError), transaction.atomic():
        allocate(organization, wallet, [other], "10")
