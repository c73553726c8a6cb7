from argparse import ArgumentParser
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from members.access import Actor, Capability, require
from members.management.base import OrganizationCommand, Refused
from members.models import Organization
from reports.selectors.usage import Cut, UsageReport, usage_report
from skypemgr.csv_files import write_csv_rows
from skypemgr.plain_json import as_json
from skypemgr.xlsx_files import write_xlsx_rows

COLUMNS = ("calls", "seconds", "cost")


class Command(OrganizationCommand):
    help = "Report what calls came to in a range of days, which are those of the organization, both included."
    written: Path | None = None
    format: str | None = None
    nothing_done = {"rows": [], "total": {"calls": 0, "seconds": 0, "cost": "0.0000"}}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name", metavar="NAME", choices=["usage"], help="usage")
        parser.add_argument("--from", dest="first", required=True, type=date.fromisoformat, help="the first day")
        parser.add_argument("--to", dest="last", required=True, type=date.fromisoformat, help="the last day")
        parser.add_argument("--by", choices=[str(cut) for cut in Cut], default=str(Cut.ORGANIZATION), help="the cut")
        parser.add_argument("--format", choices=["csv", "xlsx", "json"], help="of the file; else as --json says")
        parser.add_argument("--output", metavar="FILE", type=Path, help="where to write it, else standard output")

    def act(
        self,
        *,
        organization: Organization,
        actor: Actor,
        first: date,
        last: date,
        by: str,
        format: str | None,  # noqa: A002
        output: Path | None,
        **options: Any,
    ) -> dict[str, Any]:
        require(actor, organization, Capability.VIEW_REPORTS)
        if last < first:
            raise Refused("The last day lies before the first one.")
        if format == "xlsx" and output is None:
            raise Refused("A workbook is written to a file: --output FILE.")
        report = usage_report(organization, first=first, last=last, cut=Cut(by))
        result = _as_result(organization, report)
        if output is not None:
            _write(output, _pieces(format or "json", report, result))
        elif format == "csv":
            for piece in _pieces("csv", report, result):
                self.stdout.write(piece.decode(), ending="")
        self.written, self.format = output, format
        return result

    def explain(self, result: dict[str, Any]) -> None:
        if self.written:
            self.stdout.write(f"{len(result['rows']):,} rows written to {self.written}.")
        elif self.format == "json":
            self.stdout.write(as_json(result))
        elif self.format is None:
            for row in [*result["rows"], {"of": "total", **result["total"]}]:
                label = next(iter(row.values()))
                self.stdout.write(f"{label!s:40} {row['calls']:>10,} {row['seconds']:>12,} {row['cost']:>14}")


def _as_result(organization: Organization, report: UsageReport) -> dict[str, Any]:
    rows = [
        {str(report.cut): organization.slug if report.cut == Cut.ORGANIZATION else row.label, **_figures(row.usage)}
        for row in report.rows
    ]
    return {"rows": rows, "total": _figures(report.total), "currency": organization.currency}


def _figures(usage: Any) -> dict[str, Any]:
    return {name: getattr(usage, name) for name in COLUMNS}


def _pieces(format_: str, report: UsageReport, result: dict[str, Any]) -> Iterable[bytes]:
    header = [str(report.cut), *COLUMNS]
    rows = [[row[name] for name in header] for row in result["rows"]]
    if format_ == "csv":
        return write_csv_rows(header, rows)
    if format_ == "xlsx":
        return write_xlsx_rows(header, rows)
    return [as_json(result, indent=2).encode()]


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
