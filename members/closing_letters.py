"""The letters to administrators about the end of their organization."""

from datetime import datetime
from typing import Any

from django.db import transaction

from members.letter_texts import absolute_url, register_composer
from members.mail import personal_letter, write_letters
from members.models import Letter, Member, Organization

ASKED, CALLED_OFF, CLOSED = "asked", "called_off", "closed"
EVENTS = {ASKED, CALLED_OFF, CLOSED}


@transaction.atomic(savepoint=False)
def tell_administrators(organization: Organization, event: str) -> None:
    """Write to everybody who administers ``organization`` now; ``event`` is a key of EVENTS."""
    letters = []
    for member in Member.objects.of(organization).administrators().select_related("user").order_by("pk"):
        letter = personal_letter(
            Letter.Kind.ORGANIZATION_CLOSING, member.user, organization=organization, member=member
        )
        at = organization.closes_at
        letter.facts = {"event": event, "at": at.isoformat() if at else ""}
        letters.append(letter)
    write_letters(letters)


def _closing(letter: Letter) -> dict[str, Any] | None:
    event = letter.facts.get("event")
    if event not in EVENTS or letter.organization is None:
        return None
    # Called off, or asked for anew, before it left.
    if event == ASKED and letter.organization.closes_at is None:
        return None
    at = letter.facts.get("at")
    return {
        "event": event,
        "closes_at": datetime.fromisoformat(at) if at else None,
        "url": absolute_url("members:organization_closing", letter.organization.slug) if event == ASKED else "",
    }


def register() -> None:
    """Called once at start-up."""
    register_composer(Letter.Kind.ORGANIZATION_CLOSING, _closing)
