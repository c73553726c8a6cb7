from argparse import ArgumentParser
from typing import Any

from members.access import Actor, Capability, require, require_over
from members.management.base import OrganizationCommand, named_member
from members.models import Organization
from members.services.members import send_password_letter


class Command(OrganizationCommand):
    help = "Send somebody with a business account a letter to choose a new password; the present one works until then."
    nothing_done = {"sent": False}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--member", metavar="NAME", required=True, help="to whom: a Skype Name, or an address")

    def act(
        self, *, organization: Organization, actor: Actor, member: str, dry_run: bool, **options: Any
    ) -> dict[str, Any]:
        found = named_member(organization, member)
        result = {"skype_name": found.user.skype_name, "email": found.email}
        if dry_run:
            require(actor, organization, Capability.MANAGE_MEMBERS)
            require_over(actor, found)
            return {**result, "sent": False}
        send_password_letter(actor=actor, organization=organization, member=found)
        return {**result, "sent": True}

    def explain(self, result: dict[str, Any]) -> None:
        verb = "is on its way" if result["sent"] else "would go"
        self.stdout.write(f"A letter to choose a new password {verb} to {result['email']}.")
