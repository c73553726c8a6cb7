from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from members.audit_texts import action_text, actor_text, subject_text
from members.models import AuditEntry, Invitation, Letter, Member, Organization
from members.selectors.audit import people_of, with_people
from members.tallies import present, tally
from members.tenures import know_predecessors
from skypemgr.lists import Total, count_up_to


@dataclass(frozen=True)
class Attention:
    """Something that waits for a person: an icon, its tone, a sentence, a note, and where to deal with it."""

    icon: str
    tone: str
    title: str
    note: str
    url: str


@dataclass(frozen=True)
class RecentChange:
    """A line of the log in short: what was done, on whom or what ("" where the action says enough), by whom, when."""

    action: str
    subject: str
    actor: str
    at: datetime


def list_recent_changes(organization: Organization, number: int = 6) -> list[RecentChange]:
    """The newest changes, told in the active language."""
    newest = AuditEntry.objects.filter(organization=organization).order_by("-at", "-id")[:number]
    entries = list(with_people(newest))
    know_predecessors(people_of(entries))
    return [
        RecentChange(action_text(entry), subject_text(entry), actor_text(entry, entry.at), entry.at)
        for entry in entries
    ]


def count_members(organization: Organization) -> dict[str, int]:
    """How many members there are by state (``active``, ``invited``, ``blocked``), and ``present`` in all."""
    found = tally(organization, "state", present())
    states = Member.State
    return {
        "present": sum(found.values()),
        "active": found.get(states.ACTIVE, 0),
        "invited": found.get(states.INVITED, 0),
        "blocked": found.get(states.BLOCKED, 0),
    }


def list_attention(organization: Organization) -> list[Attention]:
    """What somebody should look at: letters that came back or wait, invitations that end soon or have ended."""
    url = reverse("members:invitation_list", args=[organization.slug])
    return [
        Attention(icon, tone, title % {"count": total}, note, url)
        for icon, tone, total, title, note in (*_letters(organization), *_invitations(organization))
        if total.number
    ]


type Found = tuple[str, str, Total, str, str]


def _letters(organization: Organization) -> Iterator[Found]:
    letters = Letter.objects.filter(organization=organization)
    if organization.letters_released_at is None:
        waiting = count_up_to(letters.filter(state=Letter.State.WAITING, kind=Letter.Kind.INVITATION))
        title = ngettext("%(count)s letter waits", "%(count)s letters wait", waiting.number)
        yield "mail", "warning", waiting, title, gettext("until the founder’s address is confirmed")
    returned = count_up_to(letters.filter(state=Letter.State.FAILED, invitation__state=Invitation.State.PENDING))
    title = ngettext("%(count)s letter was refused", "%(count)s letters were refused", returned.number)
    yield "mail", "danger", returned, title, gettext("Correct the address and send again")


def _invitations(organization: Organization) -> Iterator[Found]:
    now = timezone.now()
    pending = Invitation.objects.filter(organization=organization, state=Invitation.State.PENDING)
    expired = count_up_to(pending.filter(expires_at__lte=now))
    title = ngettext("%(count)s invitation has expired", "%(count)s invitations have expired", expired.number)
    yield "clock", "warning", expired, title, gettext("Send it again for a new link")
    expiring = count_up_to(pending.filter(expires_at__gt=now, expires_at__lte=now + timedelta(days=3)))
    title = ngettext(
        "%(count)s invitation ends within three days", "%(count)s invitations end within three days", expiring.number
    )
    yield "clock", "warning", expiring, title, ""
