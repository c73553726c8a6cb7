"""Who looks at single calls of others is written down, for those to see."""

from datetime import date

from django.core.exceptions import PermissionDenied
from django.db import transaction

from members.access import Actor, Capability, require
from members.audit import Action, record
from members.models import Member, Organization


@transaction.atomic(durable=True)
def note_look(
    *, actor: Actor, organization: Organization, first: date, last: date, member: Member | None = None
) -> None:
    """Note that somebody looks at calls from ``first`` to ``last``, of one member or of many."""
    require(actor, organization, Capability.VIEW_REPORTS)
    if member is not None and member.organization_id != organization.pk:
        raise PermissionDenied
    record(
        organization=organization,
        actor=actor,
        action=Action.CALLS_VIEWED,
        subject=member or organization,
        member=member,
        after={"first_day": str(first), "last_day": str(last)},
    )
