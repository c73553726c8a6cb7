"""Who has which number, and where they are found."""

from collections.abc import Collection

from members.delivery import Delivery, describe_delivery
from members.models import Letter, Member, Organization
from members.tenures import know_predecessors
from telephony.assigning import Pairing, check_pairing, keep_address, look
from telephony.models import EmergencyAddress, NumberAssignment


def open_assignments(organization: Organization, members: Collection[Member | int]) -> list[NumberAssignment]:
    """What some members have, by number; who has none is left out."""
    own = NumberAssignment.objects.filter(organization=organization, member__in=members, until=None)
    return list(
        own.select_related("number__area", "member__user", "emergency_address__current", "place").order_by(
            "number__number"
        )
    )


# What somebody had before that is not told any more.
MOST_TOLD = 50


def assignments_of_member(organization: Organization, member: Member) -> list[tuple[NumberAssignment, str]]:
    """The numbers that a member has had, the newest first, and whose the account was then."""
    found = NumberAssignment.objects.filter(organization=organization, member=member)
    rows = list(
        found.select_related("number", "member__user", "emergency_address", "place").order_by("-since", "-pk")[
            :MOST_TOLD
        ]
    )
    know_predecessors(assignment.member for assignment in rows)
    return [(assignment, assignment.member.name_at(assignment.since)) for assignment in rows]


def letter_about(organization: Organization, assignment: NumberAssignment) -> Delivery:
    """What became of the letter by which somebody was told their number, or that none was written."""
    letters = Letter.objects.filter(
        organization=organization, member=assignment.member_id, kind=Letter.Kind.NUMBER_ASSIGNED
    )
    newest = letters.order_by("-pk").first()
    about = newest is not None and newest.facts.get("assignment") == assignment.pk
    return describe_delivery(organization, newest if about else None)


def foresee(
    organization: Organization, pairing: Pairing, *, changing: bool = False
) -> tuple[Pairing, EmergencyAddress]:
    """What would be given, and where somebody would be found by it. Raises what ``check_pairing`` raises."""
    found = look(organization, [pairing])
    if changing:
        pairing = keep_address(found, pairing)
    return pairing, check_pairing(found, pairing, changing=changing)
