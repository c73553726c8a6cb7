"""Rows of the members list, ready to be shown: what a template would have to work out fifty times over."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext

from members.access import Actor, Capability
from members.member_frame import LAMPS
from members.models import Member, Organization
from members.registry import MembersColumn, MemberTab, registry
from members.selectors.members import extra_columns

# A name that no Skype Name can be, and that URLs leave as it is.
ANYBODY = "0"


class MemberUrls:
    """The addresses of members' pages, worked out once for a whole list of people."""

    def __init__(self, organization: Organization, actor: Actor) -> None:
        self._organization = organization
        self.tabs = [tab for tab in registry.all(MemberTab) if actor.can(tab.capability)]
        self._patterns = [(tab, self._pattern(tab.url_name)) for tab in self.tabs]

    def _pattern(self, url_name: str) -> tuple[str, str]:
        before, _anybody, after = reverse(url_name, args=[self._organization.slug, ANYBODY]).rpartition(f"@{ANYBODY}")
        return f"{before}@", after

    @cached_property
    def _profile(self) -> tuple[str, str]:
        return self._pattern("members:member_profile")

    @cached_property
    def _block(self) -> tuple[str, str]:
        return self._pattern("members:member_block")

    def profile(self, skype_name: str) -> str:
        return skype_name.join(self._profile)

    def block(self, skype_name: str) -> str:
        return skype_name.join(self._block)

    def of_tabs(self, skype_name: str) -> list[tuple[MemberTab, str]]:
        return [(tab, skype_name.join(pattern)) for tab, pattern in self._patterns]


@dataclass(frozen=True, slots=True)
class MemberRow:
    member: Member
    name: str
    skype_name: str
    url: str
    department: str
    role: str
    state: str
    lamp: str
    personal: bool
    muted: bool
    cells: Sequence[tuple[MembersColumn, str]]
    tabs: Sequence[tuple[MemberTab, str]]
    block_url: str
    select_label: str
    menu_label: str


def member_rows(organization: Organization, actor: Actor, members: Sequence[Member]) -> list[MemberRow]:
    """A row for each of ``members``, which came from the members list's selector."""
    urls = MemberUrls(organization, actor)
    extra = extra_columns(organization, members)
    roles: dict[str, str] = {value: str(label) for value, label in Member.Role.choices}
    # That somebody is a plain member goes without saying.
    roles[Member.Role.MEMBER] = ""
    states = {value: str(label) for value, label in Member.State.choices}
    select, actions = gettext("Select {name}"), gettext("Actions for {name}")
    manages = actor.can(Capability.MANAGE_MEMBERS)
    rows = []
    for member in members:
        name, skype_name = member.user.display_name, member.user.skype_name
        state = Member.State(member.state)
        rows.append(
            MemberRow(
                member=member,
                name=name,
                skype_name=skype_name,
                url=urls.profile(skype_name),
                department=member.department.path if member.department else "",
                role=roles[member.role],
                state=states[state],
                lamp=LAMPS[state],
                personal=member.user.kind == "personal",
                muted=state in (Member.State.BLOCKED, Member.State.LEFT),
                cells=[(entry.column, entry.values.get(member.pk, "")) for entry in extra],
                tabs=urls.of_tabs(skype_name),
                block_url=urls.block(skype_name) if manages and state == Member.State.ACTIVE else "",
                select_label=select.format(name=name),
                menu_label=actions.format(name=name),
            )
        )
    return rows
