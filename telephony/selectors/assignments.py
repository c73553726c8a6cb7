"""Who has which number, and where they are found."""

from collections.abc import Collection

from members.models import Member, Organization
from telephony.assigning import Pairing, check_pairing, keep_address, look
from telephony.models import EmergencyAddress, NumberAssignment


def open_assignments(organization: Organization, members: Collection[Member | int]) -> list[NumberAssignment]:
    """What some members have, by number; who has none is left out."""
    own = NumberAssignment.objects.filter(organization=organization, member__in=members, until=None)
    return list(
        own.select_related("number", "member__user", "emergency_address__current", "place").order_by("number__number")
    )


def foresee(
    organization: Organization, pairing: Pairing, *, changing: bool = False
) -> tuple[Pairing, EmergencyAddress]:
    """What would be given, and where somebody would be found by it. Raises what ``check_pairing`` raises."""
    found = look(organization, [pairing])
    if changing:
        pairing = keep_address(found, pairing)
    return pairing, check_pairing(found, pairing, changing=changing)
