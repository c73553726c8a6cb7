"""Whose calls are: by the account that the switch names, or by the number that somebody had at that moment."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import phonenumbers
from django.db import connection

from members.models import Organization

# An explicit code stands over the Skype Name, that over the address and its local part; who is here over who has left.
_BY_ACCOUNT = """
    WITH asked AS (SELECT unnest(%(texts)s::text[]) AS text), named AS (
        SELECT code.code AS text, code.member_id AS member, 0 AS rank FROM telephony_accountcode code
        WHERE code.organization_id = %(organization)s AND code.code = ANY (%(texts)s)
        UNION ALL SELECT asked.text, member.id, 1 FROM asked
        JOIN members_user person ON lower(person.skype_name) = asked.text
        JOIN members_member member ON member.user_id = person.id AND member.organization_id = %(organization)s
        UNION ALL SELECT asked.text, member.id, CASE WHEN member.state = 'left' THEN 4 ELSE 2 END FROM asked
        JOIN members_member member
            ON member.organization_id = %(organization)s AND lower(member.email) = asked.text
        UNION ALL SELECT asked.text, member.id, CASE WHEN member.state = 'left' THEN 5 ELSE 3 END FROM asked
        JOIN members_member member
            ON member.organization_id = %(organization)s AND split_part(lower(member.email), '@', 1) = asked.text
    )
    SELECT text, min(member) FROM (
        SELECT text, member, rank, min(rank) OVER (PARTITION BY text) AS best FROM named
    ) AS ranked WHERE rank = best GROUP BY text HAVING count(DISTINCT member) = 1
"""
_OWNED = """
    SELECT number.number, area.country, owned.since, owned.until
    FROM telephony_phonenumber number
    JOIN telephony_numberarea area ON area.id = number.area_id
    JOIN telephony_numberownership owned ON owned.organization_id = %(organization)s AND owned.number_id = number.id
    WHERE number.number = ANY (%(numbers)s)
"""
_HELD = """
    SELECT number.number, held.member_id, held.since, held.until
    FROM telephony_phonenumber number
    JOIN telephony_numberassignment held ON held.organization_id = %(organization)s AND held.number_id = number.id
    WHERE number.number = ANY (%(numbers)s)
"""
# Whoever has a seat has what its product includes, and what that includes.
_SEATS = """
    WITH RECURSIVE carried AS (
        SELECT id AS product, id AS covering FROM telephony_product
        UNION SELECT carried.product, link.to_product_id FROM carried
        JOIN telephony_product_includes link ON link.from_product_id = carried.covering
    )
    SELECT seat.member_id, product.code, coverage.countries, coverage.domestic, coverage.minutes,
        seat.assigned_at, seat.ended_at
    FROM telephony_licenseassignment seat
    JOIN carried ON carried.product = seat.product_id
    JOIN telephony_plancoverage coverage ON coverage.product_id = carried.covering
    JOIN telephony_product product ON product.id = carried.covering
    WHERE seat.organization_id = %(organization)s AND seat.member_id = ANY (%(members)s)
    ORDER BY coverage.minutes IS NOT NULL, NOT coverage.domestic, product.order, seat.id
"""
_DEPARTMENTS = """
    SELECT id, department_id FROM members_member WHERE organization_id = %(organization)s AND id = ANY (%(members)s)
"""
_MOVES = """
    SELECT member_id, department_id, until FROM members_departmentmove
    WHERE organization_id = %(organization)s AND member_id = ANY (%(members)s) ORDER BY until
