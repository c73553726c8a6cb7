"""What the leaving of somebody means to their membership: sign-in, the invitation to them, and those they sent."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from members.access import Actor, Capability
from members.acts import block
from members.bulk import roles_above
from members.invitation_acts import lock_invitations, take_back
from members.leaving import ends_with_invitation
from members.models import Invitation, Member, Organization
from members.models.invitations import InvitationQuerySet
from members.registry import LeavingLine, LeavingPart, Text, registry

SIGN_IN, INVITATION, SENT = "sign-in", "invitation", "invitations"
KEEP, CANCEL = "keep", "cancel"
# So many invitations of theirs are taken back together; for more there is the page of invitations.
MOST_SENT = 500


def register() -> None:
    """Called once at start-up."""
    registry.add(
        LeavingPart(
            key="members", order=10, capability=Capability.MANAGE_MEMBERS, lines=_lines, apply=_apply, tell=_tell
        )
    )


def pending_to(member: Member) -> InvitationQuerySet:
    """What waits for a member to join, or for the person at their address."""
    theirs = Q(member=member) | Q(user=member.user) | Q(pk__in=_at_address(member))
    return Invitation.objects.filter(theirs, organization=member.organization_id, state=Invitation.State.PENDING)


def pending_of(member: Member) -> InvitationQuerySet:
    """What the present person has sent to others that waits for an answer."""
    sent = Invitation.objects.filter(
        organization=member.organization_id, invited_by=member, state=Invitation.State.PENDING
    ).exclude(member=member)
    since = member.user.handed_over_at
    return sent.filter(created_at__gte=since) if since else sent


def invited_with(member: Member, *, sent: bool) -> list[int]:
    """The keys of the members whose invitations go along, theirs first; they are locked with the member."""
    found = pending_to(member) | pending_of(member) if sent else pending_to(member)
    keys = found.filter(member__isnull=False).values_list("member_id", flat=True)
    return list(keys.distinct()[: 2 * MOST_SENT])


def _at_address(member: Member) -> InvitationQuerySet:
    return Invitation.objects.filter(
        organization=member.organization_id, state=Invitation.State.PENDING, member=None
    ).addressed(member.email)


def _lines(member: Member) -> list[LeavingLine]:
    found = [_sign_in(member)]
    if waiting := list(pending_to(member).order_by("pk")[:5]):
        emails = ", ".join(invitation.email for invitation in waiting)
        note = gettext("Is taken back; its link opens nothing any more.")
        found.append(LeavingLine(key=INVITATION, label=_("Invitation to them"), value=emails, note=note))
    number = pending_of(member).count()
    if number:
        found.append(_sent(number))
    return found


def _sign_in(member: Member) -> LeavingLine:
    match member.state:
        case Member.State.ACTIVE:
            note = gettext("Is blocked: signed out everywhere at once, and API tokens end.")
        case Member.State.INVITED if ends_with_invitation(member):
            note = gettext("Nobody has joined: the account ends with its invitation. The Skype Name stays taken.")
        case Member.State.INVITED:
            note = gettext("Nobody has it: it stays with your company, blocked, until you hand it over again.")
        case _:
            note = gettext("Stays blocked.")
    return LeavingLine(key=SIGN_IN, label=_("Sign-in"), value=member.get_state_display(), note=note)


def _sent(number: int) -> LeavingLine:
    waiting = ngettext("{number} invitation waits", "{number} invitations wait", number).format(number=number)
    return LeavingLine(
        key=SENT,
        label=_("Invitations they sent"),
        value=waiting,
        note=gettext("They were sent in the name of your company, to other people.")
        if number <= MOST_SENT
        else gettext("These stay; to take back so many, use the page of invitations."),
        choices=[(KEEP, _("Keep them: the others can still join")), (CANCEL, _("Take them back"))]
        if number <= MOST_SENT
        else [],
    )


@transaction.atomic(savepoint=False)
def _apply(
    actor: Actor, organization: Organization, member: Member, choices: Mapping[str, str], reason: str
) -> list[dict[str, object]]:
    done: list[dict[str, object]] = []
    if choices.get(SENT) == CANCEL:
        above = Q(member__role__in=roles_above(actor))
        chosen = pending_of(member).exclude(above)
        done.append({"key": SENT, "outcome": "canceled", "number": _take_back(actor, organization, chosen)})
    elif number := pending_of(member).count():
        done.append({"key": SENT, "outcome": "kept", "number": number})
    ended, before = ends_with_invitation(member), member.state
    # What they have themselves is dealt with line by line.
    if number := _take_back(actor, organization, pending_to(member), frees=False):
        done.insert(0, {"key": INVITATION, "outcome": "canceled", "number": number})
    if before == Member.State.ACTIVE:
        block(organization=organization, actor=actor, keys=[member.pk], reason=reason)
    outcome = "ended" if ended else "stays_blocked" if before == Member.State.BLOCKED else "blocked"
    return [{"key": SIGN_IN, "outcome": outcome}, *done]


def _take_back(actor: Actor, organization: Organization, chosen: InvitationQuerySet, *, frees: bool = True) -> int:
    people = Member.objects.select_related("user", "organization").filter(pk__in=chosen.values("member"))
    locked = list(people.order_by("pk"))
    pending = [one for one in lock_invitations(organization, chosen) if one.state == Invitation.State.PENDING]
    if pending:
        take_back(organization=organization, actor=actor, people=locked, pending=pending, frees=frees)
    return len(pending)


def _tell(organization: Organization, fact: Mapping[str, Any]) -> tuple[Text, str]:
    number = fact.get("number", 0)
    match fact["key"], fact["outcome"]:
        case key, "kept":
            text = ngettext("Kept: {number} invitation still waits.", "Kept: {number} invitations still wait.", number)
        case key, "canceled":
            text = ngettext("{number} invitation was taken back.", "{number} invitations were taken back.", number)
        case key, "ended":
            text = gettext("The account ended with its invitation.")
        case key, "stays_blocked":
            text = gettext("Was blocked, and stays so.")
        case key, _other:
            text = gettext("Blocked; sessions and API tokens ended.")
    return _LABELS[key], text.format(number=number)


_LABELS: Mapping[str, Text] = {
    SIGN_IN: _("Sign-in"),
    INVITATION: _("Invitation to them"),
    SENT: _("Invitations they sent"),
}
