"""Rows of the members list, ready to be shown: what a template would have to work out fifty times over.

Their markup is written here as well, and sparingly: the rows are most of the page, in bytes and in time.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import accumulate

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, pgettext

from members.access import Actor, Capability
from members.departments import join_path, lies_in, names_of
from members.list_columns import DEPARTMENT, STATE
from members.member_frame import LAMPS
from members.models import Member, Organization
from members.registry import MembersColumn, MemberTab, Text, registry
from members.selectors.members import ExtraColumn, extra_columns
from skypemgr.lists import ChoiceFilter
from skypemgr.templatetags.look import HUES, initials

# Values of attributes that mean themselves without quotation marks.
_BARE = re.compile(r"[\w@%./+~-]+").fullmatch
# A name that no Skype Name can be, and that URLs leave as it is.
ANYBODY = "0"


class MemberUrls:
    """The addresses of members' pages, worked out once for a whole list of people."""

    def __init__(self, organization: Organization, actor: Actor) -> None:
        self._organization = organization
        self._tabs = [tab for tab in registry.all(MemberTab) if actor.can(tab.capability) and tab.visible(organization)]
        self._manages = actor.can(Capability.MANAGE_MEMBERS)

    def _pattern(self, url_name: str) -> tuple[str, str]:
        before, _anybody, after = reverse(url_name, args=[self._organization.slug, ANYBODY]).rpartition(f"@{ANYBODY}")
        return f"{before}@", after

    @cached_property
    def _profile(self) -> tuple[str, str]:
        return self._pattern("members:member_profile")

    def profile(self, skype_name: str) -> str:
        return skype_name.join(self._profile)

    def of_menu(self) -> list[tuple[Text, str, bool]]:
        """What the menu of a row holds: a label, the way there from the profile, and whether it blocks."""
        home = self.profile(ANYBODY)
        pages: list[tuple[Text, str, bool]] = [(tab.label, tab.url_name, False) for tab in self._tabs]
        if self._manages:
            pages.append((gettext("Block sign-in"), "members:member_block", True))
        return [
            (label, ANYBODY.join(self._pattern(url_name)).removeprefix(home), blocks)
            for label, url_name, blocks in pages
        ]


# Departments in a filter, beyond which those far down are offered when what is above them is chosen.
MOST_OFFERED = 100
# Of cells that narrow pages leave out.
WIDE_ONLY = "wide-only"


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
    can_be_blocked: bool


def member_rows(
    organization: Organization, actor: Actor, members: Sequence[Member], columns: Sequence[MembersColumn] = ()
) -> list[MemberRow]:
    """A row for each of ``members``, which came from the members list's selector, with cells of ``columns``."""
    urls = MemberUrls(organization, actor)
    extra = extra_columns(organization, members, columns)
    roles: dict[str, str] = {value: str(label) for value, label in Member.Role.choices}
    # That somebody is a plain member goes without saying.
    roles[Member.Role.MEMBER] = ""
    states = {value: str(label) for value, label in Member.State.choices}
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
                cells=[(entry.column, _cell(organization, entry, member)) for entry in extra],
                can_be_blocked=manages and state == Member.State.ACTIVE,
            )
        )
    return rows


# Links are relative to the list, where the rows are shown. HTML lets cells and rows go without an end, attributes
# without quotation marks, and the heading of a row without its scope. Style draws the initials, and knows the first
# cell, of the box, and the last, of the menu that a script makes.
_ROW = (
    "<tr{muted}>{select}<th{hue} data-initials={initials}>"
    "<a href={url} id=m{pk}>{name}</a><small>{skype_name}</small>{department}{state}{cells}<td{kept}>"
)
_DEPARTMENT = "<td>{department}{role}"
_STATE = "<td><span class=badge-{lamp}>{state}</span>{personal}"
_SELECT = "<td><input type=checkbox name=member value={pk} aria-labelledby=m{pk}>"


def _cell(organization: Organization, entry: ExtraColumn, member: Member) -> str:
    value = entry.values.get(member.pk)
    return "" if value is None else entry.column.show(organization, value)


