"""Members who are recharged, and calls that they make."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.db import connection
from django.db.models import Sum

from credit.charging import charge
from credit.funding import fund
from credit.ledger import Move, Posted, account_of, accounts_of
from credit.models import RechargePlan, Transfer
from credit.services.recharge import set_auto_recharge
from members.access import Actor
from members.models import Member, Organization

SYSTEM = Actor.system()


def pay(organization: Organization, amount: Any) -> None:
    """Put credit into the wallet."""
    fund(organization=organization, actor=SYSTEM, amount=Decimal(amount), key=uuid4())


def plan(organization: Organization, *members: Member, amount: Any = 20, below: Any = 5, limit: Any = 50) -> int:
    """Save and activate."""
    return set_auto_recharge(
        actor=SYSTEM,
        organization=organization,
        members=Member.objects.filter(pk__in=[member.pk for member in members]),
        amount=Decimal(amount),
        below=Decimal(below),
        monthly_limit=Decimal(limit),
    )


def call(organization: Organization, *members: Member, costs: Any, key: UUID | None = None) -> Posted:
    """Each of them makes a call that costs as much."""
    accounts = accounts_of(organization, members)
    usage = account_of(organization, "usage")
    moves = [Move(accounts[member.pk], usage, Decimal(costs), key or uuid4()) for member in members]
    return charge(organization=organization, moves=moves, actor=SYSTEM)


def recharged(member: Member) -> Decimal:
    """What somebody was recharged by, ever."""
    recharges = Transfer.objects.filter(operation="recharge", target__member=member)
    return recharges.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)


def refusal_of(member: Member) -> str:
    return RechargePlan.objects.get(member=member).refusal


def put_into_the_past(*members: Member, days: int) -> None:
    """Let what members were recharged by, and refused, be of an earlier day: we don’t turn the database’s clock."""
    keys = [member.pk for member in members]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE credit_transfer DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE credit_transfer SET recorded_at = recorded_at - %s * interval '1 day' WHERE target_id IN"
            " (SELECT id FROM credit_ledgeraccount WHERE member_id = ANY (%s))",
            [days, keys],
        )
        cursor.execute("ALTER TABLE credit_transfer ENABLE TRIGGER USER")
        cursor.execute(
            "UPDATE credit_rechargeplan SET refused_at = refused_at - %s * interval '1 day' WHERE member_id = ANY (%s)",
            [days, keys],
        )
