from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from members.access import Actor, Capability, require
from members.management.base import OrganizationCommand, Refused, read_key
from members.management.files import NAMED, add_encoding, opened
from members.models import Organization
from telephony.assignment_file import AssignmentFile, check_assignments
from telephony.management.assigning import tell
from telephony.services.assignments import assign_numbers


class Command(OrganizationCommand):
    help = "Give everybody in a CSV file the phone number that it says: all of them, or nobody."
    nothing_done = {"rows": 0, "assigned": 0, "skipped": 0, "errors": [], "ignored_columns": []}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "file",
            metavar="FILE",
            type=Path,
            help="columns person, number, emergency_address, place; - for standard input",
        )
        parser.add_argument("--no-notify", action="store_true", help="send no letters")
        parser.add_argument("--key", default="", help="a name for this: the same key again does nothing twice")
        add_encoding(parser)

    def act(
        self, *, organization: Organization, actor: Actor, file: Path, encoding: str | None, **options: Any
    ) -> dict[str, Any]:
        require(actor, organization, Capability.MANAGE_VOICE)
        with opened(file) as content:
            read = check_assignments(organization, content, encoding=NAMED.get(encoding or "", ""))
        answer = _report(read)
        if read.wrong:
            lines = [f"Nobody got a number: {len(read.wrong)} of {len(read.rows)} rows need a correction."]
            lines += [f"Row {error['row']}, {error['field']}: {error['message']}" for error in answer["errors"][:50]]
            raise Refused("\n".join(lines), {**answer, "assigned": 0, "error": lines[0]})
        if options["dry_run"]:
            return {**answer, "assigned": 0, "would_assign": len(read.new)}
        if read.new:
            assign_numbers(
                actor=actor,
                organization=organization,
                pairings=read.pairings,
                key=read_key(options["key"]),
                notify=not options["no_notify"],
            )
        return answer

    def explain(self, result: dict[str, Any]) -> None:
        self.stdout.write(f"{result['assigned']} assigned, {result['skipped']} had theirs already.")


def _report(read: AssignmentFile) -> dict[str, Any]:
    return {
        "rows": len(read.rows),
        "assigned": len(read.new),
        "skipped": len(read.same),
        "errors": [
            {"row": row.line, "field": field, "message": message}
            for row in read.wrong
            for field, message in row.problems
        ],
        "assignments": [
            {"row": row.line, **tell(row.member, row.number, row.found_at, row.place)}
            for row in read.new
            if row.member and row.number and row.found_at
        ],
        "ignored_columns": read.ignored,
    }
