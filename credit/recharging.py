"""Recharging members from the wallet, in the transaction that lowers their balance or finds it low.

Whatever their number, it takes the same few statements. Whoever holds the lock of a member's account is alone with
their plan and with what was recharged this month, so that no limit is passed however many meet.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from uuid import uuid4

from django.db import models, transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from credit.ledger import Move, account_of, post
from credit.models import LedgerAccount, RechargePlan, Transfer
from members.access import Actor
from members.models import Member, Organization
from members.months import present_month
from members.periods import Period
from skypemgr.clock import DatabaseClock

Kind, Refusal = LedgerAccount.Kind, RechargePlan.Refusal
NOTHING = Decimal(0)
PLAN = "member__recharge_plan__"


@dataclass(frozen=True)
class Need:
    """What a plan asks for at a balance, in whole amounts: what is lacking, and what of it the month still allows.

    ``was_refused`` says whether it got less when it was looked at last.
    """

    wanted: Decimal
    allowed: Decimal
    was_refused: bool = False

    @classmethod
    def of(
        cls,
        *,
        balance: Decimal,
        amount: Decimal,
        below: Decimal,
        limit: Decimal,
        used: Decimal,
        was_refused: bool = False,
    ) -> "Need":
        """``used`` is what was recharged this month. Nothing is wanted unless the balance is below ``below``."""
        whole, rest = divmod(max(below - balance, NOTHING), amount)
        wanted = whole + bool(rest)
        room = max(limit - used, NOTHING) // amount
        return cls(wanted * amount, min(wanted, room) * amount, was_refused)


def recharged_in(month: Period, account: str = "pk") -> Coalesce:
    """An expression over accounts, or over what names one in ``account``: what it was recharged by in a month."""
    recharges = Transfer.objects.filter(
        target=OuterRef(account),
        operation=Transfer.Operation.RECHARGE,
        recorded_at__gte=month.start,
        recorded_at__lt=month.end,
    )
    sums = recharges.order_by().values("target").annotate(sum=Sum("amount")).values("sum")
    return Coalesce(Subquery(sums), Value(NOTHING), output_field=models.DecimalField(max_digits=16, decimal_places=4))


def due_accounts(organization: Organization) -> QuerySet[LedgerAccount]:
    """The accounts that are below the threshold of an active plan, or were when a recharge was refused."""
    plans = LedgerAccount.objects.filter(organization=organization, **{f"{PLAN}active": True})
    return plans.exclude(member__state=Member.State.LEFT).filter(
        Q(balance__lt=F(f"{PLAN}below")) | ~Q(**{f"{PLAN}refusal": ""})
    )


@transaction.atomic(savepoint=False)
def recharge(*, organization: Organization, accounts: Collection[int]) -> int:
    """Recharge those of ``accounts`` that are below the threshold of their plan; gives how many were.

    As many whole amounts as bring the balance back to the threshold, and as fit into what is left of the monthly
    limit; nothing for a member whose recharge the wallet can't cover. Why somebody got less is noted in their plan.
    Locks these accounts by their keys, and the wallet last: a transaction that recharges locks no member after it.
    """
    due = due_accounts(organization).filter(pk__in=accounts)
    locked = list(due.select_for_update(no_key=True, of=("self",)).order_by("pk").values_list("pk", flat=True))
    if not locked:
        return 0
    month = present_month(organization)
    needs = dict(_needs(organization, locked, month))
    moves: list[Move] = []
    refused: dict[int, str] = {}
    if any(need.allowed for need in needs.values()):
        wallet = account_of(organization, Kind.WALLET)
        held = _locked_balance(organization, wallet)
        for account, need in needs.items():
            if need.allowed > held:
                refused[account] = Refusal.WALLET
            elif need.allowed:
                held -= need.allowed
                moves.append(Move(wallet, account, need.allowed, uuid4()))
    for account, need in needs.items():
        if need.allowed < need.wanted:
            refused.setdefault(account, Refusal.LIMIT)
    if moves:
        post(organization=organization, operation=Transfer.Operation.RECHARGE, moves=moves, actor=Actor.system())
    settled = [account for account, need in needs.items() if need.was_refused and account not in refused]
    _note(organization, settled, refused, month)
    return len(moves)


def _needs(organization: Organization, accounts: Collection[int], month: Period) -> Iterator[tuple[int, Need]]:
    # Read again: what was read while waiting for the lock was another's to change.
    plans = due_accounts(organization).filter(pk__in=accounts).order_by("pk")
    columns = ["balance", *(f"{PLAN}{name}" for name in ("amount", "below", "monthly_limit", "refusal"))]
    rows = plans.values_list("pk", *columns, recharged_in(month))
    for pk, balance, amount, below, limit, refusal, used in rows:
        yield (
            pk,
            Need.of(balance=balance, amount=amount, below=below, limit=limit, used=used, was_refused=bool(refusal)),
        )


def _locked_balance(organization: Organization, account: int) -> Decimal:
    rows = LedgerAccount.objects.select_for_update(no_key=True).filter(organization=organization, pk=account)
    return rows.values_list("balance", flat=True).get() or NOTHING


def _note(organization: Organization, settled: Collection[int], refused: dict[int, str], month: Period) -> None:
    """Write down what is refused from now on, and what isn't any more; what was refused before stays as it is."""
    plans = RechargePlan.objects.filter(organization=organization)
    if settled:
        plans.filter(member__ledger_account__in=settled).update(refusal="", refused_at=None)
    for reason in Refusal:
        if keys := [account for account, why in refused.items() if why == reason]:
            known = Q(refusal=reason, refused_at__gte=month.start)
            plans.filter(~known, member__ledger_account__in=keys).update(refusal=reason, refused_at=DatabaseClock())
