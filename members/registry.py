"""What higher apps add to the pages of this one, registered in their ``AppConfig.ready()`` (decision 1).

A provider is asked once per page with everything on it, never once per row.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.utils.functional import Promise

if TYPE_CHECKING:
    from members.access import Actor, Capability
    from members.models import Department, Member, Organization
    from members.tenures import Stint

type Text = str | Promise


@dataclass(frozen=True, kw_only=True)
class NavigationEntry:
    """A line of the sidebar. ``url_name`` takes the organization's slug."""

    key: str
    label: Text
    icon: str
    url_name: str
    capability: "Capability"
    order: int
    children: Sequence[tuple[str, Text, str, "Capability"]] = ()
    visible: Callable[["Organization"], bool] = lambda organization: True


@dataclass(frozen=True, kw_only=True)
class OperatorPage:
    """A page under /ops/, as a tab of all of them. ``url_name`` takes nothing."""

    key: str
    label: Text
    url_name: str
    order: int


@dataclass(frozen=True, kw_only=True)
class ChecklistItem:
    """A next step on the dashboard. ``state`` tells (done, a note) for an organization, ``url`` where to take it.

    ``visible`` says whether it is a step there at all.
    """

    key: str
    label: Text
    action_label: Text
    url: Callable[["Organization"], str]
    capability: "Capability"
    order: int
    state: Callable[["Organization"], tuple[bool, str]]
    visible: Callable[["Organization"], bool] = lambda organization: True


@dataclass(frozen=True, kw_only=True)
class MemberTab:
    """A tab of the member page. ``url_name`` takes the organization's slug and the Skype Name."""

    key: str
    label: Text
    url_name: str
    capability: "Capability"
    order: int
    visible: Callable[["Organization"], bool] = lambda organization: True


@dataclass(frozen=True, kw_only=True)
class MembersColumn:
    """A column of the members list and of its file.

    ``values`` maps member ids to what stands in the file, ``show`` makes of one of these what the list says.
    ``shown`` says whether the list shows it to those who have chosen no columns, ``in_file`` whether the file has
    it, ``orders`` names the orders of the list that its heading leads to, the first one first.
    """

    key: str
    label: Text
    order: int
    values: Callable[["Organization", Sequence["Member"]], Mapping[int, Any]]
    show: Callable[["Organization", Any], str] = lambda organization, value: str(value)
    numeric: bool = False
    css_class: str = ""
    shown: bool = True
    in_file: bool = True
    orders: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MembersFilter:
    """A filter of the members list: a query parameter, its choices, and what it does to the queryset.

    ``parts`` tells the same of a page of the list as several querysets that share nobody, for what no single index
    can find (decision 8). ``every`` is what it says when nothing is chosen, ``label`` if nothing else.
    """

    key: str
    label: Text
    order: int
    choices: Callable[["Organization"], Sequence[tuple[str, Text]]]
    apply: Callable[..., object]
    parts: Callable[..., Sequence[object]] | None = None
    every: Text = ""


@dataclass(frozen=True, kw_only=True)
class BulkAction:
    """A button of the bar below ticked rows. ``url_name`` takes the organization's slug; it gets the selection."""

    key: str
    label: Text
    url_name: str
    capability: "Capability"
    order: int


@dataclass(frozen=True, kw_only=True)
class DepartmentAction:
    """A line in the menu of a department. Its URL gets the selection of everybody in it and under it."""

    key: str
    label: Text
    icon: str
    url_name: str
    capability: "Capability"
    order: int


@dataclass(frozen=True, kw_only=True)
class DepartmentFigure:
    """A figure on the page of a department, for those who hold ``capability``.

    ``show`` gets the department and all those under it, and gives the figure of their people together as it is shown,
    or "" for nothing. Asked once for the page.
    """

    key: str
    label: Text
    capability: "Capability"
    order: int
    show: Callable[["Organization", Sequence["Department"]], str]
    note: Text = ""


@dataclass(frozen=True, kw_only=True)
class PersonalPanel:
    """A panel of /me/. ``render`` gives safe HTML, or "" for nothing.

    With ``after_leaving`` it is also asked about personal accounts that have left: for what stays theirs.
    """

    key: str
    order: int
    render: Callable[[HttpRequest, "Member"], str]
    after_leaving: bool = False


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something that those who hold ``capability`` are told by letter, unless they don't want that.

    ``key`` is the app's name and a word: "credit.wallet". What an account has to know for its safety is none.
    """

    key: str
    label: Text
    capability: "Capability"
    order: int
    note: Text = ""


@dataclass(frozen=True)
class Obstacle:
    """Why an organization can't be closed yet: a sentence, and the address at which to do something about it."""

    text: str
    url: str


