from argparse import ArgumentParser
from typing import Any

from members.access import Actor, Capability, require
from members.management.base import OrganizationCommand, named_member
from members.models import Organization
from telephony.assigning import check_whereabouts
from telephony.assignment_errors import WithoutNumber
from telephony.management.assigning import add_whereabouts, read_whereabouts, tell
from telephony.selectors.assignments import open_assignments
from telephony.services.assignments import move_to_address


class Command(OrganizationCommand):
    help = "Say where a member is found who has a number already: at another emergency address, or place."
    nothing_done = {"member": None, "number": None, "emergency_address": None}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--member", required=True, metavar="NAME", help="who: a Skype Name or an address")
        add_whereabouts(parser, required=True)

    def act(self, *, organization: Organization, actor: Actor, dry_run: bool, **options: Any) -> dict[str, Any]:
        require(actor, organization, Capability.MANAGE_VOICE)
        member = named_member(organization, options["member"])
        address, place = read_whereabouts(organization, options["emergency_address"], options["place"])
        assert address is not None
        if dry_run:
            own = open_assignments(organization, [member])
            if not own:
                raise WithoutNumber(name=member.user.display_name)
            check_whereabouts(own[0].number, address, place)
            return tell(member, own[0].number, address, place)
        moved = move_to_address(actor=actor, organization=organization, member=member, address=address, place=place)
        return tell(member, moved.number, address, place)

    def explain(self, result: dict[str, Any]) -> None:
        self.stdout.write(f"{result['member']}: {result['number']}, found at {result['emergency_address']}.")
