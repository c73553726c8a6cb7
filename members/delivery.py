"""What became of a letter, told to whoever caused it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.models import Invitation, Letter, Member, Organization

# What stands at a letter that was given up since each of its senders died.
SENDER_DIED = "sender died"


@dataclass(frozen=True)
class Delivery:
    """A lamp (as in the look: success, waiting, warning, danger, off), a word, a moment, and what else there is."""

    kind: str
    text: str | Promise
    at: datetime | None = None
    note: str | Promise = ""


def deliveries_of(organization: Organization, invitations: Sequence[Invitation]) -> dict[int, Delivery]:
    """What became of the newest letter of each of ``invitations``, by their ids; in one query."""
    newest = Letter.objects.filter(invitation__in=invitations).order_by("invitation", "-pk").distinct("invitation")
    letters = {letter.invitation_id: letter for letter in newest}
    return {invitation.pk: describe_delivery(organization, letters.get(invitation.pk)) for invitation in invitations}


def letters_about(organization: Organization, member: Member) -> list[tuple[Letter, Delivery]]:
    """The newest letter of each kind that was written about a membership, newest first, and what became of it."""
    newest = Letter.objects.filter(organization=organization, member=member).order_by("kind", "-pk").distinct("kind")
    letters = sorted(newest, key=lambda letter: -letter.pk)
    return [(letter, describe_delivery(organization, letter)) for letter in letters]


def describe_delivery(organization: Organization, letter: Letter | None) -> Delivery:
    """What became of one letter, or that none was written."""
    if letter is None:
        return Delivery("off", _("No letter sent"))
    match letter.state:
        case Letter.State.SENT:
            return Delivery("success", _("Sent"), letter.closed_at)
        case Letter.State.FAILED:
            return Delivery("danger", _("Not delivered"), letter.closed_at, why_not(letter))
        case Letter.State.CANCELED:
            return Delivery("off", _("Letter taken back"), letter.closed_at)
    if letter.held_at is not None:
        return Delivery("waiting", _("Held"), note=_("It may have gone before the data were restored."))
    if organization.letters_released_at is None and letter.kind == Letter.Kind.INVITATION:
        return Delivery("waiting", _("Held"), note=_("Leaves when the founder’s address is confirmed."))
    if letter.last_error:
        return Delivery("warning", _("Not delivered yet"), letter.due_at, why_not(letter))
    return Delivery("waiting", _("Waiting to be sent"))


def why_not(letter: Letter) -> str | Promise:
    """Why a letter was not delivered, as far as it is known."""
    # What the relay noted: the code of the server's answer, or the kind of trouble on the way to it.
    if letter.last_error == SENDER_DIED:
        return _("It was given up after five tries that broke off.")
    code = letter.last_error.partition(",")[0]
    if not code.isdigit():
        return _("The mail server can’t be reached.")
    if code in ("550", "551", "553", "554"):
        return gettext("The mail server refuses the address ({code}).").format(code=code)
    if code.startswith("5"):
        return gettext("The mail server refuses the letter ({code}).").format(code=code)
    return gettext("The mail server asks to try later ({code}).").format(code=code)
