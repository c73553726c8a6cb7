from argparse import ArgumentParser
from typing import Any

from members.access import Actor
from members.management.base import OrganizationCommand, Refused
from members.models import Organization
from telephony.services.usage import rebuild_usage


class Command(OrganizationCommand):
    help = (
        "Make what calls add up to what the calls say, by month; with --check only tell what differs, and exit with 1."
    )
    nothing_done = {"days": 0, "differences": []}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--check", action="store_true", help="change nothing, and exit with 1 if anything differs")

    def act(
        self, *, organization: Organization, actor: Actor, dry_run: bool, check: bool, **options: Any
    ) -> dict[str, Any]:
        rebuilt = rebuild_usage(actor=actor, organization=organization, check=check or dry_run)
        result = {"days": rebuilt.days, "differences": rebuilt.differences}
        if check and rebuilt.differences:
            raise Refused(f"{len(rebuilt.differences):,} sums differ from the calls.", result)
        return result

    def explain(self, result: dict[str, Any]) -> None:
        self.stdout.write(f"{result['days']:,} days of calls, {len(result['differences']):,} sums differed.")