def rows_markup(
    organization: Organization, rows: Sequence[MemberRow], *, selectable: bool, shown: Collection[str]
) -> SafeString:
    """The rows as they stand in the table of the list; ``selectable`` ones begin with a box.

    Department and state stand in them where ``shown`` holds their keys.
    """
    here = reverse("members:member_list", args=[organization.slug])
    starts = [_start_of_cell(column) for column, _value in rows[0].cells] if rows else []
    personal = pgettext("account", "Personal")
    # Everything that somebody wrote is escaped on its way in.
    return mark_safe(  # noqa: S308
        "".join(
            _ROW.format(
                pk=row.member.pk,
                muted=" class=row-muted" if row.muted else "",
                select=_SELECT.format(pk=row.member.pk) if selectable else "",
                hue=f" class=avatar-{hue}" if (hue := row.member.pk % HUES + 1) > 1 else "",
                initials=_quoted(initials(row.name)),
                url=_quoted(row.url.removeprefix(here)),
                name=escape(row.name),
                skype_name=escape(row.skype_name),
                department=_department(row) if DEPARTMENT in shown else "",
                state=_state(row, personal) if STATE in shown else "",
                cells="".join(
                    f"{start}{escape(value)}" for start, (_column, value) in zip(starts, row.cells, strict=True)
                ),
                kept="" if row.can_be_blocked else " data-unblockable",
            )
            for row in rows
        )
    )


def _department(row: MemberRow) -> str:
    role = f"<span class=cell-note>{escape(row.role)}</span>" if row.role else ""
    return _DEPARTMENT.format(department=escape(row.department), role=role)


def _state(row: MemberRow, personal: str) -> str:
    tag = f" <span class=tag>{escape(personal)}</span>" if row.personal else ""
    return _STATE.format(lamp=row.lamp, state=escape(row.state), personal=tag)


def _start_of_cell(column: MembersColumn) -> str:
    css_class = "num" if column.numeric else column.css_class
    marked = f" class={_quoted(css_class)}" if css_class else ""
    # Nobody sees the label of what a narrow page leaves out.
    label = "" if css_class == WIDE_ONLY else f" data-label={_quoted(str(column.label))}"
    return f"<td{label}{marked}>"


def options_markup(choices: ChoiceFilter, *, tree: bool = False) -> SafeString:
    """The options of a filter. HTML lets them go without an end.

    Of a ``tree``, whose labels are paths in its order, there may be thousands. They are indented and say their own
    name alone; of a large one the uppermost are offered, and those just below what is chosen and what lies above it.
    """
    return mark_safe(  # noqa: S308
        "".join(
            f"<option value={_quoted(value)}{' selected' if value == choices.chosen else ''}>{escape(str(label))}"
            for value, label in (_offered(choices) if tree else choices.choices)
        )
    )


def _offered(tree: ChoiceFilter) -> Iterator[tuple[str, str]]:
    """What is offered of a tree, with "…" where there is more below."""
    paths = [str(label) for _value, label in tree.choices]
    levels = _levels_to_offer(paths)
    chosen = str(tree.chosen_label)
    below_is_hidden = False
    found = []
    for (value, _label), path in zip(reversed(tree.choices), reversed(paths), strict=True):
        *above, name = names_of(path)
        offered = len(above) < levels or lies_in(chosen, join_path(above))
        if offered:
            found.append((value, "\N{EM SPACE}" * len(above) + name + (" …" if below_is_hidden else "")))
        below_is_hidden = not offered
    return reversed(found)


def _levels_to_offer(paths: Sequence[str]) -> int:
    """So many levels of a tree that MOST_OFFERED are not passed; the uppermost whatever it holds."""
    numbers = Counter(len(names_of(path)) for path in paths)
    offered = list(accumulate(numbers[level] for level in range(1, len(numbers) + 1)))
    return max(1, sum(number <= MOST_OFFERED for number in offered))


def _quoted(value: str) -> str:
    """A value of an attribute, without quotation marks where it needs none."""
    return value if _BARE(value) else f'"{escape(value)}"'
