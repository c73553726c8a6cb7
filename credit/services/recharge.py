"""Auto-recharge of members: switched on and off by whoever manages credit."""

from decimal import Decimal

from django.db import transaction

from credit.recharge_plans import Terms, activate, lock_accounts, rechargeable, switch_off
from credit.recharging import recharge
from members.access import Actor, Capability, require
from members.locks import take_time
from members.models import Organization
from members.models.people import MemberQuerySet


@transaction.atomic(durable=True)
def set_auto_recharge(
    *,
    actor: Actor,
    organization: Organization,
    members: MemberQuerySet,
    amount: Decimal,
    below: Decimal,
    monthly_limit: Decimal,
) -> int:
    """Recharge ``members`` by ``amount`` whenever they are below ``below``, up to ``monthly_limit`` a month.

    Acts at once for those who are below already. Who has left is left alone. Gives how many were changed. Raises
    RechargeOfNothing, ThresholdBelowZero, ThresholdAboveAmount, LimitBelowAmount.
    """
    require(actor, organization, Capability.MANAGE_CREDIT)
    terms = Terms(amount=amount, below=below, monthly_limit=monthly_limit)
    terms.check()
    take_time()
    accounts = lock_accounts(organization, rechargeable(members))
    changed = activate(organization=organization, actor=actor, keys=list(accounts), terms=terms)
    recharge(organization=organization, accounts=list(accounts.values()))
    return len(changed)


@transaction.atomic(durable=True)
def stop_auto_recharge(*, actor: Actor, organization: Organization, members: MemberQuerySet) -> int:
    """Recharge ``members`` no more; what they hold stays theirs. Gives how many were recharged until now."""
    require(actor, organization, Capability.MANAGE_CREDIT)
    take_time()
    accounts = lock_accounts(organization, members.filter(recharge_plan__active=True))
    return len(switch_off(organization=organization, actor=actor, keys=list(accounts)))
