from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from members.address_rows import sentence
from members.management.base import OrganizationCommand, Refused
from members.management.files import NAMED, add_encoding, opened
from members.models import Batch, BatchRow
from members.selectors.batches import count_rows
from members.services.addresses import change_addresses, discard_addresses, review_addresses
from members.services.run_work import advance_run

MOST_TOLD = 50


class Command(OrganizationCommand):
    help = "Send invitations to other addresses, as a CSV file of old and new addresses says. All of them, or none."
    nothing_done = {"rows": 0, "changed": 0, "skipped": 0, "errors": []}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", metavar="FILE", type=Path, help="the CSV file; - for standard input")
        add_encoding(parser)

    def act(self, **options: Any) -> dict[str, Any]:
        facts = {"organization": options["organization"], "actor": options["actor"]}
        with opened(options["file"]) as file:
            batch = review_addresses(
                **facts,
                content=file,
                file_name=options["file"].name,
                key=uuid4(),
                encoding=NAMED.get(options["encoding"] or "", ""),
            )
        result = self._report(batch)
        ready = count_rows(batch).ready
        if ready and not result["errors"] and not options["dry_run"]:
            batch = change_addresses(**facts, batch=batch)
            if batch.state != Batch.State.DRAFT:
                return self._changed(batch, result)
            # Somebody else was quicker with one of them.
            result = self._report(batch)
        discard_addresses(**facts, batch=batch)
        if result["errors"]:
            raise Refused(_reason(result), result)
        return {**result, "would_change": ready} if options["dry_run"] else result

    def _changed(self, batch: Batch, result: dict[str, Any]) -> dict[str, Any]:
        if batch.state == Batch.State.RUNNING:
            advance_run(batch)
            batch.refresh_from_db()
        if batch.state != Batch.State.DONE:
            raise Refused("It was stopped, or others changed something meanwhile. No address was changed.")
        return {**result, "changed": batch.total}

    def _report(self, batch: Batch) -> dict[str, Any]:
        counts = count_rows(batch)
        wrong = batch.rows.filter(outcome=BatchRow.Outcome.PROBLEM).order_by("number")
        errors = list(_errors(wrong.iterator(chunk_size=1_000)))
        return {"rows": counts.total, "changed": 0, "skipped": counts.skipped, "errors": errors}

    def explain(self, result: dict[str, Any]) -> None:
        if "would_change" in result:
            self.stdout.write(f"{result['would_change']} of {result['rows']} addresses would be changed.")
        else:
            self.stdout.write(f"{result['changed']} of {result['rows']} addresses are changed.")
        if result["skipped"]:
            self.stdout.write(f"{result['skipped']} rows were skipped: they have no new address.")


def _errors(rows: Iterable[BatchRow]) -> Iterator[dict[str, Any]]:
    for row in rows:
        for problem in row.problems:
            yield {"row": row.number, "field": problem["field"] or "row", "message": sentence(problem)}


def _reason(result: dict[str, Any]) -> str:
    errors = result["errors"]
    wrong = len({error["row"] for error in errors})
    lines = [f"No address was changed: {wrong} of {result['rows']} rows need a correction."]
    lines += [f"Row {error['row']}, {error['field']}: {error['message']}" for error in errors[:MOST_TOLD]]
    if len(errors) > MOST_TOLD:
        lines.append(f"… and {len(errors) - MOST_TOLD} more; --json lists them all.")
    return "\n".join(lines)
