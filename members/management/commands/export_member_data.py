from argparse import ArgumentParser
from typing import Any

from members.access import Actor, Capability, require_even_closed
from members.management.base import OrganizationCommand, named_member, tenure_before
from members.models import Organization
from members.services.personal_data import export_member_data
from members.services.predecessors import export_predecessor_data
from skypemgr.plain_json import as_json


class Command(OrganizationCommand):
    help = "Print what an organization keeps about a member, for them; the audit log says that it was asked for."
    even_closed = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--member", metavar="NAME", required=True, help="whose: a Skype Name, or an address")
        parser.add_argument(
            "--before", metavar="NUMBER", type=int, help="of whoever had that account before instead; 1 is the first"
        )

    def act(
        self,
        *,
        organization: Organization,
        actor: Actor,
        member: str,
        before: int | None,
        dry_run: bool,
        **options: Any,
    ) -> dict[str, object]:
        require_even_closed(actor, organization, Capability.MANAGE_MEMBERS)
        found = named_member(organization, member)
        tenure = None if before is None else tenure_before(found, before)
        if dry_run:
            return {"skype_name": found.user.skype_name}
        if tenure is not None:
            return export_predecessor_data(actor=actor, organization=organization, tenure=tenure)
        return export_member_data(actor=actor, organization=organization, member=found)

    def explain(self, result: dict[str, object]) -> None:
        self.stdout.write(as_json(result, indent=2))
