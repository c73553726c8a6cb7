"""Giving away what is kept about somebody."""

from django.core.exceptions import PermissionDenied
from django.db import transaction

from members.access import Actor, Capability, require_even_closed, require_over
from members.audit import Action, record
from members.models import Member, Organization
from members.personal_data import data_of_membership


@transaction.atomic(durable=True)
def export_member_data(*, actor: Actor, organization: Organization, member: Member) -> dict[str, object]:
    """What ``organization`` keeps about a member, for them; the log says who asked for it.

    Of one that is closed operators give it.
    """
    require_even_closed(actor, organization, Capability.MANAGE_MEMBERS)
    found = Member.objects.of(organization).with_people().select_related("organization").filter(pk=member.pk).first()
    if found is None:
        raise PermissionDenied
    require_over(actor, found)
    facts = data_of_membership(found)
    record(organization=organization, actor=actor, action=Action.MEMBER_DATA_EXPORTED, subject=found)
    return facts
