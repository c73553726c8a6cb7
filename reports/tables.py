"""Reports as tables: what each of them has in its columns, by name, for whoever shows them or writes them to a file."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from reports.selectors.grouped import Grouped
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
    """The columns of a report, its rows, and what they come to; ``more`` rows are left out, and are in the total."""

    columns: Sequence[str]
    rows: Sequence[ReportRow]
    total: Figures
    more: int = 0


class NoSuchCut(ValueError):
    """A report that can't be cut that way."""


@dataclass(frozen=True)
class Found:
    """What a report is made of: ``grouped`` in the columns that ``figures`` makes of it, and what stands ``beside``."""

    grouped: Grouped[Any]
    figures: Callable[[Any], Figures]
    beside: Mapping[Any, Figures] = field(default_factory=dict)

    def all(self) -> dict[Any, Figures]:
        found = self._made(self.grouped.all())
        for key, figures in self.beside.items():
            there = found.get(key)
            found[key] = figures if there is None else {name: there[name] + figures[name] for name in figures}
        return found

    def most(self, number: int) -> tuple[dict[Any, Figures], int]:
        """Those that come to the most and what stands beside; how many more there are."""
        found = self.grouped.most(number)
        more = self.grouped.number() - number if len(found) == number else 0
        return {**self._made(found), **self.beside}, more

    def chunks(self) -> Iterator[dict[Any, Figures]]:
        """All of them, what stands beside first."""
        if self.beside:
            yield dict(self.beside)
        for some in self.grouped.chunks():
            yield self._made(some)

    def _made(self, found: Mapping[Any, Any]) -> dict[Any, Figures]:
        return {key: self.figures(one) for key, one in found.items()}


type Find = Callable[[Organization, Asked], Found]
# Cuts that may have a hundred thousand keys.
LONG = (Cut.MEMBER, Cut.DESTINATION)


@dataclass(frozen=True)
class CutReport:
    """A report of some days by a cut. The last of its ``figures`` is what it is about; the first cut is the usual."""

    name: str
    title: Promise
    figures: Sequence[Figure]
    cuts: Sequence[Cut]
    find: Find
    needs: Capability = Capability.VIEW_REPORTS

    def table(self, organization: Organization, asked: Asked, *, most: int | None = None) -> ReportTable:
        """Days as they follow one another, all else by the figure that it is about. Raises NoSuchCut.

        With ``most`` no more than so many rows are asked for, of cuts that may have very many.
        """
        found = self._find(organization, asked)
        if most is not None and asked.cut in LONG:
            figures, more = found.most(most)
            total = self.total(organization, asked) if more else self.sum(figures.values())
            return ReportTable(self.columns(asked), self._rows(organization, asked, figures), total, more)
        figures = found.all()
        if asked.nested and asked.cut == Cut.DEPARTMENT:
            figures = self._nest(organization, figures, asked.scope)
        rows = self._rows(organization, asked, figures)
        return ReportTable(self.columns(asked), rows, self.sum(figures.values()))

    def columns(self, asked: Asked) -> Sequence[str]:
        return (str(asked.cut), *(figure.name for figure in self.figures))

    def chunks(self, organization: Organization, asked: Asked) -> Iterable[Sequence[ReportRow]]:
        """The rows of ``table``, so many at a time that no cut fills the memory. Raises NoSuchCut."""
        if asked.cut not in LONG:
            return [self.table(organization, asked).rows]
        return (self._rows(organization, asked, some) for some in self._find(organization, asked).chunks())

    def _find(self, organization: Organization, asked: Asked) -> Found:
        if asked.cut not in (*self.cuts, Cut.ORGANIZATION):
            raise NoSuchCut(f"There are no {self.name} by {asked.cut}.")
        return self.find(organization, asked)

    def _rows(self, organization: Organization, asked: Asked, found: Mapping[Any, Figures]) -> list[ReportRow]:
        labels = labels_of(organization, asked.cut, [key for key in found if key != COMPANY])
        rows = [ReportRow({str(asked.cut): labels.get(key, ""), **figures}, key) for key, figures in found.items()]
        if asked.cut == Cut.DAY:
            return sorted(rows, key=lambda row: row.key)
        main = self.figures[-1].name
        # The company itself stands first: it is none of those that it is compared with.
        return sorted(rows, key=lambda row: (row.key != COMPANY, -row.values[main], str(row.values[str(asked.cut)])))

    def total(self, organization: Organization, asked: Asked) -> Figures:
        """What all comes to, without its rows."""
        return self.sum(self.find(organization, replace(asked, cut=Cut.ORGANIZATION, keys=None)).all().values())

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


def _usage(organization: Organization, asked: Asked) -> Found:
    return Found(
        _calls(organization, asked),
        lambda usage: {"calls": usage.calls, "seconds": usage.seconds, "cost": usage.cost},
    )


def _calls(organization: Organization, asked: Asked) -> Grouped[Usage]:
    return usage_by(
        organization,
        first=asked.days.first,
        last=asked.days.last,
        cut=asked.cut,
        departments=asked.scope.departments,
        destination=asked.scope.destination,
        keys=None if asked.keys is None else [key for key in asked.keys if key != COMPANY],
    )


def _spending(organization: Organization, asked: Asked) -> Found:
    """What calls cost, and what was paid for licenses and numbers, which are the organization's own."""
    fees: dict[Any, Figures] = {}
    if asked.scope.departments is None and asked.scope.destination is None:
        # Licenses and numbers have no destination, and are paid by the organization as a whole.
        of_fees = Cut.DAY if asked.cut == Cut.DAY else Cut.ORGANIZATION
        paid = money_by(organization, first=asked.days.first, last=asked.days.last, cut=of_fees, operations=FEES)
        # A row of its own, which no department, person or destination opens up to.
        own = {Cut.DAY, Cut.ORGANIZATION}
        fees = {
            key if asked.cut in own else COMPANY: {"calls": NOTHING, "fees": amount, "cost": amount}
            for key, (_number, amount) in paid.all().items()
        }
    return Found(
        _calls(organization, asked),
        lambda usage: {"calls": usage.cost, "fees": NOTHING, "cost": usage.cost},
        fees,
    )


def _moved(operations: Sequence[str], counted: str) -> Find:
    def find(organization: Organization, asked: Asked) -> Found:
        moved = money_by(
            organization,
            first=asked.days.first,
            last=asked.days.last,
            cut=asked.cut,
            operations=operations,
            departments=asked.scope.departments,
            keys=asked.keys,
        )
        return Found(moved, lambda one: {counted: one[0], "amount": one[1]})

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
