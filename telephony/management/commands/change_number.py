from argparse import ArgumentParser
from typing import Any

from members.access import Actor
from members.management.base import read_key
from members.models import Organization
from telephony.assigning import Pairing
from telephony.management.assigning import PairingCommand, read_days
from telephony.models import NumberAssignment
from telephony.services.assignments import change_number


class Command(PairingCommand):
    help = "Give a member another phone number for the one they have, in one step."
    number_help = "the new one, in E.164"
    changing = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--cooling-days", type=read_days, default=0, metavar="DAYS", help="nobody gets the old one before, 0 to 365"
        )

    def give(self, actor: Actor, organization: Organization, pairing: Pairing, **options: Any) -> NumberAssignment:
        return change_number(
            actor=actor,
            organization=organization,
            pairing=pairing,
            key=read_key(options["key"]),
            cooling_days=options["cooling_days"],
            notify=not options["no_notify"],
        )
