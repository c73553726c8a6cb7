"""The numbers of an organization: what a query string asks of their list, and what each of them is at this moment.

Pages are found by the row they begin after, in an index of what they are filtered by (decision 8).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import phonenumbers
from django.db import connection
from django.db.models import Prefetch
from django.http import QueryDict
from django.utils.translation import gettext, ngettext_lazy, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from members.folding import fold
from members.models import Member, Organization
from members.places import country_name
from members.tenures import know_predecessors
from skypemgr.clock import database_now
from skypemgr.lists import (
    Chip,
    ChoiceFilter,
    Ordering,
    Page,
    Total,
    change_query,
    chips_of,
    count_up_to,
    keyset_chunks,
    keyset_page,
    read_choice,
    read_text,
)
from telephony.models import (
    EmergencyAddress,
    NumberArea,
    NumberAssignment,
    NumberOwnership,
    NumberTag,
    PhoneNumber,
)
from telephony.models.numbers import PhoneNumberQuerySet
from telephony.selectors.licenses import PHONE_SYSTEM, covered_by, who_has
from telephony.selectors.number_search import of_digits

BY_NUMBER = Ordering("number", ("number", "id"), _("by number"))
MOST_TAGS_OFFERED = 200
_HOLDINGS = "holdings"
ASSIGNED, UNASSIGNED, FREE, COOLING_OFF = "assigned", "unassigned", "acquired", "cooling_off"
# Somebody has the number, but can't call with it; or nobody works with the account that has it any more.
UNLICENSED, BLOCKED = "unlicensed", "blocked"
STATES = {
    ASSIGNED: pgettext_lazy("phone number", "Assigned"),
    FREE: pgettext_lazy("phone number", "Free"),
    COOLING_OFF: pgettext_lazy("phone number", "Cooling off"),
}
LAMPS = {ASSIGNED: "success", FREE: "info", COOLING_OFF: "waiting"}
GONE = (Member.State.BLOCKED, Member.State.LEFT)


def holding_of(number: PhoneNumber) -> NumberAssignment | None:
    """Who has a number now, and where they are found; of numbers that ``with_holders`` gave."""
    found: list[NumberAssignment] = getattr(number, _HOLDINGS)
    return found[0] if found else None


def with_holders(numbers: PhoneNumberQuerySet) -> PhoneNumberQuerySet:
    """Numbers with their area, their address and whoever has them: two queries for all."""
    held = NumberAssignment.objects.filter(until=None).select_related("member__user", "emergency_address", "place")
    return numbers.select_related("area", "emergency_address").prefetch_related(
        Prefetch("assignments", queryset=held, to_attr=_HOLDINGS)
    )


def address_of(number: PhoneNumber) -> EmergencyAddress | None:
    """Where whoever has a number is found; of one that nobody has, the address that it comes with."""
    holding = holding_of(number)
    return number.emergency_address if holding is None else holding.emergency_address


def state_of(number: PhoneNumber, now: datetime) -> str:
    """What a number that an organization owns is at a moment: assigned, cooling_off, or acquired."""
    if holding_of(number) is not None:
        return ASSIGNED
    if number.assignable_from is not None and number.assignable_from > now:
        return COOLING_OFF
    return FREE


@dataclass(frozen=True)
class NumbersQuery:
    """What a query string asks of the numbers of an organization; whatever it holds beyond is ignored."""

    organization: Organization
    query: QueryDict
    search: str
    filters: Sequence[ChoiceFilter]
    areas: Sequence[NumberArea]

    @classmethod
    def read(cls, organization: Organization, query: QueryDict) -> "NumbersQuery":
        areas = owned_areas(organization)
        return cls(organization, query, read_text(query), _read_filters(organization, areas, query), areas)

    @property
    def is_narrowed(self) -> bool:
        return bool(self.search) or any(entry.chosen for entry in self.filters)

    def kept(self) -> list[tuple[str, str]]:
        """The parameters that decide which match, as they were asked; a selection takes them along."""
        return [(key, value) for key in FILTER_KEYS if (value := self.query.get(key))]

    def chips(self) -> list[Chip]:
        found: list[Chip] = []
        if self.search:
            found = [Chip(gettext("“%(text)s”") % {"text": self.search}, change_query(self.query, q=""))]
        return found + chips_of(self.filters, self.query)

    @cached_property
    def total(self) -> Total:
        return count_up_to(self.matching())

    def page(self) -> Page[PhoneNumber]:
        text = ngettext_lazy("{shown} of {total} number, by number", "{shown} of {total} numbers, by number")
        return keyset_page(
            with_holders(self.matching()),
            order=BY_NUMBER,
            query=self.query,
            text=text % self.total.number,
            total=self.total,
        )

    def chunks(self) -> Iterator[list[PhoneNumber]]:
        """Every number that is asked for, by number, some at a time."""
        return keyset_chunks(with_holders(self.matching()), order=BY_NUMBER)

    def matching(self) -> PhoneNumberQuerySet:
        """Every number that is asked for, in no order."""
        numbers = PhoneNumber.objects.of(self.organization)
        chosen = {entry.key: entry.chosen for entry in self.filters}
        if country := chosen["country"]:
            # Those of a country stand together, where they are ordered by number.
            code = phonenumbers.country_code_for_region(country)
            numbers = numbers.filter(area__in=self._areas(country=country), number__startswith=f"+{code}")
        if chosen["city"]:
            numbers = numbers.filter(area=int(chosen["city"]))
        if chosen["type"]:
            numbers = numbers.filter(area__in=self._areas(type=chosen["type"]))
        if chosen["tag"]:
            tagged = NumberTag.objects.filter(organization=self.organization, key=chosen["tag"])
            numbers = numbers.filter(pk__in=tagged.values("number"))
        return self._found(_in_state(self.organization, numbers, chosen["state"]))

    def _found(self, numbers: PhoneNumberQuerySet) -> PhoneNumberQuerySet:
        if not self.search:
            return numbers
        if (of_number := of_digits(self.search)) is not None:
            return numbers.filter(of_number)
        wanted = fold(self.search)
        return numbers.filter(area__in=[area.pk for area in self.areas if wanted in fold(area.city)])

    def _areas(self, **facts: str) -> list[int]:
        return [area.pk for area in self.areas if all(getattr(area, name) == value for name, value in facts.items())]


FILTER_KEYS = ("q", "state", "country", "city", "type", "tag")


def _in_state(organization: Organization, numbers: PhoneNumberQuerySet, state: str) -> PhoneNumberQuerySet:
    held = NumberAssignment.objects.filter(organization=organization, until=None)
    match state:
        case "assigned":
            return numbers.assigned()
        case "unassigned":
            return numbers.unassigned()
        case "acquired":
            return numbers.unassigned().assignable()
        case "cooling_off":
            return numbers.cooling_off()
        case "unlicensed":
            covered = who_has(organization, PHONE_SYSTEM)
            return numbers.filter(pk__in=held.exclude(member__in=covered).values("number"))
        case "blocked":
            return numbers.filter(pk__in=held.filter(member__state__in=GONE).values("number"))
        case _:
            return numbers


def troubles_of(organization: Organization, numbers: Sequence[PhoneNumber]) -> dict[int, list[tuple[str, str]]]:
    """What is the matter with whoever has some numbers, as lamps and words, by number; one query for all of them."""
    holdings = [holding for number in numbers if (holding := holding_of(number))]
    licensed = covered_by(organization, [holding.member_id for holding in holdings], PHONE_SYSTEM)
    found: dict[int, list[tuple[str, str]]] = {}
    for holding in holdings:
        if holding.member_id not in licensed:
            found.setdefault(holding.number_id, []).append(("danger", gettext("No license")))
        if holding.member.state in GONE:
            found.setdefault(holding.number_id, []).append(("waiting", holding.member.get_state_display()))
    return found


def _read_filters(organization: Organization, areas: Sequence[NumberArea], query: QueryDict) -> Sequence[ChoiceFilter]:
    countries = sorted({area.country for area in areas}, key=lambda code: fold(country_name(code)))
    offered: list[tuple[str, Any, Any, list[tuple[str, Any]]]] = [
        (
            "state",
            _("State"),
            _("Every state"),
            [
                (ASSIGNED, STATES[ASSIGNED]),
                (UNASSIGNED, _("Nobody has it")),
                (FREE, STATES[FREE]),
                (COOLING_OFF, STATES[COOLING_OFF]),
                (UNLICENSED, _("No license")),
                (BLOCKED, _("With a blocked account")),
            ],
        ),
        ("country", _("Country"), _("Every country"), [(code, country_name(code)) for code in countries]),
        ("city", _("City"), _("Every city"), _cities(areas)),
        ("type", _("Type"), _("Every type"), NumberArea.Type.choices),
        ("tag", _("Tag"), _("Every tag"), tags_of(organization)),
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


def _cities(areas: Sequence[NumberArea]) -> list[tuple[str, str]]:
    named = [(str(area.pk), area.city or str(area)) for area in areas if area.city]
    return sorted(named, key=lambda choice: fold(choice[1]))


def owned_areas(organization: Organization) -> list[NumberArea]:
    """The areas in which an organization owns numbers; reads one entry of an index for each of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE found AS (
                (SELECT area_id FROM telephony_phonenumber WHERE organization_id = %s ORDER BY area_id LIMIT 1)
                UNION ALL
                SELECT (
                    SELECT number.area_id FROM telephony_phonenumber number
                    WHERE number.organization_id = %s AND number.area_id > found.area_id
                    ORDER BY number.area_id LIMIT 1
                ) FROM found WHERE found.area_id IS NOT NULL
            )
            SELECT area_id FROM found WHERE area_id IS NOT NULL
            """,
            [organization.pk, organization.pk],
        )
        keys = [key for (key,) in cursor.fetchall()]
    return list(NumberArea.objects.filter(pk__in=keys).order_by("country", "city"))


def tags_of(organization: Organization) -> list[tuple[str, str]]:
    """The tags of an organization, some hundred of them: how each is compared, and how it was first written."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE found AS (
                (SELECT key, name FROM telephony_numbertag WHERE organization_id = %s ORDER BY key LIMIT 1)
                UNION ALL
                SELECT next.key, next.name FROM found CROSS JOIN LATERAL (
                    SELECT tag.key, tag.name FROM telephony_numbertag tag
                    WHERE tag.organization_id = %s AND tag.key > found.key ORDER BY tag.key LIMIT 1
                ) AS next
            )
            SELECT key, name FROM found LIMIT %s
            """,
            [organization.pk, organization.pk, MOST_TAGS_OFFERED],
        )
        return list(cursor.fetchall())


def tags_by_number(organization: Organization, numbers: Sequence[PhoneNumber]) -> dict[int, list[str]]:
    """The tags of some numbers, by number."""
    found: dict[int, list[str]] = {}
    tags = NumberTag.objects.filter(organization=organization, number__in=numbers).order_by("key")
    for number, name in tags.values_list("number", "name"):
        found.setdefault(number, []).append(name)
    return found


def all_numbers(organization: Organization, *, unassigned: bool = False) -> Iterator[list[PhoneNumber]]:
    """Every number of an organization, or those that nobody has, by number, some at a time."""
    numbers = PhoneNumber.objects.of(organization)
    return keyset_chunks(with_holders(numbers.unassigned() if unassigned else numbers), order=BY_NUMBER)


def number_facts(organization: Organization, numbers: Sequence[PhoneNumber]) -> list[dict[str, Any]]:
    """What ``list_numbers --json`` and the API tell of numbers."""
    now = database_now()
    tags = tags_by_number(organization, numbers)
    return [
        {
            "number": number.number,
            "country": number.area.country,
            "region": number.area.region,
            "city": number.area.city,
            "type": number.area.type,
            "source": number.source,
            "state": state_of(number, now),
            "member": holding.member.user.skype_name if (holding := holding_of(number)) else None,
            "emergency_address": address.name if (address := address_of(number)) else None,
            "tags": tags.get(number.pk, []),
            "monthly_price": number.monthly_price,
            "currency": number.currency or None,
        }
        for number in numbers
    ]


def ownerships_of(organization: Organization, number: PhoneNumber) -> list[NumberOwnership]:
    """When an organization has owned a number, the newest first; of other owners nobody is told."""
    owned = NumberOwnership.objects.filter(organization=organization, number=number)
    return list(owned.select_related("acquired_by__user", "released_by__user").order_by("-since", "-pk"))


def assignments_of(organization: Organization, number: PhoneNumber) -> list[NumberAssignment]:
    """Who of an organization has had a number, the newest first."""
    found = NumberAssignment.objects.filter(organization=organization, number=number)
    rows = list(
        found.select_related("member__user", "member__organization", "emergency_address", "place").order_by(
            "-since", "-pk"
        )
    )
    know_predecessors(assignment.member for assignment in rows)
    return rows
