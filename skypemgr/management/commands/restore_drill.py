import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path

import psycopg
from django.core.management.base import BaseCommand, CommandError

from skypemgr.drill import DrillError, Outcome, drill


class Command(BaseCommand):
    help = (
        "Dump the database, restore it into a scratch database, compare every table and rule, check the invariants "
        "there, and drop it; exit 1 if anything differs, or could not be compared."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--into", metavar="URL", default="", help="a database of the server for the copy")
        parser.add_argument("--dump", metavar="FILE", type=Path, help="restore this dump (custom format) instead")
        parser.add_argument("--json", action="store_true", help="write one JSON value to standard output")

    def handle(self, *, into: str, dump: Path | None, json: bool, **options: object) -> None:
        try:
            outcome = drill(into=into, dump=dump)
        except (DrillError, psycopg.Error) as error:
            if json:
                self.stdout.write(to_json({"error": str(error)}))
            raise CommandError(str(error)) from error
        if json:
            self.stdout.write(to_json(asdict(outcome)))
            if outcome.differences or outcome.violations:
                sys.exit(1)
        else:
            self._explain(outcome)

    def _explain(self, outcome: Outcome) -> None:
        if outcome.differences or outcome.violations:
            raise CommandError("\n".join([*outcome.differences, *outcome.violations]))
        parts = ", ".join(f"{part} {seconds} s" for part, seconds in outcome.seconds.items())
        self.stdout.write(f"The copy is equal: {outcome.tables} tables, {outcome.rows} rows ({parts}).")


def to_json(result: dict[str, object]) -> str:
    """The outcome as one JSON value."""
    return json.dumps(result, ensure_ascii=False)
