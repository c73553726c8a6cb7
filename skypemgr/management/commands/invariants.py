import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict

from django.core.management.base import BaseCommand, CommandError

from skypemgr.invariants import find_violations


class Command(BaseCommand):
    help = "Check what must be true of the data at every moment; exit 1 if anything is not, or could not be asked."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="write one JSON value to standard output")

    def handle(self, *, json: bool, **options: object) -> None:
        violations = find_violations()
        if json:
            self.stdout.write(to_json([asdict(violation) for violation in violations]))
            if violations:
                sys.exit(1)
        elif violations:
            raise CommandError("\n".join(f"{violation.invariant}: {violation.message}" for violation in violations))
        else:
            self.stdout.write("Everything is true.")


def to_json(failures: list[dict[str, str]]) -> str:
    """The violations as one JSON value."""
    return json.dumps({"failures": failures}, ensure_ascii=False)
