"""Credit that comes and goes, for whatever is tested of it."""

from decimal import Decimal
from uuid import uuid4

from django.db import connection

from credit.funding import fund
from credit.ledger import Move, account_of, accounts_of, post
from credit.models import Transfer
from members.access import Actor


def buy(organization, amount="1000"):
    """Put credit into the wallet."""
    fund(organization=organization, actor=Actor.system(), amount=Decimal(amount), key=uuid4(), reason="Bank 2026-11")


def allocate(member, amount, *, times=1, **facts):
    """Move credit from the wallet to a member."""
    organization = member.organization
    [account] = accounts_of(organization, [member]).values()
    wallet = account_of(organization, "wallet")
    moves = [Move(wallet, account, Decimal(amount), uuid4()) for _ in range(times)]
    facts = {"operation": "allocation", "actor": Actor.system(), **facts}
    post(organization=organization, moves=moves, **facts)


def charge(member, amount, *, times=1, **facts):
    """Calls of a member, one transfer each."""
    organization = member.organization
    [account] = accounts_of(organization, [member]).values()
    usage = account_of(organization, "usage")
    moves = [Move(account, usage, Decimal(amount), uuid4(), **facts) for _ in range(times)]
    post(organization=organization, operation="charge", moves=moves, actor=Actor.system())


def recorded(moments, *, organization):
    """Say when each transfer of an organization was recorded, oldest first; nothing but a test can."""
    keys = Transfer.objects.filter(organization=organization).order_by("pk").values_list("pk", flat=True)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE credit_transfer DISABLE TRIGGER USER")
        for key, moment in zip(keys, moments, strict=True):
            cursor.execute("UPDATE credit_transfer SET recorded_at = %s WHERE id = %s", [moment, key])
        cursor.execute("ALTER TABLE credit_transfer ENABLE TRIGGER USER")
