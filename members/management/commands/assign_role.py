from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import PermissionDenied

from members.access import ROLES, Actor, Capability, require, require_over
from members.acts import keep_an_administrator
from members.errors import StateForbids
from members.management.base import OrganizationCommand, named_member
from members.models import Member, Organization
from members.services.members import assign_role


class Command(OrganizationCommand):
    help = "Give a member another role; “member” takes every other one away."
    nothing_done = {"changed": False}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--member", metavar="NAME", required=True, help="whom: a Skype Name, or an address")
        parser.add_argument("--role", choices=Member.Role.values, required=True, help="what they may do from now on")

    def act(
        self, *, organization: Organization, actor: Actor, member: str, role: str, dry_run: bool, **options: Any
    ) -> dict[str, Any]:
        require(actor, organization, Capability.ASSIGN_ROLES)
        found = named_member(organization, member)
        result = {"skype_name": found.user.skype_name, "role_before": found.role, "role": role}
        if dry_run:
            require_over(actor, found)
            if not ROLES[role] <= actor.capabilities:
                raise PermissionDenied
            if found.state == Member.State.LEFT:
                raise StateForbids(state=found.get_state_display())
            if found.role == Member.Role.ADMINISTRATOR != role:
                keep_an_administrator(organization, leaving=[found.pk])
            return {**result, **self.nothing_done, "would_change": found.role != role}
        assign_role(actor=actor, organization=organization, member=found, role=role)
        return {**result, "changed": result["role_before"] != role}

    def explain(self, result: dict[str, Any]) -> None:
        verb = "would have" if "would_change" in result else "has"
        self.stdout.write(f"{result['skype_name']} {verb} the role {result['role']}.")
