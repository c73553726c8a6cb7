from argparse import ArgumentParser
from typing import Any

from members.access import Actor
from members.management.base import OrganizationCommand, Refused, find_member
from members.models import Organization
from telephony.management.calls import told
from telephony.services.call_queues import assign_calls


class Command(OrganizationCommand):
    help = "Give the calls of an account that names nobody to a member: they are rated, charged and added up as theirs."
    nothing_done = {"calls": 0, "waiting": 0, "charged": "0.0000"}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--account", required=True, help="the account, as the switch writes it")
        parser.add_argument("--member", metavar="NAME", required=True, help="a Skype Name or an e-mail address")
        parser.add_argument("--remember", action="store_true", help="it names this member from now on")

    def act(
        self,
        *,
        organization: Organization,
        actor: Actor,
        dry_run: bool,
        account: str,
        member: str,
        remember: bool,
        **options: Any,
    ) -> dict[str, Any]:
        found = find_member(organization, member)
        if found is None:
            raise Refused(f"There is no member {member}.")
        return told(
            assign_calls(
                actor=actor,
                organization=organization,
                member=found,
                account=account.strip(),
                remember=remember,
                dry_run=dry_run,
            )
        )

    def explain(self, result: dict[str, Any]) -> None:
        self.stdout.write("{calls:,} calls assigned, {charged} charged.".format(**result))
