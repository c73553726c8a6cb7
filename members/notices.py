"""Who gets which notices by letter: as each of them has chosen, or else as their organization says, or else all."""

from collections.abc import Collection, Mapping, Sequence

from members.access import ROLES
from members.models import Member, NoticeChoice, Organization
from members.registry import Notice, registry


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
