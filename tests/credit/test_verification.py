import json
from decimal import Decimal
from threading import Event, Thread
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction

from credit.funding import fund, take_back
from credit.ledger import Move, account_of, accounts_of, post
from credit.models import LedgerSeal, Transfer
from credit.services.seals import seal_ledgers
from members.access import Actor
from skypemgr.invariants import find_violations
from tests.factories import MemberFactory, OrganizationFactory

SYSTEM = Actor.system()


@pytest.fixture
def organization(db):
    """A company in which everything has happened that moves credit."""
    organization = OrganizationFactory(slug="acme")
    people = [MemberFactory(organization=organization) for _ in range(3)]
    accounts = list(accounts_of(organization, people).values())
    fund(organization=organization, actor=SYSTEM, amount=Decimal(100), key=uuid4())
    wallet, usage = account_of(organization, "wallet"), account_of(organization, "usage")
    key = uuid4()
    shares = [Move(wallet, account, Decimal("20.5"), key) for account in accounts]
    post(organization=organization, operation="allocation", moves=shares, actor=SYSTEM)
    calls = [Move(accounts[0], usage, Decimal("15.25"), uuid4()) for _ in range(3)]
    post(organization=organization, operation="charge", moves=calls, actor=SYSTEM)
    take_back(organization=organization, actor=SYSTEM, amount=Decimal(90), key=uuid4())
    fund(organization=organization, actor=SYSTEM, amount=Decimal(60), key=uuid4())
    return organization


def verify(capsys, *options):
    """The exit status and the result of `verify_ledger --json`."""
    try:
        call_command("verify_ledger", "--json", *options)
        status = 0
    except CommandError:
        status = 1
    return status, json.loads(capsys.readouterr().out)


def tamper(statement):
    """Change the ledger as only somebody can who owns the database."""
    tables = ("credit_ledgeraccount", "credit_transfer", "credit_ledgerseal")
    last = str(Transfer.objects.filter(operation="charge").order_by("-pk")[0].pk)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement.replace("LAST", last))
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def test_a_ledger_that_adds_up_has_no_differences(organization, capsys):
    seal_ledgers()

    assert verify(capsys, "--seals") == (0, {"transfers": 11, "accounts": 7, "differences": []})
    assert not [found for found in find_violations() if found.invariant.startswith("credit.")]


# What the database itself would refuse, done to it by its owner; and the sentence that tells. Of some only seals tell.
TAMPERED = {
    "a balance": ("UPDATE credit_ledgeraccount SET balance = balance + 1 WHERE kind = 'wallet'", "add up to"),
    "a count": ("UPDATE credit_ledgeraccount SET version = version + 1 WHERE kind = 'wallet'", "transfers add up to"),
    "an amount": ("UPDATE credit_transfer SET amount = amount + 1 WHERE id = LAST", "don’t follow"),
    "a balance after": ("UPDATE credit_transfer SET source_after = source_after + 1 WHERE id = LAST", "don’t follow"),
    "a row": ("DELETE FROM credit_transfer WHERE id = LAST", "add up to"),
    "a kind of operation": ("UPDATE credit_transfer SET operation = 'fee' WHERE id = LAST", "don’t follow"),
    "a direction": (
        """
        UPDATE credit_transfer
        SET source_id = target_id, target_id = source_id, source_version = 100, target_version = 100
        WHERE id = (SELECT max(id) FROM credit_transfer WHERE operation = 'allocation')
        """,
        "takes back",
    ),
    "an owner": (
        """
        ALTER TABLE credit_transfer DROP CONSTRAINT transfer_source_same_organization;
        ALTER TABLE credit_transfer DROP CONSTRAINT transfer_target_same_organization;
        WITH other AS (
            INSERT INTO members_organization SELECT (jsonb_populate_record(
                organization, jsonb_build_object('id', organization.id + 1000, 'slug', 'thief', 'number', -1)
            )).* FROM members_organization organization RETURNING id
        ) UPDATE credit_transfer SET organization_id = other.id FROM other WHERE credit_transfer.id = LAST
        """,
        "doesn’t fit",
    ),
    "a whole history": (
        """
        UPDATE credit_transfer SET amount = amount + 1, source_after = source_after - 1 WHERE id = LAST;
        UPDATE credit_ledgeraccount SET balance = balance - 1
        WHERE id = (SELECT source_id FROM credit_transfer WHERE id = LAST)
        """,
        "sealed",
    ),
    "a reason": ("UPDATE credit_transfer SET reason = 'a gift' WHERE id = LAST", "sealed"),
    "an actor": ("UPDATE credit_transfer SET actor_kind = 'operator' WHERE id = LAST", "sealed"),
    "a moment": ("UPDATE credit_transfer SET happened_at = happened_at - interval '1 day' WHERE id = LAST", "sealed"),
    "a seal": ("UPDATE credit_ledgerseal SET hash = repeat('0', 64)", "sealed"),
    "the count of a seal": ("UPDATE credit_ledgerseal SET rows = rows - 1", "sealed"),
}


