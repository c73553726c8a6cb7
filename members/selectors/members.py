"""The list of members: what a query string asks for, who matches, and what a row shows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Func, IntegerField, Q, Value
from django.http import QueryDict
from django.utils.translation import gettext, ngettext_lazy, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from members.models import Department, Member, Organization, User
from members.models.people import MemberQuerySet
from members.names import fold
from members.registry import MembersColumn, MembersFilter, Text, registry
from members.selectors.departments import department_choices, list_departments, subtree
from skypemgr.lists import (
    MOST_COUNTED,
    Chip,
    ChoiceFilter,
    Ordering,
    Page,
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
]
TEXTS = {
    "name": ngettext_lazy("{shown} of {total} member, by name", "{shown} of {total} members, by name"),
    "-name": ngettext_lazy(
        "{shown} of {total} member, by name, Z first", "{shown} of {total} members, by name, Z first"
    ),
    "newest": ngettext_lazy("{shown} of {total} member, newest first", "{shown} of {total} members, newest first"),
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


@dataclass(frozen=True)
class Tab:
    label: Text
    url: str
    total: Total
    current: bool


@dataclass(frozen=True)
class ExtraColumn:
    """A column of another app: its label, and what it shows for the members it was asked for, by their id."""

    column: MembersColumn
    values: Mapping[int, str]


@dataclass(frozen=True)
class MembersQuery:
    """What a query string asks of the list of members; whatever it holds beyond is ignored."""

    organization: Organization
    query: QueryDict
    state: str
    search: str
    order: Ordering
    filters: Sequence[ChoiceFilter]
    departments: Sequence[Department]

    @classmethod
    def read(cls, organization: Organization, query: QueryDict) -> "MembersQuery":
        departments = list_departments(organization)
        return cls(
            organization=organization,
            query=query,
            state=read_choice(query, "state", list(TABS), EVERYONE),
            search=read_text(query),
            order=next(
                order for order in ORDERS if order.name == read_choice(query, "sort", [o.name for o in ORDERS], "name")
            ),
            filters=_read_filters(organization, departments, query),
            departments=departments,
        )

    @property
    def is_narrowed(self) -> bool:
        return bool(self.search) or any(entry.chosen for entry in self.filters)

    def kept(self) -> list[tuple[str, str]]:
        """The parameters that decide who matches, as they were asked; a selection takes them along."""
        keys = ["state", "q", *(entry.key for entry in self.filters)]
        return [(key, value) for key in keys if (value := self.query.get(key))]

    def chips(self) -> list[Chip]:
        found: list[Chip] = []
        if self.search:
            found = [Chip(gettext("“%(text)s”") % {"text": self.search}, change_query(self.query, q=""))]
        return found + chips_of(self.filters, self.query)

    def cleared_url(self) -> str:
        return change_query(self.query, q="", **{entry.key: "" for entry in self.filters})

    def orders(self) -> list[tuple[Ordering, str]]:
        """The orders on offer, and the list in each."""
        return [(order, change_query(self.query, sort="" if order == ORDERS[0] else order.name)) for order in ORDERS]

    def name_url(self) -> str:
        """The list by name; from its end, when it is by name already."""
        return change_query(self.query, sort="-name" if self.order.name == "name" else "")

    def page(self, total: Total) -> Page[Member]:
        """The page of members that the query's cursor asks for, with their people and departments."""
        return keyset_page(
            for_list(self.matching()),
            order=self.order,
            query=self.query,
            text=TEXTS[self.order.name] % total.number,
            total=total,
        )

    def chunks(self) -> Iterator[list[Member]]:
        """Everybody the query asks for, in its order, some at a time."""
        return keyset_chunks(for_list(self.matching()), order=self.order)

    def matching(self) -> MemberQuerySet:
        """Everybody the query asks for, in no order."""
        return self._found().filter(state__in=TABS[self.state])

    def tabs(self) -> list[Tab]:
        """The states, with how many of each match the rest of the query; one query for all."""
        totals = self._totals()
        return [
            Tab(
                label=TAB_LABELS[key],
                url=change_query(self.query, state="" if key == EVERYONE else key),
                total=sum((totals[state] for state in states), Total(0)),
                current=key == self.state,
            )
            for key, states in TABS.items()
        ]

    def _found(self) -> MemberQuerySet:
        members = Member.objects.of(self.organization)
        for word in fold(self.search).split():
            members = members.filter(search_text__contains=word)
        chosen = {entry.key: entry.chosen for entry in self.filters if entry.chosen}
        if department := chosen.get("department"):
            members = members.filter(self._department_condition(department))
        if role := chosen.get("role"):
            members = members.filter(role=role)
        if kind := chosen.get("kind"):
            members = members.filter(user__kind=kind)
        for entry in registry.all(MembersFilter):
            if value := chosen.get(entry.key):
                members = cast(MemberQuerySet, entry.apply(members, value))
        return members

    def _department_condition(self, chosen: str) -> Q:
        if chosen == NOWHERE:
            return Q(department=None)
        top = next(department for department in self.departments if str(department.pk) == chosen)
        return Q(department__in=[department.pk for department in subtree(self.departments, top)])

    def _totals(self) -> dict[str, Total]:
        cap = MOST_FOUND if self.search else MOST_COUNTED
        found = self._found().order_by()
        # Each state is counted by itself, so that the index bounds the count as well as the list.
        counts = [
            _Length(ArraySubquery(found.filter(state=state).values_list(Value(1))[: cap + 1])) for state in State.values
        ]
        row = Organization.objects.filter(pk=self.organization.pk).values_list(*counts).get()
        return {state: Total.up_to(number, cap) for state, number in zip(State.values, row, strict=True)}


def for_list(members: MemberQuerySet) -> MemberQuerySet:
    """``members`` with what a row of a list shows of them, and nothing else."""
    return members.with_people().only(
        "organization",
        "role",
        "state",
        "email",
        "sort_key",
        "created_at",
        "joined_at",
        "user__skype_name",
        "user__first_name",
        "user__last_name",
        "user__kind",
        "department__path",
    )


class _Length(Func):
    function = "CARDINALITY"
    output_field = IntegerField()


def _read_filters(
    organization: Organization, departments: Sequence[Department], query: QueryDict
) -> list[ChoiceFilter]:
    offered: list[tuple[str, Text, Text, Sequence[tuple[str, Text]]]] = [
        (
            "department",
            _("Department"),
            _("Every department"),
            [*department_choices(departments), (NOWHERE, _("In no department"))],
        ),
        ("role", _("Role"), _("Every role"), Member.Role.choices),
        ("kind", _("Kind of account"), _("Every kind"), User.Kind.choices),
    ]
    offered += [
        (entry.key, entry.label, entry.label, entry.choices(organization)) for entry in registry.all(MembersFilter)
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
    ]


def extra_columns(organization: Organization, members: Sequence[Member]) -> list[ExtraColumn]:
    """What other apps show about these members; each is asked once."""
    return [ExtraColumn(entry, entry.values(organization, members)) for entry in registry.all(MembersColumn)]
