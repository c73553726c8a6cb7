"""Reports as files to print."""

from dataclasses import replace
from typing import Any

from django.template.loader import render_to_string
from django.utils.translation import get_language

from credit.gateways.pdf import make_pdf
from members.models import Organization
from reports.asked import Asked
from reports.tables import CutReport, ListReport, ReportTable
from reports.written import write_paper

# More are for a spreadsheet: a page of them takes a second to set.
MOST_ROWS = 2_000


def report_as_pdf(
    report: CutReport | ListReport, asked: Asked, table: ReportTable, organization: Organization
) -> bytes:
    """A report in the active language, the first of its rows and what all come to.

    Raises PdfUnavailable where this machine can't make one.
    """
    more = max(0, len(table.rows) - MOST_ROWS) + table.more
    few = replace(table, rows=table.rows[:MOST_ROWS], more=more)
    context = write_paper(report, asked, few, organization) if isinstance(report, CutReport) else _list(few)
    css = render_to_string("reports/report_pdf.css")
    context |= {
        "organization": organization,
        "report": report,
        "asked": asked,
        "more": few.more,
        "language": get_language(),
    }
    return make_pdf(render_to_string("reports/report_pdf.html", context), css=css)


def _list(table: ReportTable) -> dict[str, Any]:
    rows = [[row.values[name] for name in table.columns] for row in table.rows]
    return {"columns": table.columns, "rows": rows, "total": []}
