from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from members.access import Actor
from members.management.base import JsonCommand, Refused
from members.management.files import opened
from telephony.management.rows import tell_wrong_rows
from telephony.services.stock import load_numbers
from telephony.stock_file import open_stock


class Command(JsonCommand):
    help = "Load phone numbers into the stock from a CSV file with the columns number, country, region, city and type."
    nothing_done = {"added": 0, "updated": 0, "errors": []}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", metavar="FILE", type=Path, help="the CSV file; - for standard input")
        parser.add_argument(
            "--valid-rows-only", action="store_true", help="load the rows that are right, and report the others"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, and change nothing")

    def act(self, *, file: Path, valid_rows_only: bool, dry_run: bool, **options: Any) -> dict[str, Any]:
        with opened(file) as binary:
            loaded = load_numbers(
                actor=Actor.system(), rows=open_stock(binary).rows(), valid_rows_only=valid_rows_only, dry_run=dry_run
            )
        errors = [error._asdict() for error in loaded.errors]
        result: dict[str, Any] = {"added": loaded.added, "updated": loaded.updated, "errors": errors}
        if dry_run:
            result |= {"added": 0, "updated": 0, "would_add": loaded.added, "would_update": loaded.updated}
        if errors and not valid_rows_only:
            raise Refused(tell_wrong_rows(errors), result)
        return result

    def explain(self, result: dict[str, Any]) -> None:
        if "would_add" in result:
            self.stdout.write(f"{result['would_add']:,} would be added, {result['would_update']:,} updated.")
        else:
            self.stdout.write(f"{result['added']:,} added, {result['updated']:,} updated.")
        if result["errors"]:
            self.stdout.write(tell_wrong_rows(result["errors"]))
