from argparse import ArgumentParser
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from django.utils import translation

from members.access import Actor, require
from members.management.base import OrganizationCommand, Refused
from members.models import Organization
from reports.asked import Asked, Cut, Days
from reports.papers import report_as_pdf
from reports.tables import REPORTS, NoSuchCut, ReportTable
from skypemgr.csv_files import write_csv_rows
from skypemgr.plain_json import as_json
from skypemgr.xlsx_files import write_xlsx_rows


class Command(OrganizationCommand):
    help = "Report what there was in a range of days, which are those of the organization, both included."
    written: Path | None = None
    format: str | None = None
    nothing_done = {"rows": [], "total": {}}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name", metavar="NAME", choices=list(REPORTS), help=", ".join(REPORTS))
        parser.add_argument("--from", dest="first", required=True, type=date.fromisoformat, help="the first day")
        parser.add_argument("--to", dest="last", required=True, type=date.fromisoformat, help="the last day")
        parser.add_argument(
            "--by",
            choices=[str(cut) for cut in Cut],
            default=str(Cut.ORGANIZATION),
            help="the cut; numbers and readiness are lists, which have none",
        )
        parser.add_argument("--format", choices=["csv", "xlsx", "json", "pdf"], help="of the file; else as --json says")
        parser.add_argument("--output", metavar="FILE", type=Path, help="where to write it, else standard output")

    def act(
        self,
        *,
        organization: Organization,
        actor: Actor,
        name: str,
        first: date,
        last: date,
        by: str,
        format: str | None,  # noqa: A002
        output: Path | None,
        **options: Any,
    ) -> dict[str, Any]:
        require(actor, organization, REPORTS[name].needs)
        if last < first:
            raise Refused("The last day lies before the first one.")
        if format in ("xlsx", "pdf") and output is None:
            raise Refused(f"A file of the format {format} is written: --output FILE.")
        try:
            report, asked = REPORTS[name], Asked(Days(first, last, whole=False), Cut(by))
            table = report.table(organization, asked)
        except NoSuchCut as refusal:
            raise Refused(str(refusal)) from None
        self.written, self.format = output, format
        result = {"rows": [row.values for row in table.rows], "total": table.total, "currency": organization.currency}
        if output is not None and format == "pdf":
            with translation.override(organization.language):
                _write(output, [report_as_pdf(report, asked, table, organization)])
        elif output is not None:
            _write(output, _pieces(format or "json", table, result))
        elif format == "csv":
            for piece in _pieces("csv", table, result):
                self.stdout.write(piece.decode(), ending="")
        return result

    def explain(self, result: dict[str, Any]) -> None:
        if self.written:
            self.stdout.write(f"{len(result['rows']):,} rows written to {self.written}.")
        elif self.format == "json":
            self.stdout.write(as_json(result))
        elif self.format is None:
            for row in [*result["rows"], {"": "total", **result["total"]}]:
                self.stdout.write("\t".join("" if value is None else str(value) for value in row.values()))


def _pieces(format_: str, table: ReportTable, result: dict[str, Any]) -> Iterable[bytes]:
    rows = ([row.values[name] for name in table.columns] for row in table.rows)
    if format_ == "csv":
        return write_csv_rows(table.columns, rows)
    if format_ == "xlsx":
        return write_xlsx_rows(table.columns, rows)
    return [as_json(result, indent=2).encode()]


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