"""


@dataclass(frozen=True, slots=True)
class _Plan:
    code: str
    countries: frozenset[str]
    since: datetime
    until: datetime | None


type Spans[T] = list[tuple[T, datetime, datetime | None]]


@dataclass
class Directory:
    """Who and what an organization's calls name: asked once for each chunk of them."""

    organization: Organization
    accounts: dict[str, int] = field(default_factory=dict)
    _owned: dict[str, Spans[str]] = field(default_factory=dict)
    _held: dict[str, Spans[int]] = field(default_factory=dict)
    _departments: dict[int, int | None] = field(default_factory=dict)
    _moves: dict[int, list[tuple[datetime, int | None]]] = field(default_factory=dict)
    _plans: dict[int, list[_Plan]] = field(default_factory=dict)

    def know_accounts(self, accounts: Iterable[str]) -> None:
        """Ask whom some accounts name, in lower case."""
        if texts := [text for text in accounts if text]:
            self.accounts = dict(self._rows(_BY_ACCOUNT, texts=texts))

    def know_numbers(self, numbers: Iterable[str]) -> None:
        """Ask who owned and who had some numbers, by their digits."""
        asked = [f"+{digits}" for digits in numbers if digits and digits not in self._owned]
        for number, country, since, until in self._rows(_OWNED, numbers=asked):
            self._owned.setdefault(number[1:], []).append((country, since, until))
        for number, member, since, until in self._rows(_HELD, numbers=asked):
            self._held.setdefault(number[1:], []).append((member, since, until))

    def know_members(self, members: Collection[int]) -> None:
        """Ask for the departments and the plans of those whose calls these are."""
        self._departments = dict(self._rows(_DEPARTMENTS, members=list(members)))
        for member, department, until in self._rows(_MOVES, members=list(members)):
            self._moves.setdefault(member, []).append((until, department))
        for member, code, countries, domestic, _minutes, since, until in self._rows(_SEATS, members=list(members)):
            covered = frozenset([*countries, self.organization.country] if domestic else countries)
            self._plans.setdefault(member, []).append(_Plan(code, covered, since, until))

    def country_of(self, digits: str) -> str:
        """Where whoever calls by a number dials: where the number is from, if it is the organization's."""
        return self._owned[digits][0][0] if digits in self._owned else self.organization.country

    def owned(self, digits: str, at: datetime) -> bool:
        return _then(self._owned.get(digits, []), at) is not None

    def holder(self, digits: str, at: datetime) -> int | None:
        """Who had a number at a moment."""
        return _then(self._held.get(digits, []), at)

    def department_of(self, member: int | None, at: datetime) -> int | None:
        """Where a member was at a moment."""
        if member is None:
            return None
        for until, department in self._moves.get(member, ()):
            if at < until:
                return department
        return self._departments.get(member)

    def plan_of(self, member: int | None, country: str, at: datetime) -> str:
        """The product that covers calls of a member to a country at a moment, or "".

        One without a limit stands over one with minutes, a domestic one over others.
        """
        for plan in self._plans.get(member or 0, ()):
            if country in plan.countries and plan.since <= at and (plan.until is None or at < plan.until):
                return plan.code
        return ""

    def _rows(self, statement: str, **facts: Any) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(statement, facts | {"organization": self.organization.pk})
            return cursor.fetchall()


def _then[T](spans: Spans[T], at: datetime) -> T | None:
    for value, since, until in spans:
        if since <= at and (until is None or at < until):
            return value
    return None


def country_of_number(digits: str) -> str:
    """The country (two letters) of a number in E.164 without +, or "" where it is of none."""
    # In North America the area says which country it is; elsewhere its code, or the number itself.
    if digits.startswith("1"):
        return _region(digits[:7])
    code = next((digits[:length] for length in (1, 2, 3) if int(digits[:length]) in _REGIONS), "")
    if not code:
        return ""
    if len(regions := _REGIONS[int(code)]) == 1:
        return regions[0] if regions[0] != "001" else ""
    return _region(digits)


_REGIONS = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
# What is said or sold by these is paid with the call, and no plan that is sold covers it.
_DEAR = (phonenumbers.PhoneNumberType.PREMIUM_RATE, phonenumbers.PhoneNumberType.SHARED_COST)


@lru_cache(maxsize=50_000)
def is_premium_number(digits: str) -> bool:
    """Whether a call to a number in E.164 without + pays for more than the call."""
    return phonenumbers.number_type(phonenumbers.parse(f"+{digits}")) in _DEAR


@lru_cache(maxsize=50_000)
def _region(digits: str) -> str:
    parsed = phonenumbers.parse(f"+{digits.ljust(11, '0') if digits.startswith('1') else digits}")
    return phonenumbers.region_code_for_number(parsed) or _REGIONS.get(parsed.country_code or 0, ("",))[0]
