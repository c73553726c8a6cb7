from argparse import ArgumentParser
from typing import Any

from members.access import Actor, Capability, require
from members.management.base import OrganizationCommand
from members.models import Organization
from telephony.selectors.numbers import all_numbers, number_facts


class Command(OrganizationCommand):
    help = "List the phone numbers of the organization."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--unassigned", action="store_true", help="only those that nobody has")

    def act(self, *, organization: Organization, actor: Actor, unassigned: bool, **options: Any) -> list[Any]:
        require(actor, organization, Capability.MANAGE_VOICE)
        chunks = all_numbers(organization, unassigned=unassigned)
        return [facts for numbers in chunks for facts in number_facts(organization, numbers)]

    def explain(self, result: list[dict[str, Any]]) -> None:
        for number in result:
            place = ", ".join(part for part in (number["city"], number["country"]) if part)
            self.stdout.write("\t".join([number["number"], place, number["state"], number["member"] or ""]))
