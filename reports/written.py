"""Reports as people read them: their headings, figures and names in the active language."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext, pgettext

from members.models import Organization
from reports.asked import Asked, Cut
from reports.tables import COMPANY, CutReport, Figure, Figures, ReportRow, ReportTable, Unit
from skypemgr.money import PLACES, money, places_of
from skypemgr.templatetags.look import count
from skypemgr.templatetags.look import day as written_day


@dataclass(frozen=True)
class Cell:
    """A figure as it is read, and how its column is called."""

    heading: str
    text: str


def heading_of(cut: Cut) -> str:
    """What a cut calls its keys."""
    return {
        Cut.ORGANIZATION: pgettext("report", "Organization"),
        Cut.DEPARTMENT: gettext("Department"),
        Cut.MEMBER: gettext("Person"),
        Cut.DESTINATION: gettext("Destination"),
        Cut.DAY: gettext("Day"),
    }[cut]


def label_of(report: CutReport, asked: Asked, row: ReportRow) -> str:
    """What a row is called, also one that is of none."""
    label: str = row.values[str(asked.cut)]
    if row.key == COMPANY:
        return pgettext("report", "The company itself")
    if asked.cut == Cut.DAY:
        return written_day(row.key)
    if label:
        top = asked.scope.department
        alone = asked.nested and asked.cut == Cut.DEPARTMENT and top is not None and top.pk == row.key
        return gettext("{department}, directly").format(department=label) if alone else label
    if asked.cut == Cut.DEPARTMENT:
        return gettext("No department") if row.key is None else gettext("A department that is gone")
    if asked.cut == Cut.DESTINATION:
        return gettext("Without a destination")
    return gettext("Nobody’s")


def file_rows(report: CutReport, asked: Asked, rows: Sequence[ReportRow]) -> list[tuple[Any, ...]]:
    """Rows for a spreadsheet: names as they are read, plain numbers, days as days."""
    names = [figure.name for figure in report.figures]
    return [(_file_label(report, asked, row), *(row.values[name] for name in names)) for row in rows]


def _file_label(report: CutReport, asked: Asked, row: ReportRow) -> str | date:
    return row.key if asked.cut == Cut.DAY else label_of(report, asked, row)


@dataclass(frozen=True)
class Writer:
    """Writes the figures of one table, all money with as many decimals as any of it needs."""

    report: CutReport
    currency: str
    places: int

    @classmethod
    def of(cls, report: CutReport, table: ReportTable, organization: Organization) -> "Writer":
        names = [figure.name for figure in report.figures if figure.unit == Unit.MONEY]
        amounts = [figures[name] for figures in (table.total, *(row.values for row in table.rows)) for name in names]
        most = max((-int(Decimal(amount).normalize().as_tuple().exponent) for amount in amounts), default=0)
        return cls(report, organization.currency, PLACES if most > places_of(organization.currency) else 0)

    def figure(self, figure: Figure, figures: Figures) -> str:
        """In the active language: money in the currency of the organization, seconds as begun minutes."""
        value = figures[figure.name]
        match figure.unit:
            case Unit.MONEY:
                return money(Decimal(value), self.currency, least=self.places)
            case Unit.SECONDS:
                return count(-(-int(value) // 60))
        return count(int(value))

    def cells(self, figures: Figures) -> list[Cell]:
        return [Cell(str(figure.heading), self.figure(figure, figures)) for figure in self.report.figures]


def write_paper(report: CutReport, asked: Asked, table: ReportTable, organization: Organization) -> dict[str, Any]:
    """What ``reports/report_pdf.html`` takes."""
    writer = Writer.of(report, table, organization)
    return {
        "columns": [heading_of(asked.cut), *(str(figure.heading) for figure in report.figures)],
        "rows": [
            [label_of(report, asked, row), *(cell.text for cell in writer.cells(row.values))] for row in table.rows
        ],
        "total": [cell.text for cell in writer.cells(table.total)],
    }
