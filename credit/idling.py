"""Credit that nobody uses: how long until it is inactive, whose it is, and how it becomes active again.

Use is whatever moves the credit of a member, and a reactivation. Nothing of this is asked when credit moves: what is
known of an account counts only while the account has the version that was noted with it.
"""

from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet

from credit.models import IdleCredit
from credit.models.idle import WARNING
from credit.selectors.spans import zone_of
from members.access import Actor
from members.audit import Action, record
from members.models import Letter, Member, Organization
from skypemgr.clock import DatabaseClock


def allowed() -> timedelta | None:
    """How long credit may lie unused before it is inactive; None: for ever."""
    days: int = settings.CREDIT_INACTIVE_DAYS
    return timedelta(days=days) if days else None


def idle_credit(organization: Organization) -> QuerySet[IdleCredit]:
    """What is known of the idle credit of an organization and still true; nothing where credit may lie for ever."""
    if allowed() is None:
        return IdleCredit.objects.none()
    return IdleCredit.objects.filter(organization=organization, version=F("account__version"))


def inactive_credit(organization: Organization) -> QuerySet[IdleCredit]:
    """The credit of an organization that is inactive now."""
    return idle_credit(organization).filter(inactive_at__isnull=False)


def becomes_inactive_on(idle: IdleCredit, now: datetime) -> date:
    """From which day on credit is inactive unless it is used before: its first midnight, a week after the letter."""
    letter, due = idle.letter, idle.used_at + (allowed() or timedelta())
    if letter is not None:
        told_at = letter.closed_at if letter.state == Letter.State.SENT else max(now, letter.due_at)
        due = max(due, (told_at or now) + WARNING)
    return due.astimezone(zone_of(idle.organization)).date() + timedelta(days=1)


@transaction.atomic(savepoint=False)
def reactivate(*, actor: Actor, organization: Organization, member: Member) -> bool:
    """Count the credit of a member as used now; whether it was inactive, or somebody was warned that it would be."""
    known = IdleCredit.objects.filter(organization=organization, version=F("account__version"), account__member=member)
    row = known.filter(letter__isnull=False).first()
    if row is None:
        return False
    # Whoever comes second finds no letter there any more.
    warned = IdleCredit.objects.filter(pk=row.pk, letter__isnull=False)
    if not warned.update(used_at=DatabaseClock(), letter=None, warned_at=None, inactive_at=None):
        return False
    record(organization=organization, actor=actor, action=Action.CREDIT_REACTIVATED, subject=member)
    return True