@dataclass(frozen=True, kw_only=True)
class ClosingStep:
    """What the end of an organization means to an app.

    ``obstacles`` tells what has to end first, ``consequences`` what will happen, in sentences that are agreed to one by
    one, ``files`` what to export before, each with its address. ``begin`` is done in the transaction that closes the
    organization, in the order of the steps; then nothing of it moves. ``carry_on`` does a part of the rest, in
    a transaction of its own, and gives how much it found: it is called again until that is nothing, by whoever is
    alive then.
    """

    key: str
    order: int
    obstacles: Callable[["Organization"], Sequence[Obstacle]] = lambda organization: ()
    consequences: Callable[["Organization"], Sequence[str]] = lambda organization: ()
    files: Callable[["Organization"], Sequence[tuple[Text, str]]] = lambda organization: ()
    begin: Callable[["Organization"], None] = lambda organization: None
    carry_on: Callable[["Organization"], int] = lambda organization: 0


@dataclass(frozen=True, kw_only=True)
class MemberFact:
    """A value of ``list_members --json`` and of the API that another app knows."""

    key: str
    values: Callable[["Organization", Sequence["Member"]], Mapping[int, object]]


@dataclass(frozen=True, kw_only=True)
class PersonalDataPart:
    """What another app keeps about a person, for the file they may ask for: texts, numbers, Decimals, moments.

    ``collect`` gets their member, and the time in which the account was theirs.
    """

    key: str
    order: int
    collect: Callable[["Member", "Stint"], object]


@dataclass(frozen=True, kw_only=True)
class HandOverPart:
    """What goes with a business account to the next person: ``list`` gives names and values of what there is."""

    key: str
    order: int
    list: Callable[["Member"], Sequence[tuple[Text, str]]]


@dataclass(frozen=True)
class LeavingDays:
    """So many days, between two bounds, that are asked for with the first choice of a line."""

    key: str
    label: Text
    initial: int
    most: int
    note: Text = ""


@dataclass(frozen=True, kw_only=True)
class LeavingLine:
    """Something that somebody leaves behind: what there is of it now, and what becomes of it.

    With ``choices``, whoever deals with the leaving decides: the first is what is proposed. The key is unique among
    all parts.
    """

    key: str
    label: Text
    value: str
    note: Text = ""
    choices: Sequence[tuple[str, Text]] = ()
    days: LeavingDays | None = None


@dataclass(frozen=True, kw_only=True)
class LeavingPart:
    """What the leaving of somebody with a business account means to an app, done by those who hold ``capability``.

    ``lines`` tells what there is. ``apply`` gets the choices, by the keys of lines and of their days, does its part in
    the transaction of the whole, with organization and member locked, and gives what it did: facts with the "key" of
    a line and an "outcome". ``tell`` makes of one of these, years later as well, what it is called and what was done.
    """

    key: str
    order: int
    capability: "Capability"
    lines: Callable[["Member"], Sequence[LeavingLine]]
    apply: Callable[["Actor", "Organization", "Member", Mapping[str, str], str], Sequence[Mapping[str, object]]]
    tell: Callable[["Organization", Mapping[str, Any]], tuple[Text, str]]


@dataclass(frozen=True, kw_only=True)
class AccountEnd:
    """What the end of accounts that nobody ever joined with means to an app: their invitations were taken back.

    ``apply`` gets the keys of the members, who are locked and have left, and does its part in the same transaction.
    """

    key: str
    order: int
    apply: Callable[["Actor", "Organization", Sequence[int]], None]


@dataclass(frozen=True, kw_only=True)
class VisibleFact:
    """Something about a member that their organization sees, or never does, as they are told.

    The roles with ``capability`` see it, with None nobody. ``kind`` is the only kind of account it is about, ""
    for both. With ``consent`` it is seen of a personal account only if its owner agreed, which ``consent_note`` says.
    With ``colleagues`` every member sees it where the organization shows them who else is one.
    """

    key: str
    order: int
    text: Text
    capability: "Capability | None"
    kind: str = ""
    consent: bool = False
    consent_note: Text = ""
    colleagues: bool = False


@dataclass(frozen=True, kw_only=True)
class ApiScope:
    """Something that a token may be given to do: "members:read". It never does more than its capability allows."""

    key: str
    label: Text
    capability: "Capability"
    order: int


@dataclass(frozen=True, kw_only=True)
class DemoPart:
    """What an app adds to the demo company, once: ``add`` gets the company as it stands, whenever it is asked for."""

    key: str
    order: int
    add: Callable[["Organization"], None]


@dataclass(frozen=True, kw_only=True)
class DemoMany:
    """What an app adds to the demo company in any number: ``key`` is the option of ``seed_demo`` that asks for it.

    ``add`` gets the company and how many there are to be, and gives how many there are.
    """

    key: str
    order: int
    help: str
    add: Callable[["Organization", int], int]


@dataclass
class Registry:
    _entries: dict[type, dict[str, object]] = field(default_factory=dict)

    def add(self, *entries: object) -> None:
        """Register entries; the same kind and key again replaces the first."""
        for entry in entries:
            self._entries.setdefault(type(entry), {})[entry.key] = entry  # type: ignore[attr-defined]

    def remove(self, kind: type, key: str) -> None:
        del self._entries[kind][key]

    def all[T](self, kind: type[T]) -> list[T]:
        """Every entry of a kind, in the order its page shows them."""
        found: list[T] = list(self._entries.get(kind, {}).values())  # type: ignore[arg-type]
        return sorted(found, key=lambda entry: (getattr(entry, "order", 0), getattr(entry, "key", "")))


registry = Registry()
