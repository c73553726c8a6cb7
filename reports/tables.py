"""Reports as tables: what each of them has in its columns, by name, for whoever writes them to a file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from members.access import Capability
from members.models import Organization
from reports.selectors.money import ALLOCATIONS, FEES, PURCHASES, money_by
from reports.selectors.usage import Cut, labels_of, usage_by, usage_report
from telephony.selectors.numbers import all_numbers, number_facts
from telephony.selectors.readiness import readiness_of

NOTHING = Decimal("0.0000")


class NoSuchCut(ValueError):
    """A report that can't be cut that way."""


@dataclass(frozen=True)
class ReportTable:
    """The columns of a report, its rows by their names, and what they come to."""

    columns: Sequence[str]
    rows: Sequence[Mapping[str, Any]]
    total: Mapping[str, Any]


@dataclass(frozen=True)
class Report:
    """How a report is made, and the capability that it needs."""

    make: Callable[[Organization, date, date, Cut], ReportTable]
    needs: Capability = Capability.VIEW_REPORTS


def _usage(organization: Organization, first: date, last: date, cut: Cut) -> ReportTable:
    report = usage_report(organization, first=first, last=last, cut=cut)
    columns = ("calls", "seconds", "cost")

    def figures(usage: Any) -> dict[str, Any]:
        return {name: getattr(usage, name) for name in columns}

    rows = [{str(cut): row.label, **figures(row.usage)} for row in report.rows]
    return ReportTable((str(cut), *columns), rows, figures(report.total))


def _spending(organization: Organization, first: date, last: date, cut: Cut) -> ReportTable:
    """What calls cost, and what was paid for licenses and numbers, which are the organization's own."""
    calls = {key: usage.cost for key, usage in usage_by(organization, first=first, last=last, cut=cut).items()}
    fees: dict[Any, Decimal] = {}
    # Licenses and numbers have no destination, and are paid by the organization as a whole.
    of_fees = cut if cut in (Cut.ORGANIZATION, Cut.DAY) else Cut.ORGANIZATION
    for key, (_number, amount) in money_by(organization, first=first, last=last, cut=of_fees, operations=FEES).items():
        fees["" if cut == Cut.DESTINATION else key] = amount
    labels = labels_of(organization, cut, [*calls, *fees])
    rows: list[dict[str, Any]] = [
        {str(cut): labels.get(key, ""), "calls": calls.get(key, NOTHING), "fees": fees.get(key, NOTHING)}
        for key in {*calls, *fees}
    ]
    for row in rows:
        row["cost"] = row["calls"] + row["fees"]
    sums = {name: sum((row[name] for row in rows), NOTHING) for name in ("calls", "fees", "cost")}
    return ReportTable((str(cut), "calls", "fees", "cost"), _sorted(rows, cut, "cost"), sums)


def _moved(operations: Sequence[str], counted: str) -> Callable[[Organization, date, date, Cut], ReportTable]:
    def make(organization: Organization, first: date, last: date, cut: Cut) -> ReportTable:
        try:
            found = money_by(organization, first=first, last=last, cut=cut, operations=operations)
        except ValueError as error:
            raise NoSuchCut(str(error)) from error
        labels = labels_of(organization, cut, found)
        rows = [
            {str(cut): labels.get(key, ""), counted: number, "amount": amount}
            for key, (number, amount) in found.items()
        ]
        total = {
            counted: sum(number for number, _amount in found.values()),
            "amount": sum((amount for _number, amount in found.values()), NOTHING),
        }
        return ReportTable((str(cut), counted, "amount"), _sorted(rows, cut, "amount"), total)

    return make


def _sorted(rows: list[dict[str, Any]], cut: Cut, by: str) -> list[dict[str, Any]]:
    if cut == Cut.DAY:
        return sorted(rows, key=lambda row: str(row[str(cut)]))
    return sorted(rows, key=lambda row: (-row[by], str(row[str(cut)])))


def _numbers(organization: Organization, first: date, last: date, cut: Cut) -> ReportTable:
    """The numbers as they are now: what was then is told on the page of each."""
    rows = [facts for numbers in all_numbers(organization) for facts in number_facts(organization, numbers)]
    columns = ("number", "country", "city", "type", "state", "member", "emergency_address")
    return ReportTable(columns, rows, {"numbers": len(rows)})


def _readiness(organization: Organization, first: date, last: date, cut: Cut) -> ReportTable:
    """Everybody who could not be found now, and why."""
    asked = readiness_of(organization)
    rows = [
        {
            "member": one.member.user.skype_name,
            "number": one.assignment.number.number if one.assignment else None,
            "emergency_address": one.assignment.emergency_address.name if one.assignment else None,
            "reasons": " ".join(one.reasons),
        }
        for members in asked.chunks()
        for one in asked.explain(members)
    ]
    return ReportTable(("member", "number", "emergency_address", "reasons"), rows, {"people": len(rows)})


REPORTS: dict[str, Report] = {
    "usage": Report(_usage),
    "spending": Report(_spending),
    "allocations": Report(_moved(ALLOCATIONS, "allocations")),
    "purchases": Report(_moved(PURCHASES, "purchases")),
    "numbers": Report(_numbers, Capability.MANAGE_VOICE),
    "readiness": Report(_readiness, Capability.MANAGE_VOICE),
}
