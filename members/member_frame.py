"""The frame around every page about one member, which each app's tabs fill: see ``members/member_frame.html``."""

from typing import Any

from django.db.models.functions import Lower
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext

from members.access import ROLES, Actor, Capability
from members.decorators import OrganizationRequest
from members.models import Member, Organization
from members.registry import MemberTab, registry

LAMPS = {
    Member.State.INVITED: "waiting",
    Member.State.ACTIVE: "success",
    Member.State.BLOCKED: "danger",
    Member.State.LEFT: "off",
}


def find_member(organization: Organization, skype_name: str) -> Member:
    """The member of a Skype Name, in any case, with their account and department. Raises Http404."""
    members = Member.objects.of(organization).with_people().select_related("organization")
    found = members.alias(folded=Lower("user__skype_name")).filter(folded=skype_name.lower()).first()
    if found is None:
        raise Http404
    return found


def may_change(actor: Actor, member: Member) -> bool:
    """Whether ``actor`` manages members, and ``member`` has no role above theirs."""
    return actor.can(Capability.MANAGE_MEMBERS) and ROLES[member.role] <= actor.capabilities


def member_frame(request: OrganizationRequest, member: Member, tab: str) -> dict[str, Any]:
    """The context of ``members/member_frame.html`` around the tab ``tab`` of ``member``."""
    slug, skype_name = request.organization.slug, member.user.skype_name
    return {
        "section": "members",
        "subsection": "list",
        "member": member,
        "lamp": LAMPS[Member.State(member.state)],
        "may_change": may_change(request.actor, member),
        "trail": [(gettext("Members"), reverse("members:member_list", args=[slug]))],
        "tabs": [
            (entry.label, reverse(entry.url_name, args=[slug, skype_name]), entry.key == tab)
            for entry in registry.all(MemberTab)
            if request.actor.can(entry.capability) and (entry.key == tab or entry.visible(request.organization))
        ],
    }
