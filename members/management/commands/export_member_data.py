from argparse import ArgumentParser
from typing import Any

from members.access import Actor, Capability, require
from members.management.base import OrganizationCommand, named_member
from members.models import Organization
from members.services.personal_data import export_member_data
from skypemgr.plain_json import as_json


class Command(OrganizationCommand):
    help = "Print what an organization keeps about a member, for them; the audit log says that it was asked for."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--member", metavar="NAME", required=True, help="whose: a Skype Name, or an address")

    def act(
        self, *, organization: Organization, actor: Actor, member: str, dry_run: bool, **options: Any
    ) -> dict[str, object]:
        found = named_member(organization, member)
        if dry_run:
            require(actor, organization, Capability.MANAGE_MEMBERS)
            return {"skype_name": found.user.skype_name}
        return export_member_data(actor=actor, organization=organization, member=found)

    def explain(self, result: dict[str, object]) -> None:
        self.stdout.write(as_json(result, indent=2))
