from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from members.audit_texts import action_text, actor_text, subject_text
from members.models import AuditEntry, Invitation, Letter, Member, Organization
from members.selectors.audit import people_of, with_people
from members.tallies import present, tally
from members.tenures import know_predecessors


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
    now = timezone.now()
    invitations = Invitation.objects.filter(organization=organization, state=Invitation.State.PENDING)
    counts = invitations.aggregate(
        expired=Count("id", filter=Q(expires_at__lte=now)),
        expiring=Count("id", filter=Q(expires_at__gt=now, expires_at__lte=now + timedelta(days=3))),
    )
    returned = Letter.objects.filter(
        organization=organization, state=Letter.State.FAILED, invitation__state=Invitation.State.PENDING
    ).count()
    waiting = 0
    if organization.letters_released_at is None:
        waiting = Letter.objects.filter(
            organization=organization, state=Letter.State.WAITING, kind=Letter.Kind.INVITATION
        ).count()
    url = reverse("members:invitation_list", args=[organization.slug])
    found = []
    if waiting:
        title = ngettext("%(count)d letter waits", "%(count)d letters wait", waiting) % {"count": waiting}
        found.append(Attention("mail", "warning", title, gettext("until the founder’s address is confirmed"), url))
    if returned:
        title = ngettext("%(count)d letter was refused", "%(count)d letters were refused", returned)
        found.append(
            Attention("mail", "danger", title % {"count": returned}, gettext("Correct the address and send again"), url)
        )
    if counts["expired"]:
        title = ngettext(
            "%(count)d invitation has expired", "%(count)d invitations have expired", counts["expired"]
        ) % {"count": counts["expired"]}
        found.append(Attention("clock", "warning", title, gettext("Send it again for a new link"), url))
    if counts["expiring"]:
        title = ngettext(
            "%(count)d invitation ends within three days",
            "%(count)d invitations end within three days",
            counts["expiring"],
        ) % {"count": counts["expiring"]}
        found.append(Attention("clock", "warning", title, "", url))
    return found
