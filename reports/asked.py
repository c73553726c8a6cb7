"""What the address of a report asks for: which days, of whom and where to, and by what cut."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from django.http import Http404, QueryDict
from django.utils import timezone

from credit.selectors.spans import first_day, read_month, zone_of
from members.models import Department, Organization
from members.selectors.departments import list_departments, subtree
from skypemgr.lists import read_choice, read_day, read_text
from telephony.calls.rollups import following_month

# No report goes over more at once.
LONGEST = timedelta(days=3_660)


@dataclass(frozen=True)
class Days:
    """Days of an organization, both included. ``whole`` is set when they are just those of a month."""

    first: date
    last: date
    whole: bool

    @classmethod
    def read(cls, organization: Organization, query: QueryDict) -> "Days":
        """By ``month`` or by ``from`` and ``to``; nonsense is left out: then it is the present month."""
        month = read_month(organization, query)
        first, last = read_day(query, "from"), read_day(query, "to")
        if month is None and first is not None and last is not None and first <= last <= first + LONGEST:
            return cls(first, last, whole=False)
        return cls.of_month(first_day(month) if month else today_in(organization).replace(day=1))

    @classmethod
    def of_month(cls, first: date) -> "Days":
        return cls(first, following_month(first) - timedelta(days=1), whole=True)

    def before(self, today: date | None = None) -> "Days":
        """The days that lie right before: the month, or as many days.

        Of a month that is not over ``today`` it is the same days of the month before.
        """
        last = self.first - timedelta(days=1)
        if self.whole and today is not None and self.first <= today < self.last:
            return Days(last.replace(day=1), min(last, last.replace(day=1) + (today - self.first)), whole=False)
        if self.whole:
            return Days.of_month(last.replace(day=1))
        return Days(self.first - (self.last - self.first) - timedelta(days=1), last, whole=False)


class Cut(StrEnum):
    ORGANIZATION = "organization"
    DEPARTMENT = "department"
    MEMBER = "member"
    DESTINATION = "destination"
    DAY = "day"


@dataclass(frozen=True)
class Scope:
    """Whose figures and where to; None: all.

    Of a department with all below it, or with ``direct`` of those who are in it itself; with ``none`` of those who
    are in no department.
    """

    department: Department | None = None
    direct: bool = False
    none: bool = False
    # The keys of the departments; None in it stands for no department.
    departments: Sequence[int | None] | None = None
    destination: str | None = None
    # Every department of the organization as their tree reads, where one was asked for.
    tree: Sequence[Department] = ()

    @classmethod
    def read(cls, organization: Organization, query: QueryDict, tree: Sequence[Department] | None = None) -> "Scope":
        """Raises Http404 for a department that the organization doesn't have; ``tree`` has them all, if known."""
        destination = read_text(query, "destination") if "destination" in query else None
        key = query.get("department", "")
        if key == "none":
            return cls(none=True, departments=[None], destination=destination)
        if not (key.isascii() and key.isdigit() and len(key) < 19):
            return cls(destination=destination)
        tree = list_departments(organization) if tree is None else tree
        department = next((one for one in tree if one.pk == int(key)), None)
        if department is None:
            raise Http404
        direct = query.get("direct") == "1"
        departments = [department.pk] if direct else [one.pk for one in subtree(tree, department)]
        return cls(department, direct, False, departments, destination, tree)


@dataclass(frozen=True)
class Asked:
    """A report of some days, by a cut. With ``nested`` a department stands for all below it, level by level.

    ``keys`` leaves out every other key of the cut.
    """

    days: Days
    cut: Cut
    scope: Scope = Scope()
    nested: bool = False
    keys: Sequence[Any] | None = None

    @classmethod
    def read(
        cls,
        organization: Organization,
        query: QueryDict,
        cuts: Sequence[Cut],
        tree: Sequence[Department] | None = None,
    ) -> "Asked":
        """By ``by``, which is the first of ``cuts`` where it is none of them. Raises Http404 as ``Scope.read`` does."""
        cut = Cut(read_choice(query, "by", [cut.value for cut in cuts], cuts[0].value))
        return cls(Days.read(organization, query), cut, Scope.read(organization, query, tree), nested=True)


def today_in(organization: Organization) -> date:
    return timezone.now().astimezone(zone_of(organization)).date()
