from argparse import ArgumentParser
from typing import Any

from members.access import Actor, Capability, require, require_over
from members.acts import keep_an_administrator
from members.errors import StateForbids
from members.management.base import OrganizationCommand, Refused, checked, named_member
from members.models import Member, Organization
from members.services.members import block_members
from skypemgr.forms import read_reason


class Command(OrganizationCommand):
    help = "Stop an active member from signing in; their sessions and tokens end at once."
    nothing_done = {"blocked": False}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--member", metavar="NAME", required=True, help="whom: a Skype Name, or an address")
        parser.add_argument("--reason", metavar="TEXT", default="", help="stands in the audit log")

    def act(
        self, *, organization: Organization, actor: Actor, member: str, reason: str, dry_run: bool, **options: Any
    ) -> dict[str, Any]:
        require(actor, organization, Capability.MANAGE_MEMBERS)
        found, reason = named_member(organization, member), checked(read_reason, reason)
        require_over(actor, found)
        if found == actor.member:
            raise Refused("Nobody blocks themselves.")
        if found.state != Member.State.ACTIVE:
            raise StateForbids(state=found.get_state_display())
        result = {"skype_name": found.user.skype_name}
        if dry_run:
            keep_an_administrator(organization, leaving=[found.pk])
            return {**result, **self.nothing_done, "would_block": True}
        chosen = Member.objects.filter(pk=found.pk)
        blocked = block_members(actor=actor, organization=organization, members=chosen, reason=reason)
        return {**result, "blocked": bool(blocked)}

    def explain(self, result: dict[str, Any]) -> None:
        if "would_block" in result:
            self.stdout.write(f"{result['skype_name']} could not sign in any more.")
        else:
            self.stdout.write(f"{result['skype_name']} {'can’t sign in any more' if result['blocked'] else 'stays'}.")
