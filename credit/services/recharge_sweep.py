"""Recharges that are found by the clock: when a wallet was funded, when a month begins, and once an hour.

Charges recharge by themselves. This finds who could not be recharged then and can be now; it may be run by any number
at once, since whoever is recharged is not below their threshold any more.
"""

import logging
import time
from itertools import batched

from celery import shared_task
from django.db import transaction

from credit.models import RechargeCall
from credit.recharging import due_accounts, recharge
from members.jobs import Run
from members.locks import take_time
from members.models import Organization
from skypemgr.kill_points import kill_point

logger = logging.getLogger(__name__)

# What is done in one transaction, of which the wallet is locked to the end.
AT_ONCE = 1_000
PATIENCE = 45.0


def recharge_members(organization: Organization) -> int:
    """Recharge everybody of an organization who is due; gives how many were."""
    due = list(due_accounts(organization).order_by("pk").values_list("pk", flat=True))
    return sum(recharge_some(organization=organization, accounts=some) for some in batched(due, AT_ONCE, strict=False))


@transaction.atomic(durable=True)
def recharge_some(*, organization: Organization, accounts: tuple[int, ...]) -> int:
    """Recharge those of some accounts who are due; gives how many were."""
    take_time()
    number = recharge(organization=organization, accounts=accounts)
    kill_point("recharges.before_commit")
    return number


def answer_calls(*, patience: float = PATIENCE) -> int:
    """Recharge the members of each organization whose wallet was funded; gives how many were recharged.

    A call is forgotten when its members were looked at, so that nobody who dies meanwhile leaves one unanswered.
    """
    until = time.monotonic() + patience
    calls: dict[int, list[int]] = {}
    for call in RechargeCall.objects.order_by("pk"):
        calls.setdefault(call.organization_id, []).append(call.pk)
    number = 0
    for organization in Organization.objects.filter(pk__in=calls, closed_at=None).order_by("pk"):
        if time.monotonic() >= until:
            break
        try:
            number += recharge_members(organization)
        except Exception:
            # One organization must not hold up the others; its call stays.
            logger.exception("Recharges of organization %s could not be made.", organization.pk)
        else:
            kill_point("recharges.after_work")
            forget_calls(calls[organization.pk])
    return number


@transaction.atomic(durable=True)
def forget_calls(keys: list[int]) -> None:
    """Remove calls that are answered; those made meanwhile stay."""
    RechargeCall.objects.filter(pk__in=keys).delete()


def sweep_recharges(run: Run) -> None:
    """Once an hour, of every organization: the second net."""
    there = Organization.objects.filter(closed_at=None)
    for organization in there.filter(recharge_plans__active=True).distinct().order_by("pk"):
        recharge_members(organization)


def resume_recharges(run: Run) -> None:
    """When a month begins in an organization: those whose limit was reached in the one before."""
    assert run.organization is not None
    recharge_members(run.organization)


@shared_task(name="credit.recharge_members")
def recharge_members_task() -> None:
    answer_calls()
