"""The list of members: what a query string asks for, who matches, and what a row shows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, cast

from django.db.models import Max, Min, Q
from django.http import QueryDict
from django.utils.translation import gettext, ngettext_lazy, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from members.departments import lies_in
from members.models import Member, Organization, User
from members.models.people import MemberQuerySet, joined_month
from members.names import sort_key
from members.registry import MembersColumn, MembersFilter, Text, registry
from members.selectors.departments import department_paths
from members.selectors.joined import JOINED, JOINED_FROM, JOINED_TO, JoinedDays, Span, span_of
from members.selectors.member_pages import (
    Places,
    Words,
    count_by_state,
    find_across,
    find_by_facts,
    find_by_words,
    only_indexed,
    only_matching,
)
from members.tallies import tally
from skypemgr.lists import (
    MOST_COUNTED,
    Chip,
    ChoiceFilter,
    Ordering,
    Page,
    Take,
    Total,
    change_query,
    chips_of,
    keyset_chunks,
    keyset_page,
    read_choice,
    read_text,
)

State = Member.State

BY_NAME = Ordering("name", ("sort_key", "id"), _("by name"))
ORDERS = [
    BY_NAME,
    Ordering("-name", ("-sort_key", "-id"), _("by name, Z first")),
    Ordering("newest", ("-created_at", "-id"), _("newest first")),
    Ordering("oldest", ("created_at", "id"), _("oldest first")),
]
TEXTS = {
    "name": ngettext_lazy("{shown} of {total} member, by name", "{shown} of {total} members, by name"),
    "-name": ngettext_lazy(
        "{shown} of {total} member, by name, Z first", "{shown} of {total} members, by name, Z first"
    ),
    "newest": ngettext_lazy("{shown} of {total} member, newest first", "{shown} of {total} members, newest first"),
    "oldest": ngettext_lazy("{shown} of {total} member, oldest first", "{shown} of {total} members, oldest first"),
}
EVERYONE = "everyone"
# Everyone is everyone present; who has left has a tab of their own.
TABS = {
    EVERYONE: (State.INVITED, State.ACTIVE, State.BLOCKED),
    State.ACTIVE: (State.ACTIVE,),
    State.INVITED: (State.INVITED,),
    State.BLOCKED: (State.BLOCKED,),
    State.LEFT: (State.LEFT,),
}
TAB_LABELS = {
    EVERYONE: pgettext_lazy("members", "Everyone"),
    State.ACTIVE: pgettext_lazy("members", "Active"),
    State.INVITED: pgettext_lazy("members", "Invited"),
    State.BLOCKED: pgettext_lazy("members", "Blocked"),
    State.LEFT: pgettext_lazy("members", "Left"),
}
# A search is not found in an order, so counting what it finds costs more.
MOST_FOUND = 1_000
NOWHERE = "none"
# What the tallies know, and what an index of the list begins with in each of its orders.
TALLIED = frozenset({"department", "role", "kind"})


@dataclass(frozen=True)
class Tab:
    """A state on the list; ``total`` is None where counting would cost more than it tells."""

    label: Text
    url: str
    total: Total | None
    current: bool


@dataclass(frozen=True)
class ExtraColumn:
    """A column of another app, and its values for the members it was asked for, by their id."""

    column: MembersColumn
    values: Mapping[int, Any]


@dataclass(frozen=True)
class MembersQuery:
    """What a query string asks of the list of members; whatever it holds beyond is ignored."""

    organization: Organization
    query: QueryDict
    state: str
    search: str
    order: Ordering
    filters: Sequence[ChoiceFilter]
    joined: JoinedDays
    departments: Sequence[tuple[int, str]]

    @classmethod
    def read(cls, organization: Organization, query: QueryDict) -> "MembersQuery":
        departments = department_paths(organization)
        return cls(
            organization=organization,
            query=query,
            state=read_choice(query, "state", list(TABS), EVERYONE),
            search=read_text(query),
            order=next(
                order for order in ORDERS if order.name == read_choice(query, "sort", [o.name for o in ORDERS], "name")
            ),
            filters=_read_filters(organization, departments, query),
            joined=JoinedDays.read(query),
            departments=departments,
        )

    @property
    def is_narrowed(self) -> bool:
        return bool(self.search or self._chosen)

    def kept(self) -> list[tuple[str, str]]:
        """The parameters that decide who matches, as they were asked; a selection takes them along."""
        keys = ["state", "q", *(entry.key for entry in self.filters), JOINED_FROM, JOINED_TO]
        return [(key, value) for key in keys if (value := self.query.get(key))]

    def chips(self) -> list[Chip]:
        found: list[Chip] = []
        if self.search:
            found = [Chip(gettext("“%(text)s”") % {"text": self.search}, change_query(self.query, q=""))]
        return found + chips_of(self.filters, self.query) + self.joined.chips(self.query)

    def cleared_url(self) -> str:
        keys = [*(entry.key for entry in self.filters), JOINED_FROM, JOINED_TO]
        return change_query(self.query, q="", **dict.fromkeys(keys, ""))

    def orders(self) -> list[tuple[Ordering, str]]:
        """The orders on offer, and the list in each."""
        return [(order, change_query(self.query, sort="" if order == ORDERS[0] else order.name)) for order in ORDERS]

    def heading(self, orders: Sequence[str]) -> tuple[str, str]:
        """Where the heading of a column that has ``orders`` leads, and how the list is sorted by it, for aria-sort.

        To the first of them; to the next when the list is in one already.
        """
        at = orders.index(self.order.name) if self.order.name in orders else -1
        url = change_query(
            self.query, sort=order if (order := orders[(at + 1) % len(orders)]) != ORDERS[0].name else ""
        )
        return url, "" if at < 0 else "descending" if self.order.descending else "ascending"

    def name_heading(self) -> tuple[str, str]:
        return self.heading(["name", "-name"])

    def page(self, total: Total) -> Page[Member]:
        """The page of members that the query's cursor asks for, with their people and departments.

        ``total`` is that of the current tab.
        """
        return keyset_page(
            Member.objects.of(self.organization),
            order=self.order,
            query=self.query,
            text=TEXTS[self.order.name] % total.number,
            total=total,
            take=self._taken(common=total.capped),
            start=self._start(),
        )

    def first(self, number: int) -> list[Member]:
        """The first few of those whom the query asks for, by name."""
        return self._taken(common=True)(Q(), BY_NAME.fields, number)

    def number(self) -> int:
        """How many the query asks for, exactly; for pages that are about doing something to all of them."""
        if not self._is_tallied:
            return self.matching().order_by().count()
        numbers = tally(self.organization, "state", self._facts(self._chosen))
        return sum(numbers.get(state, 0) for state in TABS[self.state])

    def chunks(self, members: MemberQuerySet) -> Iterator[list[Member]]:
        """``members`` in the order that the query asks for, some at a time."""
        return keyset_chunks(for_list(members), order=self.order)

    def matching(self) -> MemberQuerySet:
        """Everybody the query asks for, in no order."""
        return _in_tab(self._found(), self.state)

    def tabs(self) -> list[Tab]:
        """The states, with how many of each match the rest of the query."""
        totals = self._tallied() if self._is_tallied else self._counted()
        return [
            Tab(
                label=TAB_LABELS[key],
                url=change_query(self.query, state="" if key == EVERYONE else key),
                total=totals[key],
                current=key == self.state,
            )
            for key in TABS
        ]

    @property
    def letter(self) -> str:
        """What the names of the page begin with or come after, "" from the start; only by name."""
        return read_text(self.query, "from")[:20] if self.order == BY_NAME else ""

    def _start(self) -> list[object] | None:
        return [sort_key(self.letter, self.organization.language), 0] if self.letter else None

    def _taken(self, *, common: bool) -> Take[Member]:
        """The way to find a page of the query at the same cost in an organization of any size."""

        def take(beyond: Q, fields: Sequence[str], number: int) -> list[Member]:
            if self._is_narrow:
                near = _in_tab(Member.objects.of(self.organization).filter(self._facts(self._in_order)), self.state)
                index_order = [*self._null_first(fields), *fields]
                parts = [_in_tab(part, self.state) for part in self._parts()]
                across = partial(self._find_by_months, beyond, fields, number) if self._is_by_months else None
                keys = find_by_facts(
                    near, parts, beyond, fields, number, index_order=index_order, common=common, across=across
                )
            elif self.search:
                members = _in_tab(self._filtered(), self.state)
                keys = find_by_words(members, Words(self.search), beyond, fields, number, common=common)
            elif len(self._places) > 1:
                members = _in_tab(self._filtered(but="department"), self.state)
                keys = find_across(members, Places("department", "bigint", self._places), beyond, fields, number)
            else:
                # Who they are before what is shown of them: a planner that expects few would join first, then sort all.
                order = [*self._null_first(fields), *fields]
                first = self.matching().filter(beyond).order_by(*order).values("pk")[:number]
                return list(for_list(Member.objects.filter(pk__in=first)).order_by(*fields))
            found = for_list(Member.objects.of(self.organization)).in_bulk(keys)
            return [found[key] for key in keys if key in found]

        return take

    @property
    def _is_by_months(self) -> bool:
        """Whether nothing is asked but when they joined, by when they came, which an index has of each month."""
        asked = self._chosen.keys() <= {"joined", JOINED_FROM, JOINED_TO} and not self.search
        return asked and self.state in (EVERYONE, State.ACTIVE) and self.order.name in ("newest", "oldest")

    def _find_by_months(self, beyond: Q, fields: Sequence[str], number: int) -> list[int]:
        """Who came first or last of those who joined in a time is far from the others on the list: by each month."""
        everybody = Member.objects.of(self.organization).alias(joined_month=joined_month())
        ends = everybody.aggregate(first=Min("joined_at"), last=Max("joined_at"))
        months = self._span.months(ends["first"], ends["last"]) if ends["first"] else []
        if not months:
            return []
        places = Places("joined_month", "timestamp", [month.replace(tzinfo=None) for month in months])
        return find_across(_in_tab(everybody.filter(self._span.condition), self.state), places, beyond, fields, number)

    @property
    def _span(self) -> Span:
        """When they joined who are asked for."""
        return self.joined.span.both(span_of(since) if (since := self._chosen.get("joined")) else Span())

    def _null_first(self, fields: Sequence[str]) -> list[str]:
        """The column in front of ``fields`` in the index of those who are in no department.

        All have null there, which the planner does not take for one and the same, as it would any other value.
        """
        if self._chosen.get("department") != NOWHERE:
            return []
        return ["-department_id" if fields[0] in ("-sort_key", "created_at") else "department_id"]

    @property
    def _chosen(self) -> dict[str, str]:
        asked = {entry.key: entry.chosen for entry in self.filters}
        asked |= {JOINED_FROM: self.joined.first, JOINED_TO: self.joined.last}
        return {key: value for key, value in asked.items() if value}

    @property
    def _is_narrow(self) -> bool:
        """Whether something is asked that no index of the list holds in its order."""
        return not self._chosen.keys() <= TALLIED

    @property
    def _in_order(self) -> dict[str, str]:
        """What is asked that an index of the list begins with."""
        kept = TALLIED if len(self._places) < 2 else TALLIED - {"department"}
        return {key: value for key, value in self._chosen.items() if key in kept}

    @property
    def _is_tallied(self) -> bool:
        """Whether the database keeps how many there are."""
        return not self.search and not self._is_narrow

    @cached_property
    def _places(self) -> list[int]:
        """The chosen department and those under it."""
        chosen = self._chosen.get("department", NOWHERE)
        if chosen == NOWHERE:
            return []
        top = next(path for key, path in self.departments if str(key) == chosen)
        return [key for key, path in self.departments if lies_in(path, top)]

    def _found(self) -> MemberQuerySet:
        members = self._filtered()
        return members.filter(Words(self.search).condition) if self.search else members

    def _parts(self) -> list[MemberQuerySet]:
        """Those in any state whom the query asks for, as querysets that share nobody and are each found quickly."""
        members = Member.objects.of(self.organization).filter(self._facts(self._chosen))
        parts = [members.filter(Words(self.search).condition) if self.search else members]
        for entry in registry.all(MembersFilter):
            if value := self._chosen.get(entry.key):
                split = entry.parts or (lambda members, value, entry=entry: [entry.apply(members, value)])
                parts = [cast(MemberQuerySet, part) for members in parts for part in split(members, value)]
        return parts

    def _filtered(self, *, but: str = "") -> MemberQuerySet:
        """Those in any state whom the filters leave, all of them or all but one."""
        chosen = {key: value for key, value in self._chosen.items() if key != but}
        members = Member.objects.of(self.organization).filter(self._facts(chosen))
        for entry in registry.all(MembersFilter):
            if value := chosen.get(entry.key):
                members = cast(MemberQuerySet, entry.apply(members, value))
        return members

    def _facts(self, chosen: Mapping[str, str]) -> Q:
        """What the filters of this app ask for, of members as of their tallies."""
        condition = Q()
        if department := chosen.get("department"):
            condition &= Q(department=None) if department == NOWHERE else _one_of("department", self._places)
        if role := chosen.get("role"):
            condition &= Q(role=role)
        if kind := chosen.get("kind"):
            condition &= Q(account_kind=kind)
        if chosen.keys() & {"joined", JOINED_FROM, JOINED_TO}:
            condition &= Q(pk__in=[]) if self.joined.wrong else self._span.condition
        return condition

    def _tallied(self) -> dict[str, Total | None]:
        numbers = tally(self.organization, "state", self._facts(self._chosen))
        return {
            key: Total.up_to(sum(numbers.get(state, 0) for state in states), MOST_COUNTED)
            for key, states in TABS.items()
        }

    def _counted(self) -> dict[str, Total | None]:
        parts = self._parts()
        with only_matching() if self.search else only_indexed():
            numbers = count_by_state(parts, MOST_FOUND)
            if sum(numbers.values()) > MOST_FOUND:
                # How they are spread over the states is not worth looking at each of them.
                numbers = count_by_state([_in_tab(part, self.state) for part in parts], MOST_FOUND)
                return dict.fromkeys(TABS) | {self.state: Total.up_to(sum(numbers.values()), MOST_FOUND)}
        return {key: Total(sum(numbers.get(state, 0) for state in states)) for key, states in TABS.items()}


def _one_of(column: str, keys: Sequence[int]) -> Q:
    # A single one is an order in the index, a list of one is not always seen to be.
    return Q(**{column: keys[0]}) if len(keys) == 1 else Q(**{f"{column}__in": keys})


def _in_tab(members: MemberQuerySet, tab: str) -> MemberQuerySet:
    return members.present() if tab == EVERYONE else members.filter(state=tab)


def for_list(members: MemberQuerySet) -> MemberQuerySet:
    """``members`` with what a row of a list shows of them, and nothing else."""
    return members.with_people().only(
        "organization",
        "role",
        "state",
        "email",
        "job_title",
        "sort_key",
        "created_at",
        "joined_at",
        "user__skype_name",
        "user__first_name",
        "user__last_name",
        "user__kind",
        "user__language",
        "department__path",
    )


def _read_filters(
    organization: Organization, departments: Sequence[tuple[int, str]], query: QueryDict
) -> list[ChoiceFilter]:
    offered: list[tuple[str, Text, Text, Sequence[tuple[str, Text]]]] = [
        (
            "department",
            _("Department"),
            _("Every department"),
            [*((str(key), path) for key, path in departments), (NOWHERE, _("In no department"))],
        ),
        ("role", _("Role"), _("Every role"), Member.Role.choices),
        ("kind", _("Kind of account"), _("Every kind"), User.Kind.choices),
        ("joined", _("Joined when"), _("Joined at any time"), JOINED),
    ]
    offered += [
        (entry.key, entry.label, entry.every or entry.label, entry.choices(organization))
        for entry in registry.all(MembersFilter)
    ]
    return [
        ChoiceFilter(
            key=key,
            label=label,
            every=every,
            choices=choices,
            chosen=read_choice(query, key, [value for value, _label in choices]),
        )
        for key, label, every, choices in offered
        if choices
    ]


def extra_columns(
    organization: Organization, members: Sequence[Member], columns: Sequence[MembersColumn]
) -> list[ExtraColumn]:
    """What ``columns`` say about these members; each is asked once."""
    return [ExtraColumn(column, column.values(organization, members)) for column in columns]
