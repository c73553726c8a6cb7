"""Making idle credit active again: by whoever manages credit, and by whoever's it is."""

from django.core.exceptions import PermissionDenied
from django.db import transaction

from credit.idling import reactivate
from credit.selectors.balances import KEEPS_CREDIT
from members.access import Actor, Capability, require
from members.models import Member, Organization


@transaction.atomic(durable=True)
def reactivate_credit(*, actor: Actor, organization: Organization, member: Member) -> bool:
    """Make the credit of a member active again, or keep it active after a warning; whether that changed anything."""
    require(actor, organization, Capability.MANAGE_CREDIT)
    return reactivate(actor=actor, organization=organization, member=member)


@transaction.atomic(durable=True)
def reactivate_own_credit(*, actor: Actor, organization: Organization) -> bool:
    """Make the actor's own credit in ``organization`` active again, or keep it so; whether that changed anything.

    Raises PermissionDenied when they have no credit of their own there.
    """
    members = Member.objects.of(organization).filter(KEEPS_CREDIT, user=actor.user)
    member = members.select_related("organization", "user").first() if actor.user else None
    if member is None:
        raise PermissionDenied
    acting = Actor.of_member(member, address=actor.address)
    return reactivate(actor=acting, organization=organization, member=member)
