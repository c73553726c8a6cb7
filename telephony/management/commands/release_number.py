from argparse import ArgumentParser
from typing import Any

from members.access import Actor, Capability, require
from members.management.base import OrganizationCommand
from members.models import Organization
from skypemgr.forms import read_reason
from telephony.management.naming import find_number
from telephony.services.numbers import release_numbers


class Command(OrganizationCommand):
    help = "Give phone numbers back to the stock: all that are named, or none. They are kept for you for 90 days."
    nothing_done = {"numbers": []}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--number", required=True, action="append", metavar="NUMBER", help="this one, in E.164; may be repeated"
        )
        parser.add_argument("--reason", default="", help="why; stands in the log")

    def act(
        self,
        *,
        organization: Organization,
        actor: Actor,
        number: list[str],
        reason: str,
        dry_run: bool,
        **options: Any,
    ) -> dict[str, Any]:
        require(actor, organization, Capability.MANAGE_VOICE)
        found = {one.pk: one for one in [find_number(organization, text) for text in number]}
        told = [one.number for one in found.values()]
        if dry_run:
            return {**self.nothing_done, "would_release": told}
        release_numbers(
            actor=actor, organization=organization, numbers=list(found.values()), reason=read_reason(reason)
        )
        return {"numbers": told}

    def explain(self, result: dict[str, Any]) -> None:
        for number in result.get("would_release", result["numbers"]):
            self.stdout.write(number)
