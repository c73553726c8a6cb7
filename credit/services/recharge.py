"""Auto-recharge of members: switched on and off by whoever manages credit."""

from decimal import Decimal
from uuid import UUID

from django.db import transaction

from credit.recharge_plans import Terms, activate, lock_accounts, rechargeable, switch_off
from credit.recharge_runs import SET, STOP, facts_of
from credit.recharging import recharge
from members.access import Actor, Capability, require
from members.locks import take_time
from members.models import Batch, Organization
from members.models.people import MemberQuerySet
from members.runs import begin_run_once


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


@transaction.atomic(durable=True)
def start_auto_recharge(
    *,
    actor: Actor,
    organization: Organization,
    members: MemberQuerySet,
    amount: Decimal,
    below: Decimal,
    monthly_limit: Decimal,
    expected: int,
    key: UUID,
) -> Batch:
    """Begin to do what ``set_auto_recharge`` does behind the pages, for more members than a page can wait for.

    The same key gives the same run. Raises SelectionChanged when they are not the ``expected`` number any more,
    KeyReused, and what is wrong with the terms.
    """
    require(actor, organization, Capability.MANAGE_CREDIT)
    terms = Terms(amount=amount, below=below, monthly_limit=monthly_limit)
    terms.check()
    return begin_run_once(
        actor=actor,
        organization=organization,
        kind=SET,
        members=members,
        expected=expected,
        facts=facts_of(terms, organization.currency),
        key=key,
    )


@transaction.atomic(durable=True)
def start_stopping_auto_recharge(
    *, actor: Actor, organization: Organization, members: MemberQuerySet, expected: int, key: UUID
) -> Batch:
    """Begin to do what ``stop_auto_recharge`` does behind the pages. Raises SelectionChanged, KeyReused."""
    require(actor, organization, Capability.MANAGE_CREDIT)
    return begin_run_once(
        actor=actor, organization=organization, kind=STOP, members=members, expected=expected, facts={}, key=key
    )
