"""Where the wallet of an organization stands: what it holds, what leaves it, and when it runs dry at that pace.

What left the wallet is not added up transfer by transfer, of which there may be millions: the balance before, what came
in and the balance after say it, and little comes in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_UP, Decimal

from django.db.models import Count, Q, QuerySet, Sum

from credit.ledger import NO_CREDIT
from credit.models import LedgerAccount, Transfer
from credit.selectors.history import balance_after, last_before, recorded_at
from credit.selectors.inactivity import count_inactive
from credit.selectors.spans import zone_of
from members.models import Organization

Kind = LedgerAccount.Kind
# The pace is that of so many days.
LOOKED_BACK = timedelta(days=28)
# Of fewer days nothing is foretold.
LEAST_KNOWN = timedelta(days=7)
# Days beyond which one would be a guess.
FURTHEST = 366
CENT = Decimal("0.01")
DAY, INSTANT = timedelta(days=1), timedelta(microseconds=1)


@dataclass(frozen=True)
class Forecast:
    """How long the wallet lasts.

    ``a_day`` is what left it a day, of the last ``days`` days: what was allocated and recharged, and fees. None where
    that is too little to tell by. ``dry_on`` is the day on which nothing is left at that pace, None when that is more
    than a year away. ``is_dry`` says that nothing is left now.
    """

    days: int
    a_day: Decimal | None = None
    dry_on: date | None = None
    is_dry: bool = False


@dataclass(frozen=True)
class HeldByMembers:
    """What members hold in sum, how many hold some, how many are overdrawn, and of how many it is inactive."""

    total: Decimal
    holders: int
    overdrawn: int
    inactive: int


def left_between(wallet: LedgerAccount, start: datetime, end: datetime | None = None) -> Decimal:
    """What was allocated and recharged from ``wallet``, and its fees, from ``start`` until just before ``end``.

    Not what was bought and taken back again.
    """
    first = last_before(wallet, start)
    last = last_before(wallet, end) if end else wallet.version or 0
    came = Transfer.objects.filter(target=wallet, target_version__gt=first, target_version__lte=last)
    outside = _accounts(wallet, [Kind.PURCHASES, Kind.RECEIVABLE])
    # What goes out of an organization again is little, and the accounts outside know it.
    returned = Transfer.objects.filter(
        target__in=outside, source=wallet, source_version__gt=first, source_version__lte=last
    )
    return balance_after(wallet, first) + _sum(came) - _sum(returned) - balance_after(wallet, last)


def allocated_between(wallet: LedgerAccount, start: datetime, end: datetime | None = None) -> Decimal:
    """What was allocated and recharged from ``wallet``, from ``start`` until just before ``end``."""
    fees = Transfer.objects.filter(
        target__in=_accounts(wallet, [Kind.FEES]), source=wallet, source_version__gt=last_before(wallet, start)
    )
    if end:
        fees = fees.filter(source_version__lte=last_before(wallet, end))
    return left_between(wallet, start, end) - _sum(fees)


def forecast(organization: Organization, wallet: LedgerAccount | None, now: datetime) -> Forecast:
    """When ``wallet`` runs dry at the pace of the last 28 days, or since it was first filled, if that is less."""
    began = recorded_at(wallet, 1) if wallet else None
    if wallet is None or began is None:
        return Forecast(days=0, is_dry=True)
    known = min(now - began, LOOKED_BACK)
    days = known // DAY
    balance = wallet.balance or NO_CREDIT
    if balance <= 0:
        return Forecast(days=days, is_dry=True)
    left = left_between(wallet, now - known) if known >= LEAST_KNOWN else NO_CREDIT
    if left <= 0:
        return Forecast(days=days)
    a_day = left * (DAY // INSTANT) / (known // INSTANT)
    rest = balance / a_day
    dry_on = None
    if rest <= FURTHEST:
        dry_at = now + int(rest * (DAY // INSTANT)) * INSTANT
        dry_on = dry_at.astimezone(zone_of(organization)).date()
    return Forecast(days=days, a_day=a_day.quantize(CENT, ROUND_UP), dry_on=dry_on)


def held_by_members(organization: Organization) -> HeldByMembers:
    """What the members of an organization hold in sum."""
    accounts = LedgerAccount.objects.filter(organization=organization, kind=Kind.MEMBER)
    found = accounts.aggregate(
        total=Sum("balance"), holders=Count("pk", Q(balance__gt=0)), overdrawn=Count("pk", Q(balance__lt=0))
    )
    return HeldByMembers(
        found["total"] or NO_CREDIT, found["holders"], found["overdrawn"], count_inactive(organization)
    )


def _accounts(wallet: LedgerAccount, kinds: Sequence[str]) -> list[int]:
    accounts = LedgerAccount.objects.filter(organization=wallet.organization_id, kind__in=kinds)
    return list(accounts.values_list("pk", flat=True))


def _sum(transfers: QuerySet[Transfer]) -> Decimal:
    found: Decimal | None = transfers.aggregate(sum=Sum("amount"))["sum"]
    return found or NO_CREDIT
