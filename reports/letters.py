"""The letter that a saved report is sent by: what all comes to, the first lines, and the whole as a file."""

from datetime import date
from typing import Any

from django.conf import settings
from django.utils import timezone, translation

from credit.gateways.pdf import PdfUnavailable
from credit.selectors.spans import zone_of
from members.access import Actor, Capability
from members.letter_texts import Attachment, absolute_url, language_of, register_composer
from members.models import Letter, Organization
from reports.asked import Asked
from reports.models import SavedReport
from reports.papers import report_as_pdf
from reports.saved import asked_by, path_of
from reports.schedules import days_before
from reports.tables import CutReport, ReportTable
from reports.written import Writer, file_rows, label_of
from skypemgr.row_files import CONTENT_TYPES, WRITERS, FileKind

FIRST_LINES = 10
# More lines than these are not sent by mail; the page has them.
MOST_ATTACHED = 10_000


def _report(letter: Letter) -> dict[str, Any] | None:
    member, organization = letter.member, letter.organization
    if member is None or organization is None or not Actor.of_member(member).can(Capability.VIEW_REPORTS):
        return None
    saved = SavedReport.objects.filter(organization=organization, pk=letter.facts.get("saved")).first()
    if saved is None or not saved.readers.filter(member=member).exists():
        return None
    due = date.fromisoformat(letter.facts["due_on"])
    days = days_before(saved.sent, due)
    found = asked_by(organization, saved, days)
    if found is None:
        return None
    report, asked = found
    with (
        translation.override(letter.language or language_of(letter.user, organization)),
        timezone.override(zone_of(organization)),
    ):
        table = report.table(organization, asked, most=MOST_ATTACHED)
        writer = Writer.of(report, table, organization)
        main = report.figures[-1]
        first = [(label_of(report, asked, row), writer.figure(main, row.values)) for row in table.rows[:FIRST_LINES]]
        return {
            "saved": saved,
            "report": report,
            "days": days,
            "totals": list(reversed(writer.cells(table.total))),
            "first": first,
            "more": max(0, len(table.rows) - FIRST_LINES) + table.more,
            "url": settings.BASE_URL + path_of(organization, saved, days),
            "saved_url": absolute_url("reports:saved_list", organization.slug),
            "attached": _file(saved, report, asked, table, organization),
        }


def _file(
    saved: SavedReport, report: CutReport, asked: Asked, table: ReportTable, organization: Organization
) -> tuple[Attachment, ...]:
    """The whole report; nothing where it is too long, or this machine can't make PDF."""
    if table.more or len(table.rows) > MOST_ATTACHED:
        return ()
    name = f"{organization.slug}-{report.name}-{asked.days.first}-{asked.days.last}.{saved.format}"
    if saved.format == SavedReport.Format.PDF:
        try:
            return (Attachment(name, report_as_pdf(report, asked, table, organization), "application/pdf"),)
        except PdfUnavailable:
            return ()
    kind = FileKind(saved.format)
    content = b"".join(WRITERS[kind](table.columns, file_rows(report, asked, table.rows)))
    return (Attachment(name, content, CONTENT_TYPES[kind]),)


def register() -> None:
    """Called once at start-up."""
    register_composer(Letter.Kind.REPORT, _report)
