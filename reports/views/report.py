"""Reports of some days: what calls cost, what was spent, allocated and bought, by one cut or another."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from credit.gateways.pdf import PdfUnavailable
from members.access import Capability
from members.decorators import OrganizationRequest, organization_view
from members.downloads import download
from reports.asked import Asked, Cut, today_in
from reports.papers import MOST_ROWS, report_as_pdf
from reports.saved import query_to_save
from reports.tables import CutReport, Figures, ReportRow, cut_report
from reports.views.chart import chart_of
from reports.views.drilling import OF_CALLS, Drill, calls_url
from reports.views.steps import month_steps, scope_links
from reports.written import Cell, Writer, file_rows, heading_of, label_of
from skypemgr.attachments import attachment
from skypemgr.lists import change_query, read_choice
from skypemgr.row_files import FileKind
from skypemgr.templatetags.look import change

VIEW = Capability.VIEW_REPORTS
# What is beyond is in the file.
MOST_SHOWN = 100
TABS = {
    Cut.DEPARTMENT: _("Departments"),
    Cut.MEMBER: _("People"),
    Cut.DESTINATION: _("Destinations"),
    Cut.DAY: _("Days"),
}
PDF = "pdf"


@dataclass(frozen=True)
class Line:
    """A row of the page: its figures, what the last of them was in the time before, and where it is opened up."""

    label: str
    row: ReportRow
    cells: Sequence[Cell]
    before: str = ""
    change: str = ""
    url: str = ""


@dataclass(frozen=True)
class Stat:
    """What all rows come to, now and in the time before."""

    label: str
    value: str
    before: str
    change: str

    @property
    def note(self) -> str:
        if self.change:
            return gettext("{value} before, {change}").format(value=self.before, change=self.change)
        return gettext("{value} before").format(value=self.before)


@organization_view(VIEW)
@require_safe
def report(request: OrganizationRequest, name: str) -> HttpResponse:
    """A report of some days beside what there was in as many days before."""
    report = cut_report(name)
    asked = Asked.read(request.organization, request.GET, report.cuts)
    table = report.table(request.organization, asked, most=MOST_SHOWN)
    rows = table.rows[:MOST_SHOWN]
    writer = Writer.of(report, replace(table, rows=rows), request.organization)
    export_url = reverse(f"reports:{name}_export", args=[request.organization.slug])
    earlier = replace(asked, days=asked.days.before(today_in(request.organization)))
    before = report.total(request.organization, earlier)
    context = {
        "section": "reports",
        "subsection": name,
        "report": report,
        "asked": asked,
        "heading": heading_of(asked.cut),
        "tabs": _tabs(request, report, asked) if len(report.cuts) > 1 else [],
        "table": table,
        "total": table.total,
        "total_cells": writer.cells(table.total),
        "stats": _stats(writer, table.total, before),
        "chart": chart_of(request.organization, writer, asked, table.total, before),
        "lines": _lines(request, writer, asked, earlier, rows),
        "earlier": earlier,
        "compares": asked.cut != Cut.DAY,
        "more": len(table.rows) - len(rows) + table.more,
        **month_steps(request, asked.days),
        **scope_links(request, asked.scope),
        "calls_url": calls_url(request) if name in OF_CALLS else "",
        "orders_url": _orders_url(request) if name == "purchases" else "",
        "save_url": reverse(f"reports:{name}_save", args=[request.organization.slug]) + _kept(request),
        "no_pdf": "no-pdf" in request.GET,
        "files": [(kind.upper(), export_url + change_query(request.GET, format=kind)) for kind in (*FileKind, PDF)],
    }
    return render(request, "reports/report.html", context)


@organization_view(VIEW)
@require_safe
def report_export(request: OrganizationRequest, name: str) -> HttpResponseBase:
    """The same rows as a file, all of them: for a spreadsheet, or to print."""
    report = cut_report(name)
    asked = Asked.read(request.organization, request.GET, report.cuts)
    file_name = f"{name}-{asked.days.first}-{asked.days.last}"
    kind = read_choice(request.GET, "format", [*FileKind, PDF], FileKind.CSV.value)
    if kind == PDF:
        try:
            table = report.table(request.organization, asked, most=MOST_ROWS)
            content = report_as_pdf(report, asked, table, request.organization)
        except PdfUnavailable:
            back = reverse(f"reports:{name}", args=[request.organization.slug])
            return redirect(back + change_query(request.GET, format="", **{"no-pdf": "1"}))
        pdf_name = f"{request.organization.slug}-{file_name}.pdf"
        return attachment(content, file_name=pdf_name, content_type="application/pdf")
    return download(
        request,
        VIEW,
        name=file_name,
        header=report.columns(asked),
        chunks=report.chunks(request.organization, asked),
        make=lambda rows: file_rows(report, asked, rows),
        kind=FileKind(kind),
    )


def _lines(
    request: OrganizationRequest, writer: Writer, asked: Asked, earlier: Asked, rows: Sequence[ReportRow]
) -> list[Line]:
    organization, report = request.organization, writer.report
    main = report.figures[-1]
    drill = Drill(request, report, asked)
    before = {}
    if asked.cut != Cut.DAY and rows:
        # Of departments all are asked for: those of a level are added up from many.
        keys = None if asked.cut == Cut.DEPARTMENT else [row.key for row in rows]
        found = report.table(organization, replace(earlier, keys=keys))
        before = {row.key: row.values for row in found.rows}
    nothing = report.sum([])
    lines = []
    for row in rows:
        then = before.get(row.key, nothing)
        lines.append(
            Line(
                label_of(report, asked, row),
                row,
                writer.cells(row.values),
                writer.figure(main, then),
                change(row.values[main.name], then[main.name]),
                drill.url_of(row),
            )
        )
    return lines


def _stats(writer: Writer, total: Figures, before: Figures) -> list[Stat]:
    """The figure that the report is about first."""
    return [
        Stat(
            str(figure.heading),
            writer.figure(figure, total),
            writer.figure(figure, before),
            change(total[figure.name], before[figure.name]),
        )
        for figure in reversed(writer.report.figures)
    ]


def _kept(request: OrganizationRequest) -> str:
    kept = query_to_save(request.GET)
    return f"?{kept}" if kept else ""


def _orders_url(request: OrganizationRequest) -> str:
    if not request.actor.can(Capability.MANAGE_CREDIT):
        return ""
    return reverse("credit:purchase_list", args=[request.organization.slug])


def _tabs(request: OrganizationRequest, report: CutReport, asked: Asked) -> list[dict[str, Any]]:
    return [
        {"label": TABS[cut], "url": change_query(request.GET, by=cut.value), "current": cut == asked.cut}
        for cut in report.cuts
    ]
