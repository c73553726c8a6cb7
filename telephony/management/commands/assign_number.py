from typing import Any

from members.access import Actor
from members.management.base import read_key
from members.models import Organization
from telephony.assigning import Pairing
from telephony.management.assigning import PairingCommand
from telephony.models import NumberAssignment
from telephony.services.assignments import assign_numbers


class Command(PairingCommand):
    help = "Give a member a phone number, with the emergency address where they are found."
    number_help = "which of the organization’s numbers, in E.164"

    def give(self, actor: Actor, organization: Organization, pairing: Pairing, **options: Any) -> NumberAssignment:
        [given] = assign_numbers(
            actor=actor,
            organization=organization,
            pairings=[pairing],
            key=read_key(options["key"]),
            notify=not options["no_notify"],
        )
        return given
