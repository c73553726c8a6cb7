"""Plans of auto-recharge, changed as sets. Whoever changes them holds the locks of their members' accounts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import models, transaction
from django.db.models import Case, Value, When
from django.db.models.functions import Cast, Concat, JSONObject, Round

from credit.errors import LimitBelowAmount, RechargeOfNothing, ThresholdAboveAmount, ThresholdBelowZero
from credit.ledger import accounts_of
from credit.models import LedgerAccount, RechargePlan
from members.access import Actor
from members.audit import Action
from members.audit_sets import record_for_members
from members.errors import Refusal
from members.models import Member, Organization
from members.models.people import MemberQuerySet
from skypemgr.money import places_of

AT_ONCE = 2_000
TEXT = models.TextField()


@dataclass(frozen=True, kw_only=True)
class Terms:
    """By how much, below what balance and up to what in a month somebody is recharged."""

    amount: Decimal
    below: Decimal
    monthly_limit: Decimal

    def refusals(self) -> list[Refusal]:
        """What is wrong with them together; nothing when they can be agreed on."""
        rules = [
            (self.amount > 0, RechargeOfNothing),
            (self.below >= 0, ThresholdBelowZero),
            (self.below <= self.amount, ThresholdAboveAmount),
            (self.monthly_limit >= self.amount, LimitBelowAmount),
        ]
        return [refusal() for kept, refusal in rules if not kept]

    def check(self) -> None:
        """Raises the first of its refusals."""
        for refusal in self.refusals():
            raise refusal

    def as_facts(self) -> dict[str, Any]:
        return {"amount": self.amount, "below": self.below, "monthly_limit": self.monthly_limit}


def rechargeable(members: MemberQuerySet) -> MemberQuerySet:
    """Those of ``members`` who can be recharged: everybody who has not left."""
    return members.exclude(state=Member.State.LEFT)


@transaction.atomic(savepoint=False)
def lock_accounts(organization: Organization, members: MemberQuerySet) -> dict[int, int]:
    """The accounts of those of ``members`` who are of the organization, by member and locked; new ones are opened."""
    keys = list(members.of(organization).order_by().values_list("pk", flat=True))
    accounts_of(organization, keys)
    accounts = LedgerAccount.objects.filter(organization=organization, member__in=keys)
    locked = accounts.select_for_update(no_key=True, of=("self",)).order_by("pk")
    return dict(locked.values_list("member_id", "pk"))


@transaction.atomic(savepoint=False)
def activate(*, organization: Organization, actor: Actor, keys: Sequence[int], terms: Terms) -> list[int]:
    """Give members, whose accounts are locked, an active plan; those for whom that is new, who stand in the log."""
    plans = RechargePlan.objects.filter(organization=organization, member__in=keys)
    same = set(plans.filter(active=True, **terms.as_facts()).values_list("member_id", flat=True))
    changed = [key for key in keys if key not in same]
    _record(organization, actor, Action.RECHARGE_ACTIVATED, changed, _shown(terms, organization))
    RechargePlan.objects.bulk_create(
        [RechargePlan(organization=organization, member_id=key, **terms.as_facts()) for key in changed],
        batch_size=AT_ONCE,
        update_conflicts=True,
        unique_fields=["member"],
        update_fields=["amount", "below", "monthly_limit", "active", "refusal", "refused_at"],
    )
    return changed


@transaction.atomic(savepoint=False)
def switch_off(*, organization: Organization, actor: Actor, keys: Sequence[int]) -> list[int]:
    """Switch off the plans of members, whose accounts are locked; those who had an active one, who stand in the log."""
    plans = RechargePlan.objects.filter(organization=organization, member__in=keys, active=True)
    changed = list(plans.order_by("pk").values_list("member_id", flat=True))
    _record(organization, actor, Action.RECHARGE_STOPPED, changed, {})
    plans.update(active=False, refusal="", refused_at=None)
    return changed


def _record(
    organization: Organization, actor: Actor, action: Action, keys: Sequence[int], after: Mapping[str, object]
) -> None:
    def before(field: str) -> Case:
        amount = Cast(Round(f"recharge_plan__{field}", precision=places_of(organization.currency)), TEXT)
        shown = Concat(amount, Value(f" {organization.currency}"), output_field=TEXT)
        return Case(When(recharge_plan__active=True, then=shown))

    record_for_members(
        organization=organization,
        actor=actor,
        action=action,
        keys=keys,
        before=JSONObject(
            recharge_amount=before("amount"),
            recharge_below=before("below"),
            recharge_limit=before("monthly_limit"),
        ),
        after=after,
    )


def _shown(terms: Terms, organization: Organization) -> dict[str, str]:
    def show(amount: Decimal) -> str:
        return f"{amount:.{places_of(organization.currency)}f} {organization.currency}"

    return {
        "recharge_amount": show(terms.amount),
        "recharge_below": show(terms.below),
        "recharge_limit": show(terms.monthly_limit),
    }
