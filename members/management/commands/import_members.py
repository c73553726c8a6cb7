from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import uuid4

from members.directory import describe_column
from members.errors import SameContentAgain
from members.importing import Outcome
from members.management.base import OrganizationCommand, Refused
from members.management.files import NAMED, add_encoding, opened
from members.models import Batch, BatchRow, Organization
from members.row_texts import sentence
from members.selectors.batches import count_rows
from members.services import import_work, imports
from skypemgr.characters import printable


class Command(OrganizationCommand):
    help = "Add the people of a directory's CSV file as members with business accounts. All of them, or nobody."
    nothing_done = {"rows": 0, "created": 0, "skipped": 0, "errors": [], "ignored_columns": []}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", metavar="FILE", type=Path, help="the CSV file; - for standard input")
        parser.add_argument("--no-email", action="store_true", help="write no letters; they can be sent later")
        parser.add_argument(
            "--valid-rows-only", action="store_true", help="add the rows that are right, and report the others"
        )
        add_encoding(parser)

    def act(self, **options: Any) -> dict[str, Any]:
        organization, actor = options["organization"], options["actor"]
        try:
            with opened(options["file"]) as file:
                batch = imports.start_import_of_file(
                    actor=actor,
                    organization=organization,
                    content=file,
                    file_name=options["file"].name,
                    key=uuid4(),
                    letters=not options["no_email"],
                    encoding=NAMED.get(options["encoding"], ""),
                )
        except SameContentAgain as again:
            return self._already_done(organization, again, options)
        self._carry_on(batch, options)
        if batch.state == Batch.State.REFUSED:
            raise Refused(sentence({"code": batch.facts["refusal"], "facts": batch.facts["refusal_facts"]}))
        counts = count_rows(batch)
        refused = bool(counts.problem) and not options["valid_rows_only"]
        if options["dry_run"] or refused or not counts.ready:
            result = self._report(batch)
            if options["dry_run"]:
                result["would_create"] = counts.ready
            imports.discard_batch(actor=actor, organization=organization, batch=batch)
            if refused:
                raise Refused(self._reason(result), result)
            return result
        try:
            batch = imports.start_batch(
                actor=actor, organization=organization, batch=batch, valid_rows_only=options["valid_rows_only"]
            )
        except SameContentAgain as again:
            # Another process was quicker with the same file.
            imports.discard_batch(actor=actor, organization=organization, batch=batch)
            return self._already_done(organization, again, options)
        self._carry_on(batch, options)
        return self._report(batch)

    def _carry_on(self, batch: Batch, options: dict[str, Any]) -> None:
        """Read or create to the end, and tell how far it is on a terminal, where somebody waits."""
        watched = self.stderr.isatty() and options["verbosity"] > 0

        creates = batch.state != Batch.State.READING

        def tell() -> None:
            counts = count_rows(batch)
            text = f"{counts.settled:,} of {counts.wanted:,} people" if creates else f"{counts.total:,} rows read"
            self.stderr.write(f"\r{text} ", style_func=str, ending="")
            self.stderr.flush()

        import_work.advance_to_the_end(batch, tell=tell if watched else import_work.nothing)
        if watched:
            # The last chunk ends the work before it is told.
            tell()
            self.stderr.write("")

    def _already_done(
        self, organization: Organization, again: SameContentAgain, options: dict[str, Any]
    ) -> dict[str, Any]:
        """The same content again: what is left of it is created now, and nothing twice."""
        batch = Batch.objects.get(organization=organization, pk=again.batch_id)
        done = count_rows(batch).done
        if not options["dry_run"]:
            self._carry_on(batch, options)
        result = self._report(batch)
        result["skipped"] += done
        result["created"] -= done
        if options["dry_run"]:
            result["would_create"] = count_rows(batch).ready
        return result

    def _report(self, batch: Batch) -> dict[str, Any]:
        counts = count_rows(batch)
        wrong = batch.rows.filter(outcome__in=[Outcome.PROBLEM, Outcome.FAILED]).order_by("number")
        return {
            "rows": counts.total,
            "created": counts.done,
            "skipped": counts.skipped,
            "errors": [error for row in wrong.iterator(chunk_size=1_000) for error in _errors(row)],
            "ignored_columns": [describe_column(column) for column in batch.facts["ignored"]],
        }

    def _reason(self, result: dict[str, Any]) -> str:
        rows = len({error["row"] for error in result["errors"]})
        lines = [f"Nobody was added: {rows} of {result['rows']} rows need a correction."]
        lines += [f"Row {error['row']}, {error['field']}: {error['message']}" for error in result["errors"][:50]]
        if len(result["errors"]) > 50:
            lines.append(f"… and {len(result['errors']) - 50} more; --json lists them all.")
        return "\n".join(lines)

    def explain(self, result: dict[str, Any]) -> None:
        if "would_create" in result:
            self.stdout.write(f"{result['would_create']} of {result['rows']} people would be added.")
        else:
            self.stdout.write(f"{result['created']} of {result['rows']} people were added.")
        if result["skipped"]:
            self.stdout.write(f"{result['skipped']} were skipped: members already, or twice in the file.")
        if result["ignored_columns"]:
            self.stdout.write(printable(f"Ignored columns: {', '.join(result['ignored_columns'])}."))
        for error in result["errors"]:
            self.stdout.write(printable(f"Row {error['row']}, {error['field']}: {error['message']}"))


def _errors(row: BatchRow) -> list[dict[str, Any]]:
    return [
        {"row": row.number, "field": problem.get("field") or "row", "message": sentence(problem)}
        for problem in row.problems
    ]
