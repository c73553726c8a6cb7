from argparse import ArgumentParser
from typing import Any

from members.access import Actor, Capability, require
from members.management.base import OrganizationCommand, named_member
from members.models import Organization
from skypemgr.forms import read_reason
from telephony.management.assigning import read_days
from telephony.selectors.assignments import open_assignments
from telephony.services.assignments import unassign_numbers


class Command(OrganizationCommand):
    help = "Take the phone numbers of members back. The organization keeps them."
    nothing_done = {"numbers": []}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--member",
            required=True,
            action="append",
            metavar="NAME",
            help="whose: a Skype Name or an address; may be repeated",
        )
        parser.add_argument(
            "--cooling-days", type=read_days, default=0, metavar="DAYS", help="nobody gets them before, 0 to 365"
        )
        parser.add_argument("--reason", default="", help="why; stands in the log")

    def act(
        self,
        *,
        organization: Organization,
        actor: Actor,
        member: list[str],
        cooling_days: int,
        reason: str,
        dry_run: bool,
        **options: Any,
    ) -> dict[str, Any]:
        require(actor, organization, Capability.MANAGE_VOICE)
        found = {one.pk: one for one in [named_member(organization, name) for name in member]}
        if dry_run:
            own = open_assignments(organization, list(found))
            return {**self.nothing_done, "would_unassign": [assignment.number.number for assignment in own]}
        numbers = unassign_numbers(
            actor=actor,
            organization=organization,
            members=list(found.values()),
            cooling_days=cooling_days,
            reason=read_reason(reason),
        )
        return {"numbers": numbers}

    def explain(self, result: dict[str, Any]) -> None:
        for number in result.get("would_unassign", result["numbers"]):
            self.stdout.write(number)
