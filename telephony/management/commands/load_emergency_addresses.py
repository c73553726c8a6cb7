from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from members.access import Actor, Capability, require
from members.management.base import OrganizationCommand, Refused
from members.management.files import NAMED, add_encoding, opened
from members.models import Organization
from telephony.address_file import AddressFile, check_addresses
from telephony.management.emergency import told
from telephony.services.address_files import add_emergency_addresses


class Command(OrganizationCommand):
    help = "Validate the emergency addresses of a CSV file and save them: all of them, or none."
    nothing_done = {"rows": 0, "added": 0, "skipped": 0, "errors": [], "ignored_columns": []}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "file",
            metavar="FILE",
            type=Path,
            help="columns name, country, house_number, street, city, region, postal_code; - for standard input",
        )
        parser.add_argument("--valid-rows-only", action="store_true", help="save those that are right, without others")
        add_encoding(parser)

    def act(
        self, *, organization: Organization, actor: Actor, file: Path, encoding: str | None, **options: Any
    ) -> dict[str, Any]:
        require(actor, organization, Capability.MANAGE_VOICE)
        with opened(file) as content:
            read = check_addresses(organization, content, encoding=NAMED.get(encoding or "", ""))
        answer = _report(read)
        if read.wrong and not options["valid_rows_only"]:
            lines = [f"Nothing was saved: {len(read.wrong)} of {len(read.rows)} rows need a correction."]
            lines += [f"Row {error['row']}, {error['field']}: {error['message']}" for error in answer["errors"][:50]]
            raise Refused("\n".join(lines), {**answer, "added": 0, "error": lines[0]})
        if options["dry_run"]:
            return {**answer, "added": 0, "would_add": len(read.new)}
        rows = [(row.name, row.result) for row in read.new if row.result]
        if rows:
            add_emergency_addresses(actor=actor, organization=organization, rows=rows)
        return answer

    def explain(self, result: dict[str, Any]) -> None:
        self.stdout.write(f"{result['added']} added, {result['skipped']} there already.")
        for error in result["errors"]:
            self.stdout.write(f"Row {error['row']}, {error['field']}: {error['message']}")


def _report(read: AddressFile) -> dict[str, Any]:
    return {
        "rows": len(read.rows),
        "added": len(read.new),
        "skipped": len(read.same),
        "errors": [
            {"row": row.number, "field": field, "message": message}
            for row in read.wrong
            for field, message in row.problems
        ],
        "addresses": [{"row": row.number, **told(row.name, row.result)} for row in read.rows if row.result],
        "ignored_columns": read.ignored,
    }
