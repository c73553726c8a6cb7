from argparse import ArgumentParser
from datetime import date
from typing import Any

from members.access import Actor
from members.management.base import OrganizationCommand, Refused
from members.models import Organization
from telephony.services.rerating import rerate_calls


class Command(OrganizationCommand):
    help = "Rate the calls of some days again that were charged: what they cost is given back, and charged anew."
    nothing_done = {"calls": 0, "changed": 0, "given_back": "0.0000", "charged": "0.0000"}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--from", dest="first", required=True, type=date.fromisoformat, help="the first day")
        parser.add_argument("--to", dest="last", required=True, type=date.fromisoformat, help="the last day")

    def act(
        self,
        *,
        organization: Organization,
        actor: Actor,
        dry_run: bool,
        first: date,
        last: date,
        **options: Any,
    ) -> dict[str, Any]:
        if last < first:
            raise Refused("The last day lies before the first one.")
        rerated = rerate_calls(actor=actor, organization=organization, first=first, last=last, dry_run=dry_run)
        return {
            "calls": rerated.calls,
            "changed": rerated.changed,
            "given_back": rerated.given_back,
            "charged": rerated.charged,
            "currency": organization.currency,
        }

    def explain(self, result: dict[str, Any]) -> None:
        self.stdout.write(
            "{changed:,} of {calls:,} calls cost otherwise; {given_back} given back, {charged} charged.".format(
                **result
            )
        )
