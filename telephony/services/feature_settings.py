"""Settings of features: of a member by whoever manages Voice, and of one's own."""

from collections.abc import Mapping

from django.core.exceptions import PermissionDenied
from django.db import transaction

from members.access import Actor, Capability, require
from members.errors import OrganizationClosed
from members.locks import take_time
from members.models import Member, Organization
from telephony.feature_settings import save_setting


@transaction.atomic(durable=True)
def set_feature(
    *, actor: Actor, organization: Organization, member: Member, kind: str, values: Mapping[str, str]
) -> bool:
    """Save what is set of a member's feature; whether that changed anything. Raises as ``save_setting`` does."""
    require(actor, organization, Capability.MANAGE_VOICE)
    take_time()
    own = Member.objects.of(organization).select_related("organization", "user").filter(pk=member.pk).first()
    if own is None:
        raise PermissionDenied
    return save_setting(organization=organization, actor=actor, member=own, kind=kind, values=values)


@transaction.atomic(durable=True)
def set_own_feature(*, actor: Actor, organization: Organization, kind: str, values: Mapping[str, str]) -> bool:
    """The same of the actor's own feature in ``organization``. Raises PermissionDenied where they are no member."""
    members = Member.objects.of(organization).select_related("organization", "user")
    member = members.filter(user=actor.user, state=Member.State.ACTIVE).first() if actor.user else None
    if member is None:
        raise PermissionDenied
    if organization.closed_at is not None:
        raise OrganizationClosed(name=organization.name)
    take_time()
    acting = Actor.of_member(member, address=actor.address)
    return save_setting(organization=organization, actor=acting, member=member, kind=kind, values=values)
