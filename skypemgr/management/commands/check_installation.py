import json
import sys
from argparse import ArgumentParser

from django.conf import settings
from django.core import checks
from django.core.management.base import BaseCommand, CommandError

from skypemgr.installation import TAG


class Command(BaseCommand):
    help = "Check everything that must hold on this installation; exit 1 if anything does not, or could not be checked."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="write one JSON value to standard output")

    def handle(self, *, json: bool, **options: object) -> None:
        failures = find_failures()
        if json:
            self.stdout.write(to_json(failures))
            if failures:
                sys.exit(1)
        elif failures:
            raise CommandError("\n".join(f"{failure.id}: {failure.msg}" for failure in failures))
        else:
            self.stdout.write("Everything holds.")


def find_failures() -> list[checks.CheckMessage]:
    """Everything that does not hold, the settings' own checks included in production."""
    tags = [TAG] if settings.LOCAL else None
    found = checks.run_checks(tags=tags, include_deployment_checks=True, databases=["default"])
    return [message for message in found if message.is_serious(checks.WARNING) and not message.is_silenced()]


def to_json(failures: list[checks.CheckMessage]) -> str:
    """The failures as one JSON value."""
    return json.dumps({"failures": [{"check": failure.id, "message": str(failure.msg)} for failure in failures]})
