"""Rows of the members list, ready to be shown: what a template would have to work out fifty times over.

Their markup is written here as well, and sparingly: the rows are most of the page, in bytes and in time.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, pgettext

from members.access import Actor, Capability
from members.departments import names_of
from members.list_columns import DEPARTMENT, STATE
from members.member_frame import LAMPS
from members.models import Member, Organization
from members.registry import MembersColumn, MemberTab, Text, registry
from members.selectors.members import ExtraColumn, extra_columns
from skypemgr.lists import ChoiceFilter
from skypemgr.templatetags.look import HUES, initials

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


# Links are relative to the list, where the rows are shown. HTML lets cells and rows go without an end, and attributes
# without quotation marks. A script fills the cell of the menu, and style draws the initials.
_ROW = (
    "<tr{muted}>{select}<th{hue} scope=row data-initials={initials}>"
    '<a id=m{pk} href="{url}" dir=auto>{name}</a><small>{skype_name}</small>{department}{state}{cells}'
    "<td class=cell-menu{kept}>"
)
_DEPARTMENT = "<td>{department}{role}"
_STATE = '<td><span class="badge badge-{lamp}">{state}</span>{personal}'
_SELECT = "<td class=cell-select><input type=checkbox name=member value={pk} aria-labelledby=m{pk}>"


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
                url=_relative(row.url, here),
                name=escape(row.name),
                skype_name=escape(row.skype_name),
                department=_department(row) if DEPARTMENT in shown else "",
                state=_state(row, personal) if STATE in shown else "",
                cells="".join(_cells(row)),
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


def _cells(row: MemberRow) -> Iterator[str]:
    for column, value in row.cells:
        css_class = "num" if column.numeric else column.css_class
        marked = f" class={_quoted(css_class, '-')}" if css_class else ""
        # Nobody sees the label of what a narrow page leaves out.
        label = "" if css_class == WIDE_ONLY else f" data-label={_quoted(str(column.label))}"
        yield f"<td{label}{marked}>{escape(value)}"


def _relative(url: str, here: str) -> str:
    return escape(url.removeprefix(here))


def options_markup(choices: ChoiceFilter, *, tree: bool = False) -> SafeString:
    """The options of a filter, of which there may be hundreds. HTML lets them go without an end.

    Those of a ``tree``, whose labels are paths in the order of the tree, are indented and say their own name alone.
    """
    return mark_safe(  # noqa: S308
        "".join(
            f"<option value={_quoted(value)}{' selected' if value == choices.chosen else ''}>"
            f"{escape(_indented(str(label)) if tree else label)}"
            for value, label in choices.choices
        )
    )


def _quoted(value: str, also: str = "") -> str:
    """A value of an attribute, without quotation marks where it needs none; ``also`` is harmless there too."""
    bare = value.replace(also, "") if also else value
    return value if bare.isascii() and bare.isalnum() else f'"{escape(value)}"'


def _indented(path: str) -> str:
    *above, name = names_of(path)
    return "\N{EM SPACE}" * len(above) + name
