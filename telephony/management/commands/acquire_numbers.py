from argparse import ArgumentParser
from typing import Any
from uuid import uuid4

from members.access import Actor, Capability, require
from members.management.base import OrganizationCommand
from members.models import Organization
from telephony.errors import NotHeld
from telephony.management.emergency import find_address
from telephony.management.naming import find_reservation
from telephony.phone_numbers import read_phone_number
from telephony.selectors.reservations import list_held
from telephony.services.reservations import acquire_numbers


class Command(OrganizationCommand):
    help = "Acquire the phone numbers of a reservation, or some of them; the rest is free at once."
    nothing_done = {"numbers": []}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--reservation", required=True, type=int, help="its number")
        parser.add_argument(
            "--number", action="append", metavar="NUMBER", help="this one, in E.164; may be repeated; else all of them"
        )
        parser.add_argument(
            "--emergency-address",
            action="append",
            default=[],
            metavar="NAME",
            help="where they will be used, by its name; needed in most countries but the US and Canada",
        )

    def act(
        self,
        *,
        organization: Organization,
        actor: Actor,
        reservation: int,
        number: list[str] | None,
        emergency_address: list[str],
        dry_run: bool,
        **options: Any,
    ) -> dict[str, Any]:
        require(actor, organization, Capability.MANAGE_VOICE)
        found = find_reservation(organization, reservation)
        numbers = None if number is None else [read_phone_number(one) for one in number]
        addresses = [find_address(organization, name) for name in emergency_address]
        if dry_run:
            held = [one.number for some in list_held(organization) if some.reservation == found for one in some.numbers]
            if missing := [one for one in numbers or () if one not in held]:
                raise NotHeld(number=missing[0])
            return {**self.nothing_done, "would_acquire": numbers or held}
        acquired = acquire_numbers(
            actor=actor,
            organization=organization,
            reservations=[found],
            numbers=numbers,
            addresses=addresses,
            key=uuid4(),
        )
        return {"numbers": [one.number for one in acquired]}

    def explain(self, result: dict[str, Any]) -> None:
        for number in result.get("would_acquire", result["numbers"]):
            self.stdout.write(number)
