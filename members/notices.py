"""Who gets which notices by letter: as each of them has chosen, or else as their organization says, or else all."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from members.access import ROLES, Capability
from members.models import Member, NoticeChoice, Organization
from members.registry import Notice, registry

# Letters are there when people begin to work, by the clock of their organization.
IN_THE_MORNING = time(7)


def notices_for(role: str) -> list[Notice]:
    """The notices that somebody with ``role`` gets unless they don't want them."""
    return [notice for notice in registry.all(Notice) if notice.capability in ROLES[role]]


def wanted_at_first(organization: Organization) -> dict[str, bool]:
    """Whether those of ``organization`` who have not chosen get each notice, by its key."""
    said = NoticeChoice.objects.filter(organization=organization, member=None).values_list("notice", "wanted")
    return {notice.key: True for notice in registry.all(Notice)} | dict(said)


def wanted_by(organization: Organization, members: Sequence[Member]) -> Mapping[int, Collection[str]]:
    """The keys of the notices that each of ``members`` wants, by the member's key; two queries for all of them."""
    first = wanted_at_first(organization)
    wanted = {member.pk: dict(first) for member in members}
    chosen = NoticeChoice.objects.filter(organization=organization, member__in=[member.pk for member in members])
    for key, notice, yes in chosen.values_list("member", "notice", "wanted"):
        wanted[key][notice] = yes
    return {key: {notice for notice, yes in choices.items() if yes} for key, choices in wanted.items()}


def who_may_be_told(organization: Organization, capability: Capability) -> QuerySet[Member]:
    """The active members who hold ``capability`` and have confirmed their address, with their accounts."""
    roles = [role for role, capabilities in ROLES.items() if capability in capabilities]
    members = Member.objects.of(organization).filter(state=Member.State.ACTIVE, role__in=roles)
    return members.filter(user__is_active=True, user__email_verified_at__isnull=False).select_related("user")


def morning_of(organization: Organization, day: date) -> datetime:
    """When the letters of a day are to leave."""
    return datetime.combine(day, IN_THE_MORNING, ZoneInfo(organization.time_zone))
