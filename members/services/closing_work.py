"""Closing organizations whose day has come.

From the moment it is closed nothing of it moves: its pages, commands and tokens refuse, and the ledger too. What
concerns each of its members follows in parts, so that whatever dies, the next one goes on.
"""

from django.db import transaction
from django.db.models.functions import Now

from members.access import Actor
from members.audit import Action, record
from members.closing_letters import CLOSED, tell_administrators
from members.locks import lock_organization
from members.models import Organization
from members.registry import ClosingStep, registry
from skypemgr.clock import DatabaseClock, database_now
from skypemgr.kill_points import kill_point


def close_due() -> int:
    """Close every organization whose day has come, and finish what was begun; gives how many were finished."""
    number = 0
    for organization in Organization.objects.filter(closes_at__lte=Now(), closing_done_at=None).order_by("pk"):
        number += finish_closing(organization=organization)
    return number


def finish_closing(*, organization: Organization) -> bool:
    """Close an organization that is due, to the end; False when it isn't due any more."""
    if not close_organization(organization=organization):
        return False
    for step in registry.all(ClosingStep):
        while carry_closing_on(organization=organization, step=step):
            kill_point("closing.after_part")
    note_closing_done(organization=organization)
    return True


@transaction.atomic(durable=True)
def close_organization(*, organization: Organization) -> bool:
    """Close an organization if it is due, once; whether it is closed."""
    lock_organization(organization)
    organization = Organization.objects.get(pk=organization.pk)
    if organization.closed_at is not None:
        return True
    if organization.closes_at is None or organization.closes_at > database_now():
        return False
    tell_administrators(organization, CLOSED)
    record(organization=organization, actor=Actor.system(), action=Action.ORGANIZATION_CLOSED, subject=organization)
    Organization.objects.filter(pk=organization.pk).update(closed_at=database_now())
    for step in registry.all(ClosingStep):
        step.begin(organization)
    kill_point("closing.before_commit")
    return True


@transaction.atomic(durable=True)
def carry_closing_on(*, organization: Organization, step: ClosingStep) -> int:
    """Do a part of what follows from the end of an organization; gives how much of it there was."""
    return step.carry_on(organization)


@transaction.atomic(durable=True)
def note_closing_done(*, organization: Organization) -> None:
    """Note that nothing is left to do."""
    Organization.objects.filter(pk=organization.pk, closing_done_at=None).update(closing_done_at=DatabaseClock())