@pytest.mark.parametrize(("statement", "sentence"), TAMPERED.values(), ids=TAMPERED)
def test_whatever_is_changed_by_hand_shows(organization, capsys, statement, sentence):
    seal_ledgers()
    tamper(statement)

    status, result = verify(capsys, "--seals")

    assert status == 1
    assert [found for found in result["differences"] if sentence in found["problem"]]
    if sentence != "sealed":
        assert verify(capsys)[0] == 1
        assert "credit.ledger_adds_up" in {found.invariant for found in find_violations()}


def test_differences_are_told_of_the_organization_that_has_them(organization, capsys):
    OrganizationFactory(slug="other")
    tamper("UPDATE credit_ledgeraccount SET balance = balance + 1 WHERE kind = 'wallet'")

    assert verify(capsys, "--organization", "other")[0] == 0
    status, result = verify(capsys, "--organization", "acme")
    assert status == 1
    assert {found["organization"] for found in result["differences"]} == {"acme"}
    with pytest.raises(CommandError, match="no organization"):
        call_command("verify_ledger", "--organization", "nobody")


def test_each_seal_continues_the_one_before(organization, monkeypatch):
    monkeypatch.setattr("members.sealing.AT_MOST", 4)

    assert seal_ledgers() == 3
    assert seal_ledgers() == 0
    fund(organization=organization, actor=SYSTEM, amount=Decimal(1), key=uuid4())
    assert seal_ledgers() == 1

    seals = list(LedgerSeal.objects.order_by("number"))
    assert [(seal.number, seal.rows) for seal in seals] == [(1, 4), (2, 4), (3, 3), (4, 1)]
    assert len({seal.hash for seal in seals}) == 4
    assert seals[-1].through == Transfer.objects.order_by("-pk").first().pk


@pytest.mark.parametrize(
    "statement",
    ["UPDATE credit_ledgerseal SET rows = 1", "DELETE FROM credit_ledgerseal", "TRUNCATE credit_ledgerseal"],
)
def test_a_seal_is_never_changed(organization, statement):
    seal_ledgers()

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_log_says_what_was_sealed(organization, caplog):
    seal_ledgers()

    [line] = [record for record in caplog.records if record.message == "A log was sealed."]
    assert line.hash.replace(" ", "") == LedgerSeal.objects.get().hash


@pytest.mark.django_db(transaction=True)
def test_a_transfer_under_way_is_waited_for_and_sealed_once(capsys):
    organization = OrganizationFactory()
    fund(organization=organization, actor=SYSTEM, amount=Decimal(1), key=uuid4())
    posted, go_on = Event(), Event()

    def slowly():
        with transaction.atomic():
            fund(organization=organization, actor=SYSTEM, amount=Decimal(2), key=uuid4())
            posted.set()
            go_on.wait(timeout=20)
        connections.close_all()

    slow = Thread(target=slowly)
    slow.start()
    assert posted.wait(timeout=20)
    sealing = Thread(target=lambda: (seal_ledgers(), connections.close_all()))
    sealing.start()
    sealing.join(timeout=0.5)
    assert sealing.is_alive()
    go_on.set()
    slow.join(timeout=20)
    sealing.join(timeout=20)
    seal_ledgers()

    assert sum(LedgerSeal.objects.values_list("rows", flat=True)) == 2
    assert verify(capsys, "--seals")[0] == 0


def test_an_account_in_another_band_than_its_balance_is_found(organization):
    tamper("UPDATE credit_ledgeraccount SET band = 7 WHERE kind = 'member'")

    assert "credit.bands_are_those_of_balances" in {found.invariant for found in find_violations()}
