"""A row of the list of invitations: who, how far it has come, and what to do next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from members.chosen_invitations import STATES, called, shown_address
from members.delivery import Delivery, deliveries_of
from members.models import Invitation, Organization, User
from members.registry import Text
from members.tenures import know_predecessors

State, Reply = Invitation.State, Invitation.Reply
WAIT = _("Wait for an answer, or send it again.")
REMIND = _("Ask them whether something is missing.")
CHECK = _("Check the address and change it.")
CHECK_NAME = _("The address of their account takes no mail. Ask them by another way.")
RENEW = _("Send it again, or take it back.")
ANSWER = _("Send it again: they asked for a new link.")
WRONG = _("Change the address, or take it back.")
LEAVES = _("Nothing. The letter leaves by itself.")


@dataclass(frozen=True)
class InvitationRow:
    """An invitation of the list. ``state`` is the tab it stands in, ``delivery`` None once it was answered."""

    invitation: Invitation
    state: str
    name: str
    email: str
    delivery: Delivery | None
    next_step: Text
    may_resend: bool
    may_cancel: bool
    may_move: bool

    @property
    def expired(self) -> bool:
        return self.delivery is not None and self.invitation.expires_at <= timezone.now()


def invitation_rows(organization: Organization, invitations: Sequence[Invitation]) -> list[InvitationRow]:
    """Rows of some invitations, in two queries."""
    deliveries = deliveries_of(organization, invitations)
    know_predecessors(invitation.member for invitation in invitations)
    return [_row(invitation, deliveries[invitation.pk], timezone.now()) for invitation in invitations]


def _row(invitation: Invitation, delivery: Delivery, now: datetime) -> InvitationRow:
    pending = invitation.state == State.PENDING
    state = _tab_of(invitation, delivery, now)
    named = invitation.member is None and invitation.user is not None
    return InvitationRow(
        invitation=invitation,
        state=state,
        name=called(invitation),
        email=shown_address(invitation),
        delivery=delivery if pending else None,
        next_step=_next_step(invitation, state, delivery, named=named) if pending else "",
        may_resend=pending or (invitation.state == State.CANCELED and invitation.kind == User.Kind.BUSINESS),
        may_cancel=pending,
        # Elsewhere the page of a member offers it.
        may_move=pending
        and not named
        and (state == "bounced" or invitation.reply == Reply.NOT_ME or invitation.member is None),
    )


def _tab_of(invitation: Invitation, delivery: Delivery, now: datetime) -> str:
    if invitation.state != State.PENDING:
        return invitation.state
    if delivery.kind == "danger":
        return "bounced"
    if not invitation.is_open(now):
        return "expired"
    return "opened" if invitation.opened_at else "pending"


def _next_step(invitation: Invitation, state: str, delivery: Delivery, *, named: bool) -> Text:
    match invitation.reply, state:
        case Reply.NEW_LINK, _state:
            return ANSWER
        case Reply.NOT_ME, _state:
            return RENEW if named else WRONG
        case _reply, "bounced":
            return CHECK_NAME if named else CHECK
        case _reply, "expired":
            return RENEW
        case _reply, "opened":
            return REMIND
    return LEAVES if delivery.kind in ("waiting", "warning") else WAIT


def invitation_line(row: InvitationRow) -> list[object]:
    """The row in a file, in the order of the list's columns there."""
    invitation = row.invitation
    user = invitation.member.user if invitation.member else invitation.user
    return [
        user.skype_name if user else "",
        row.name if invitation.member else "",
        row.email,
        invitation.get_kind_display(),
        STATES[row.state],
        row.delivery.text if row.delivery else "",
        _day(invitation.created_at),
        _day(invitation.opened_at),
        _day(invitation.expires_at),
        _day(invitation.closed_at),
        row.next_step,
    ]


def _day(moment: datetime | None) -> object:
    return timezone.localtime(moment).date() if moment else ""
