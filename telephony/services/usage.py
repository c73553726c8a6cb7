"""What calls add up to is counted again from the calls, month by month."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import transaction

from members.access import Actor, Capability, require
from members.audit import Action, record
from members.locks import take_time
from members.models import Organization
from telephony.calls.rollups import GRAINS, add_differences, count_days, find_differences, months_with_calls
from telephony.calls.storing import lock_calls


@dataclass
class RebuiltUsage:
    """On how many days there were calls, and what differed from them: the sums, and by what."""

    days: int = 0
    differences: list[dict[str, Any]] = field(default_factory=list)


def rebuild_usage(*, actor: Actor, organization: Organization, check: bool = False) -> RebuiltUsage:
    """Make the sums of calls what the calls say; with ``check`` only tell by what they differ.

    A month at a time; nobody writes calls of the organization meanwhile.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    rebuilt = RebuiltUsage()
    for month in months_with_calls(organization):
        _rebuild(actor=actor, organization=organization, month=month, check=check, into=rebuilt)
    return rebuilt


@transaction.atomic(durable=True)
def _rebuild(*, actor: Actor, organization: Organization, month: date, check: bool, into: RebuiltUsage) -> None:
    take_time()
    lock_calls(organization)
    into.days += count_days(organization, month)
    found = 0
    for grain in GRAINS:
        differences = find_differences(organization, grain, month)
        into.differences += [{"of": grain.name, "month": month, **row} for row in differences]
        found += len(differences)
        if differences and not check:
            add_differences(organization, grain, differences)
    if found and not check:
        record(
            organization=organization,
            actor=actor,
            action=Action.USAGE_REBUILT,
            subject=organization,
            after={"month": f"{month:%Y-%m}", "differences": found},
        )
