from argparse import ArgumentParser
from typing import Any

from members.access import Actor, Capability, require, require_over
from members.errors import StateForbids
from members.management.base import OrganizationCommand, named_member
from members.models import Member, Organization
from members.services.members import unblock_member


class Command(OrganizationCommand):
    help = "Let a blocked member sign in again."
    nothing_done = {"unblocked": False}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--member", metavar="NAME", required=True, help="whom: a Skype Name, or an address")

    def act(
        self, *, organization: Organization, actor: Actor, member: str, dry_run: bool, **options: Any
    ) -> dict[str, Any]:
        require(actor, organization, Capability.MANAGE_MEMBERS)
        found = named_member(organization, member)
        result = {"skype_name": found.user.skype_name}
        if dry_run:
            require_over(actor, found)
            if found.state != Member.State.BLOCKED:
                raise StateForbids(state=found.get_state_display())
            return {**result, **self.nothing_done, "would_unblock": True}
        unblock_member(actor=actor, organization=organization, member=found)
        return {**result, "unblocked": True}

    def explain(self, result: dict[str, Any]) -> None:
        verb = "can" if result["unblocked"] else "could"
        self.stdout.write(f"{result['skype_name']} {verb} sign in again.")
