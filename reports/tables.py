"""Reports as tables: what each of them has in its columns, by name, for whoever shows them or writes them to a file."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.access import Capability
from members.models import Department, Organization
from members.selectors.departments import list_departments
from reports.asked import Asked, Cut, Scope
from reports.selectors.money import ALLOCATIONS, FEES, PURCHASES, money_by
from reports.selectors.usage import NOTHING, Usage, labels_of, usage_by
from telephony.selectors.numbers import all_numbers, number_facts
from telephony.selectors.readiness import readiness_of

type Number = int | Decimal
# The key of what the organization pays as a whole.
COMPANY = "company"
# What a report says of a key, by the names of its figures.
type Figures = Mapping[str, Number]


class Unit(StrEnum):
    COUNT = "count"
    SECONDS = "seconds"
    MONEY = "money"


@dataclass(frozen=True)
class Figure:
    """A column with numbers: how it is called in files, and on pages."""

    name: str
    heading: Promise
    unit: Unit

    @property
    def nothing(self) -> Number:
        return NOTHING if self.unit == Unit.MONEY else 0


@dataclass(frozen=True)
class ReportRow:
    """What stands in the columns, by their names, and what the row is of: None for what is of none."""

    values: Mapping[str, Any]
    key: Any = None


@dataclass(frozen=True)
class ReportTable:
    """The columns of a report, its rows, and what they come to."""

    columns: Sequence[str]
    rows: Sequence[ReportRow]
    total: Figures


class NoSuchCut(ValueError):
    """A report that can't be cut that way."""


type Find = Callable[[Organization, Asked], dict[Any, Figures]]


@dataclass(frozen=True)
class CutReport:
    """A report of some days by a cut. The last of its ``figures`` is what it is about; the first cut is the usual."""

    name: str
    title: Promise
    figures: Sequence[Figure]
    cuts: Sequence[Cut]
    find: Find
    needs: Capability = Capability.VIEW_REPORTS

    def table(self, organization: Organization, asked: Asked) -> ReportTable:
        """Days as they follow one another, all else by the figure that it is about. Raises NoSuchCut."""
        if asked.cut not in (*self.cuts, Cut.ORGANIZATION):
            raise NoSuchCut(f"There are no {self.name} by {asked.cut}.")
        found = self.find(organization, asked)
        if asked.nested and asked.cut == Cut.DEPARTMENT:
            found = self._nest(organization, found, asked.scope)
        labels = labels_of(organization, asked.cut, [key for key in found if key != COMPANY])
        rows = [ReportRow({str(asked.cut): labels.get(key, ""), **figures}, key) for key, figures in found.items()]
        if asked.cut == Cut.DAY:
            rows.sort(key=lambda row: row.key)
        else:
            main = self.figures[-1].name
            rows.sort(key=lambda row: (-row.values[main], str(row.values[str(asked.cut)])))
        names = [figure.name for figure in self.figures]
        return ReportTable((str(asked.cut), *names), rows, self.sum(found.values()))

    def total(self, organization: Organization, asked: Asked) -> Figures:
        """What all comes to, without its rows."""
        return self.sum(self.find(organization, replace(asked, cut=Cut.ORGANIZATION)).values())

    def sum(self, some: Iterable[Figures]) -> Figures:
        found = {figure.name: figure.nothing for figure in self.figures}
        for figures in some:
            for name in found:
                found[name] += figures[name]
        return found

    def _nest(self, organization: Organization, found: dict[Any, Figures], scope: Scope) -> dict[Any, Figures]:
        """The departments of one level, each with all below it; the one above them stands for itself alone."""
        level = level_of(scope.tree or list_departments(organization), scope.department)
        grouped: dict[Any, list[Figures]] = {}
        for key, figures in found.items():
            grouped.setdefault(level.get(key, key), []).append(figures)
        return {key: self.sum(some) for key, some in grouped.items()}


def level_of(tree: Iterable[Department], above: Department | None) -> dict[int, int]:
    """Every department below ``above``, or of all, by the one right below it that it belongs to.

    ``tree`` has each department behind the one it stands under.
    """
    base = above.pk if above else None
    level: dict[int, int] = {}
    for department in tree:
        if department.parent_id == base:
            level[department.pk] = department.pk
        elif department.parent_id in level:
            level[department.pk] = level[department.parent_id]
    return level


@dataclass(frozen=True)
class ListReport:
    """A list of what is there now, whatever days are asked for."""

    name: str
    title: Promise
    columns: Sequence[str]
    rows: Callable[[Organization], Iterable[Mapping[str, Any]]]
    # What its rows are.
    counted: str
    needs: Capability = Capability.MANAGE_VOICE

    def table(self, organization: Organization, asked: Asked) -> ReportTable:
        rows = [ReportRow(facts) for facts in self.rows(organization)]
        return ReportTable(self.columns, rows, {self.counted: len(rows)})


