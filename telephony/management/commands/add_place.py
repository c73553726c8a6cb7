from argparse import ArgumentParser
from typing import Any

from members.access import Actor, Capability, require
from members.management.base import OrganizationCommand, checked
from members.models import Organization
from telephony.emergency import check_address_name, check_place_part
from telephony.management.emergency import find_address
from telephony.services.places import PARTS, add_place


class Command(OrganizationCommand):
    help = "Add a place to an emergency address: a floor, a room, a wing. It is not checked."
    nothing_done = {"place": None}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--emergency-address", metavar="NAME", required=True, help="the address it is at")
        parser.add_argument("--name", required=True, help="what people on site call it")
        for part in PARTS:
            parser.add_argument(f"--{part}", default="", help=f"the {part}, if that says more")

    def act(self, *, organization: Organization, actor: Actor, name: str, **options: Any) -> dict[str, Any]:
        require(actor, organization, Capability.MANAGE_VOICE)
        address = find_address(organization, options["emergency_address"])
        name = checked(check_address_name, name)
        parts = {part: checked(check_place_part, options[part]) for part in PARTS}
        if not options["dry_run"]:
            add_place(actor=actor, organization=organization, address=address, name=name, **parts)
        return {"emergency_address": address.name, "place": name, **parts}

    def explain(self, result: dict[str, Any]) -> None:
        self.stdout.write(f"{result['place']} is a place at {result['emergency_address']}.")
