"""How auto-recharge stands for members: what a month has used, what is refused, and until when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from django.db.models import Count, Exists, F, OuterRef, QuerySet, Sum, Value
from django.db.models.functions import Ceil, Coalesce, Floor, Greatest, Least
from django.utils import timezone

from credit.ledger import NO_CREDIT
from credit.models import LedgerAccount, RechargePlan
from credit.recharge_plans import Terms, rechargeable
from credit.recharging import Need, recharged_in
from members.models import Member, Organization
from members.models.people import MemberQuerySet
from members.months import month_at, present_month
from members.periods import Period

Refusal = RechargePlan.Refusal


class State(StrEnum):
    OFF = "off"
    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(frozen=True)
class Recharging:
    """The auto-recharge of a member: their plan if they ever had one, balance, and what this month has used of it."""

    plan: RechargePlan | None
    balance: Decimal
    used: Decimal
    month: Period

    @property
    def state(self) -> State:
        """Suspended as soon as one more recharge would pass the limit of this month."""
        if self.plan is None or not self.plan.active:
            return State.OFF
        return State.SUSPENDED if self.used + self.plan.amount > self.plan.monthly_limit else State.ACTIVE

    @property
    def suspended_until(self) -> datetime | None:
        return self.month.end if self.state is State.SUSPENDED else None

    @cached_property
    def waiting_for(self) -> Decimal:
        """What the wallet would have to cover now for a recharge that is due; nothing when none is."""
        if self.plan is None or self.state is not State.ACTIVE:
            return NO_CREDIT
        return Need.of(
            balance=self.balance,
            amount=self.plan.amount,
            below=self.plan.below,
            limit=self.plan.monthly_limit,
            used=self.used,
        ).allowed


def list_recharging(organization: Organization, members: Sequence[Member]) -> dict[int, Recharging]:
    """The auto-recharge of those of ``members`` for whom it was ever turned on, by their id; two queries.

    As pages tell the time: by the clock of their process.
    """
    present = [member.pk for member in members if member.state != Member.State.LEFT]
    found = RechargePlan.objects.filter(organization=organization, member__in=present)
    plans = {plan.member_id: plan for plan in found}
    if not plans:
        return {}
    month = month_at(organization, timezone.now())
    accounts = LedgerAccount.objects.filter(organization=organization, member__in=list(plans))
    held = {
        member: (balance, used)
        for member, balance, used in accounts.values_list("member_id", "balance", recharged_in(month))
    }
    nothing = (NO_CREDIT, NO_CREDIT)
    return {key: Recharging(plan, *held.get(key, nothing), month) for key, plan in plans.items()}


def recharging_of(organization: Organization, member: Member) -> Recharging:
    """The auto-recharge of one member."""
    found = list_recharging(organization, [member]).get(member.pk)
    return found or Recharging(None, NO_CREDIT, NO_CREDIT, month_at(organization, timezone.now()))


def refused_plans(organization: Organization, refusal: str) -> QuerySet[RechargePlan]:
    """The plans of members who are below their threshold and could not be recharged for a reason, longest first.

    Of those whose limit was reached, this month's.
    """
    plans = RechargePlan.objects.filter(organization=organization, active=True, refusal=refusal)
    if refusal == Refusal.LIMIT:
        plans = plans.filter(refused_at__gte=present_month(organization).start)
    return (
        plans.filter(member__ledger_account__balance__lt=F("below"))
        .exclude(member__state=Member.State.LEFT)
        .select_related("member__user")
        .order_by("refused_at", "pk")
    )


@dataclass(frozen=True)
class AtOnce:
    """What setting auto-recharge would take from the wallet at once: how many are below, and what they lack."""

    members: int
    amount: Decimal


def forecast_at_once(organization: Organization, chosen: MemberQuerySet, terms: Terms) -> AtOnce:
    """What terms would lead to at once for those of ``chosen`` to whom they are new, whatever the wallet holds."""
    known = RechargePlan.objects.filter(member=OuterRef("pk"), active=True, **terms.as_facts())
    low = (
        rechargeable(chosen.of(organization))
        .exclude(Exists(known))
        .order_by()
        .annotate(lacking=terms.below - Coalesce(F("ledger_account__balance"), Value(NO_CREDIT)))
        .filter(lacking__gt=0)
        .annotate(
            room=Greatest(
                terms.monthly_limit - recharged_in(present_month(organization), "ledger_account"), Value(NO_CREDIT)
            )
        )
        .annotate(times=Least(Ceil(F("lacking") / terms.amount), Floor(F("room") / terms.amount)))
        .filter(times__gt=0)
        .aggregate(members=Count("pk"), sum=Sum("times"))
    )
    return AtOnce(low["members"], (low["sum"] or NO_CREDIT) * terms.amount)
