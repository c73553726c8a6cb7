"""The people who can have a number: what a query string asks of their list, and what each of them has and lacks."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext, ngettext_lazy, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from members.departments import lies_in
from members.models import Member, Organization, User
from members.models.people import MemberQuerySet
from members.selectors.departments import department_paths
from members.selectors.member_pages import Words, find_by_facts, only_indexed, only_matching
from members.selectors.members import for_list
from members.tallies import present, tally
from skypemgr.lists import (
    MOST_COUNTED,
    PAGE_SIZE,
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
from telephony.countries import countries_with_places
from telephony.models import LicenseAssignment, NumberAssignment
from telephony.selectors.assignments import open_assignments
from telephony.selectors.disclaimers import list_disclaimers
from telephony.selectors.licenses import PHONE_SYSTEM, who_has
from telephony.selectors.number_search import of_digits

BY_NAME = Ordering("name", ("sort_key", "id"), _("by name"))
# What is searched or narrowed is found in no order, so counting it costs more.
MOST_FOUND = 1_000
ASSIGNED, WITHOUT, WAITING, MISSING = "assigned", "without", "waiting", "missing"
TABS = {
    "": pgettext_lazy("voice users", "Everyone"),
    ASSIGNED: pgettext_lazy("voice users", "Has a number"),
    WITHOUT: pgettext_lazy("voice users", "No number"),
    WAITING: pgettext_lazy("voice users", "Phone System, no number"),
    MISSING: pgettext_lazy("voice users", "Something is missing"),
}
FILTER_KEYS = ("q", "state", "department")


@dataclass(frozen=True)
class Lack:
    """What somebody misses, as a word and a lamp, and the country whose disclaimer has to be accepted, or ""."""

    text: str
    lamp: str
    country: str = ""


@dataclass(frozen=True)
class VoiceUser:
    """Somebody with their seats of calling, the number they have, and what is missing."""

    member: Member
    licenses: Sequence[str]
    assignment: NumberAssignment | None
    lacks: Sequence[Lack]


@dataclass(frozen=True)
class VoiceUsersQuery:
    """What a query string asks of the people who can have a number; whatever it holds beyond is ignored."""

    organization: Organization
    query: QueryDict
    state: str
    search: str
    department: str
    departments: Sequence[tuple[int, str]]

    @classmethod
    def read(cls, organization: Organization, query: QueryDict) -> "VoiceUsersQuery":
        departments = department_paths(organization)
        return cls(
            organization=organization,
            query=query,
            state=read_choice(query, "state", list(TABS)),
            search=read_text(query),
            department=read_choice(query, "department", [str(key) for key, _path in departments]),
            departments=departments,
        )

    @property
    def is_narrowed(self) -> bool:
        return bool(self.search or self.department)

    @property
    def filters(self) -> list[ChoiceFilter]:
        if not self.departments:
            return []
        return [
            ChoiceFilter(
                key="department",
                label=_("Department"),
                every=_("Every department"),
                choices=[(str(key), path) for key, path in self.departments],
                chosen=self.department,
            )
        ]

    def kept(self) -> list[tuple[str, str]]:
        """The parameters that decide who matches, as they were asked."""
        return [(key, value) for key in FILTER_KEYS if (value := self.query.get(key))]

    def chips(self) -> list[Chip]:
        found: list[Chip] = []
        if self.search:
            found = [Chip(gettext("“%(text)s”") % {"text": self.search}, change_query(self.query, q=""))]
        return found + chips_of(self.filters, self.query)

    def tabs(self) -> list[tuple[object, str, bool]]:
        return [(label, change_query(self.query, state=key), key == self.state) for key, label in TABS.items()]

    @cached_property
    def total(self) -> Total:
        if not self.is_narrowed and not self.state:
            # The database keeps how many there are.
            kinds = tally(self.organization, "account_kind", present())
            return Total.up_to(kinds.get(User.Kind.BUSINESS, 0), MOST_COUNTED)
        number = 0
        with only_matching() if self.search else only_indexed():
            for part in self.parts():
                number += part.order_by()[: MOST_FOUND + 1 - number].count() if number <= MOST_FOUND else 0
        return Total.up_to(number, MOST_FOUND)

    def page(self, size: int = PAGE_SIZE) -> Page[Member]:
        text = ngettext_lazy("{shown} of {total} person, by name", "{shown} of {total} people, by name")
        return keyset_page(
            for_list(self.everybody()),
            order=BY_NAME,
            query=self.query,
            size=size,
            text=text % self.total.number,
            total=self.total,
            take=self._taken() if self.is_narrowed or self.state else None,
        )

    def chunks(self) -> Iterator[list[Member]]:
        """Everybody whom the query asks for, by name, some at a time."""
        return keyset_chunks(for_list(self.matching()), order=BY_NAME)

    def everybody(self) -> MemberQuerySet:
        """All who can have a number: numbers are for business accounts."""
        return Member.objects.of(self.organization).present().filter(account_kind=User.Kind.BUSINESS)

    def matching(self) -> MemberQuerySet:
        """Everybody whom the query asks for, in no order."""
        found = Q()
        for part in self._conditions():
            found |= part
        return self._in_state(self._in_department(self.everybody())).filter(found)

    def parts(self) -> list[MemberQuerySet]:
        """The same as querysets that share nobody and are each found quickly."""
        members = self._in_state(self._in_department(self.everybody()))
        conditions = self._conditions()
        return [
            members.filter(condition, *(~earlier for earlier in conditions[:place]))
            for place, condition in enumerate(conditions)
        ]

    def _taken(self) -> Take[Member]:
        def take(beyond: Q, fields: Sequence[str], number: int) -> list[Member]:
            keys = find_by_facts(
                self.everybody(), self.parts(), beyond, fields, number, index_order=fields, common=self.total.capped
            )
            found = for_list(Member.objects.of(self.organization)).in_bulk(keys)
            return [found[key] for key in keys if key in found]

        return take

    def _conditions(self) -> list[Q]:
        if not self.search:
            return [Q()]
        words = Words(self.search)
        by_words = Q(pk__in=[]) if words.find_nobody else words.condition
        of_number = of_digits(self.search, "number__number")
        if of_number is None:
            return [by_words]
        numbers = _held(self.organization).filter(of_number, number__organization=self.organization)
        return [Q(pk__in=numbers.values("member")), by_words]

    def _in_department(self, members: MemberQuerySet) -> MemberQuerySet:
        if not self.department:
            return members
        top = next(path for key, path in self.departments if str(key) == self.department)
        return members.filter(department__in=[key for key, path in self.departments if lies_in(path, top)])

    def _in_state(self, members: MemberQuerySet) -> MemberQuerySet:
        having = Q(pk__in=_held(self.organization).values("member"))
        licensed = Q(pk__in=who_has(self.organization, PHONE_SYSTEM))
        match self.state:
            case "assigned":
                return members.filter(having)
            case "without":
                return members.exclude(having)
            case "waiting":
                return members.filter(licensed).exclude(having)
            case "missing":
                unaccepted = _held(self.organization).filter(
                    emergency_address__country__in=unaccepted_countries(self.organization)
                )
                placeless = _held(self.organization).filter(
                    place=None, number__area__country__in=countries_with_places()
                )
                waits, found = licensed & ~having, unaccepted.union(placeless)
                return members.filter(waits | (having & ~licensed) | Q(pk__in=found.values("member")))
            case _:
                return members


def unaccepted_countries(organization: Organization) -> set[str]:
    """The countries whose disclaimer an organization has yet to accept."""
    return {row.country for row in list_disclaimers(organization) if row.acceptance is None}


def voice_users(
    organization: Organization, members: Sequence[Member], countries: Collection[str] | None = None
) -> list[VoiceUser]:
    """What some people have and lack: the same few queries for one and for a thousand.

    ``countries`` are those of ``unaccepted_countries``, if they are known already.
    """
    countries = unaccepted_countries(organization) if countries is None else countries
    having = {assignment.member_id: assignment for assignment in open_assignments(organization, members)}
    placed = countries_with_places() if any(held.place_id is None for held in having.values()) else ()
    names: dict[int, list[str]] = {}
    licensed = set[int]()
    seats = LicenseAssignment.objects.filter(organization=organization, member__in=members).awake()
    for seat in seats.filter(_of_calling()).select_related("product").order_by("product__order").distinct():
        names.setdefault(seat.member_id, []).append(seat.product.name)
        if not seat.product.carries_calling_plan:
            licensed.add(seat.member_id)
    return [
        VoiceUser(
            member=member,
            licenses=names.get(member.pk, ()),
            assignment=having.get(member.pk),
            lacks=_lacks(having.get(member.pk), licensed=member.pk in licensed, countries=countries, placed=placed),
        )
        for member in members
    ]


def _lacks(
    assignment: NumberAssignment | None, *, licensed: bool, countries: Collection[str], placed: Collection[str]
) -> list[Lack]:
    if assignment is None:
        return [Lack(gettext("No number"), "warning")] if licensed else []
    found = []
    if not licensed:
        found.append(Lack(gettext("No license"), "danger"))
    if assignment.emergency_address.country in countries:
        found.append(Lack(gettext("Disclaimer not accepted"), "danger", assignment.emergency_address.country))
    if assignment.place_id is None and assignment.number.area.country in placed:
        found.append(Lack(pgettext("emergency", "No place"), "danger"))
    return found


def _held(organization: Organization) -> QuerySet[NumberAssignment]:
    return NumberAssignment.objects.filter(organization=organization, until=None)


def _of_phone_system() -> Q:
    return Q(product__code=PHONE_SYSTEM) | Q(product__includes__code=PHONE_SYSTEM)


def _of_calling() -> Q:
    return _of_phone_system() | Q(product__carries_calling_plan=True)
