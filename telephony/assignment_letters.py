"""The letter to whoever got a number: which it is, and where help is sent when they call for it."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from members.letter_texts import absolute_url, register_composer
from members.mail import personal_letter, write_letters
from members.models import Letter, Member, Organization
from telephony.emergency import civic_of, line_of
from telephony.models import NumberAssignment
from telephony.phone_numbers import shown_number


@transaction.atomic(savepoint=False)
def write_number_letters(organization: Organization, assignments: Iterable[NumberAssignment]) -> None:
    """Tell each of them their number, if it is theirs still when the letter leaves."""
    letters = []
    for assignment in assignments:
        member = assignment.member
        letter = personal_letter(Letter.Kind.NUMBER_ASSIGNED, member.user, organization=organization, member=member)
        letter.facts = {"assignment": assignment.pk}
        letters.append(letter)
    write_letters(letters)


def _number_assigned(letter: Letter) -> dict[str, Any] | None:
    member = letter.member
    if member is None or member.state not in (Member.State.ACTIVE, Member.State.INVITED):
        return None
    found = NumberAssignment.objects.filter(
        organization=letter.organization, member=member, pk=letter.facts.get("assignment"), until=None
    )
    assignment = found.select_related("number", "emergency_address__current", "place").first()
    if assignment is None:
        return None
    return {
        "number": shown_number(assignment.number.number),
        "address": line_of(civic_of(assignment.emergency_address)),
        "place": assignment.place.name if assignment.place is not None else "",
        "url": absolute_url("me:home"),
    }


def register() -> None:
    """Called once at start-up."""
    register_composer(Letter.Kind.NUMBER_ASSIGNED, _number_assigned)