def _usage(organization: Organization, asked: Asked) -> dict[Any, Figures]:
    return {
        key: {"calls": usage.calls, "seconds": usage.seconds, "cost": usage.cost}
        for key, usage in _calls(organization, asked).items()
    }


def _calls(organization: Organization, asked: Asked) -> dict[Any, Usage]:
    return usage_by(
        organization,
        first=asked.days.first,
        last=asked.days.last,
        cut=asked.cut,
        departments=asked.scope.departments,
        destination=asked.scope.destination,
        keys=None if asked.keys is None else [key for key in asked.keys if key != COMPANY],
    )


def _spending(organization: Organization, asked: Asked) -> dict[Any, Figures]:
    """What calls cost, and what was paid for licenses and numbers, which are the organization's own."""
    calls = {key: usage.cost for key, usage in _calls(organization, asked).items()}
    fees: dict[Any, Decimal] = {}
    if asked.scope.departments is None and asked.scope.destination is None:
        # Licenses and numbers have no destination, and are paid by the organization as a whole.
        of_fees = Cut.DAY if asked.cut == Cut.DAY else Cut.ORGANIZATION
        paid = money_by(organization, first=asked.days.first, last=asked.days.last, cut=of_fees, operations=FEES)
        # A row of its own, which no department, person or destination opens up to.
        own = {Cut.DAY, Cut.ORGANIZATION}
        fees = {key if asked.cut in own else COMPANY: amount for key, (_number, amount) in paid.items()}
    found: dict[Any, Figures] = {}
    for key in dict.fromkeys((*calls, *fees)):
        of_calls, of_rest = calls.get(key, NOTHING), fees.get(key, NOTHING)
        found[key] = {"calls": of_calls, "fees": of_rest, "cost": of_calls + of_rest}
    return found


def _moved(operations: Sequence[str], counted: str) -> Find:
    def find(organization: Organization, asked: Asked) -> dict[Any, Figures]:
        found = money_by(
            organization,
            first=asked.days.first,
            last=asked.days.last,
            cut=asked.cut,
            operations=operations,
            departments=asked.scope.departments,
        )
        return {key: {counted: number, "amount": amount} for key, (number, amount) in found.items()}

    return find


def _numbers(organization: Organization) -> Iterable[Mapping[str, Any]]:
    """The numbers as they are now: what was then is told on the page of each."""
    return (facts for numbers in all_numbers(organization) for facts in number_facts(organization, numbers))


def _readiness(organization: Organization) -> Iterable[Mapping[str, Any]]:
    """Everybody who could not be found now, and why."""
    asked = readiness_of(organization)
    return (
        {
            "member": one.member.user.skype_name,
            "number": one.assignment.number.number if one.assignment else None,
            "emergency_address": one.assignment.emergency_address.name if one.assignment else None,
            "reasons": " ".join(one.reasons),
        }
        for members in asked.chunks()
        for one in asked.explain(members)
    )


EVERY_CUT = (Cut.DEPARTMENT, Cut.MEMBER, Cut.DESTINATION, Cut.DAY)
REPORTS: dict[str, CutReport | ListReport] = {
    report.name: report
    for report in (
        CutReport(
            "usage",
            pgettext_lazy("calls", "Usage"),
            (
                Figure("calls", _("Calls"), Unit.COUNT),
                Figure("seconds", _("Minutes"), Unit.SECONDS),
                Figure("cost", _("Cost"), Unit.MONEY),
            ),
            EVERY_CUT,
            _usage,
        ),
        CutReport(
            "spending",
            _("Spending"),
            (
                Figure("calls", _("Calls"), Unit.MONEY),
                Figure("fees", _("Licenses and numbers"), Unit.MONEY),
                Figure("cost", _("Cost"), Unit.MONEY),
            ),
            EVERY_CUT,
            _spending,
        ),
        CutReport(
            "allocations",
            _("Allocations"),
            (
                Figure("allocations", _("Allocations"), Unit.COUNT),
                Figure("amount", _("Amount"), Unit.MONEY),
            ),
            (Cut.DEPARTMENT, Cut.MEMBER, Cut.DAY),
            _moved(ALLOCATIONS, "allocations"),
        ),
        CutReport(
            "purchases",
            _("Purchases"),
            (
                Figure("purchases", _("Purchases"), Unit.COUNT),
                Figure("amount", _("Amount"), Unit.MONEY),
            ),
            (Cut.DAY,),
            _moved(PURCHASES, "purchases"),
        ),
        ListReport(
            "numbers",
            _("Numbers"),
            ("number", "country", "city", "type", "state", "member", "emergency_address"),
            _numbers,
            "numbers",
        ),
        ListReport(
            "readiness",
            _("Emergency readiness"),
            ("member", "number", "emergency_address", "reasons"),
            _readiness,
            "people",
        ),
    )
}


def cut_report(name: str) -> CutReport:
    """The report of some days that is called so. Raises KeyError."""
    found = REPORTS[name]
    if not isinstance(found, CutReport):
        raise KeyError(name)
    return found
