"""What commands say about who has which number."""

from argparse import ArgumentParser
from typing import Any

from members.access import Actor, Capability, require
from members.management.base import OrganizationCommand, Refused, named_member
from members.models import Member, Organization
from skypemgr.characters import storable
from telephony.assigning import MOST_COOLING, Pairing
from telephony.management.emergency import find_address
from telephony.management.naming import find_number
from telephony.models import EmergencyAddress, NumberAssignment, PhoneNumber, Place
from telephony.models.emergency import name_key
from telephony.selectors.assignments import foresee


class PairingCommand(OrganizationCommand):
    """Gives somebody a number; subclasses say how."""

    nothing_done = {"member": None, "number": None, "emergency_address": None}
    number_help = ""
    changing = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--member", required=True, metavar="NAME", help="who: a Skype Name or an address")
        parser.add_argument("--number", required=True, metavar="NUMBER", help=self.number_help)
        add_whereabouts(parser)
        parser.add_argument("--no-notify", action="store_true", help="send no letter")
        parser.add_argument("--key", default="", help="a name for this: the same key again does nothing twice")

    def act(self, *, organization: Organization, actor: Actor, dry_run: bool, **options: Any) -> dict[str, Any]:
        require(actor, organization, Capability.MANAGE_VOICE)
        pairing = _read_pairing(
            organization,
            **{name: options.pop(name) for name in ("member", "number", "emergency_address", "place")},
        )
        if dry_run:
            pairing, address = foresee(organization, pairing, changing=self.changing)
            return tell(pairing.member, pairing.number, address, pairing.place)
        given = self.give(actor, organization, pairing, **options)
        return tell(given.member, given.number, given.emergency_address, given.place)

    def give(self, actor: Actor, organization: Organization, pairing: Pairing, **options: Any) -> NumberAssignment:
        raise NotImplementedError

    def explain(self, result: dict[str, Any]) -> None:
        self.stdout.write(f"{result['member']}: {result['number']}, found at {result['emergency_address']}.")


def read_days(text: str) -> int:
    """For how many days a number cools off. Raises ValueError, which argparse tells."""
    days = int(text)
    if not 0 <= days <= MOST_COOLING:
        raise ValueError(text)
    return days


def add_whereabouts(parser: ArgumentParser, *, required: bool = False) -> None:
    """The options that say where somebody is found."""
    parser.add_argument(
        "--emergency-address", required=required, default="", metavar="NAME", help="where they are found"
    )
    parser.add_argument("--place", default="", metavar="NAME", help="where exactly at that address")


def read_whereabouts(
    organization: Organization, emergency_address: str, place: str
) -> tuple[EmergencyAddress | None, Place | None]:
    """Where somebody is found, as far as it was said. Raises Refused."""
    address = find_address(organization, emergency_address) if emergency_address else None
    if place and address is None:
        raise Refused("Name the emergency address that the place is at.")
    return address, _find_place(address, place) if address and place else None


def _read_pairing(
    organization: Organization, *, member: str, number: str, emergency_address: str, place: str
) -> Pairing:
    """Who is to get which number where. Raises Refused, NotANumber."""
    address, at = read_whereabouts(organization, emergency_address, place)
    return Pairing(named_member(organization, member), find_number(organization, number), address, at)


def tell(member: Member, number: PhoneNumber, address: EmergencyAddress, place: Place | None) -> dict[str, Any]:
    """What ``--json`` prints of somebody who has a number."""
    return {
        "member": member.user.skype_name,
        "number": number.number,
        "emergency_address": address.name,
        "place": place.name if place is not None else None,
    }


def _find_place(address: EmergencyAddress, name: str) -> Place:
    found = Place.objects.filter(address=address, removed_at=None, name_key=name_key(storable(name))).first()
    if found is None:
        raise Refused(f"There is no place “{name}” at {address.name}.")
    return found
