from argparse import ArgumentParser
from typing import Any

from members.access import Actor, Capability, require
from members.management.base import OrganizationCommand
from members.models import Organization
from telephony.management.naming import find_reservation
from telephony.selectors.reservations import list_held
from telephony.services.reservations import cancel_reservation


class Command(OrganizationCommand):
    help = "Let the phone numbers of a reservation go, at once."
    nothing_done = {"numbers": []}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--reservation", required=True, type=int, help="its number")

    def act(
        self, *, organization: Organization, actor: Actor, reservation: int, dry_run: bool, **options: Any
    ) -> dict[str, Any]:
        require(actor, organization, Capability.MANAGE_VOICE)
        found = find_reservation(organization, reservation)
        held = [one.number for some in list_held(organization) if some.reservation == found for one in some.numbers]
        if not dry_run:
            found = cancel_reservation(actor=actor, organization=organization, reservation=found)
        return {"numbers": held, "state": found.ended or "held"}

    def explain(self, result: dict[str, Any]) -> None:
        self.stdout.write(f"{len(result['numbers'])} numbers are free again.")
