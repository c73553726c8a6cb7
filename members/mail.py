"""Writing letters: rows of the outbox, in the transaction of what they tell about."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import get_language

from members.models import Invitation, Letter, Member, Organization, User
from skypemgr.background import wake
from skypemgr.many_rows import insert_rows


@transaction.atomic(savepoint=False)
def write_letters(letters: Iterable[Letter]) -> None:
    """Put letters into the outbox; a worker sends them after commit."""
    insert_rows(list(letters))
    wake("members.send_letters")


def invitation_letter(invitation: Invitation) -> Letter:
    """The letter with the link that opens ``invitation``."""
    return Letter(
        organization_id=invitation.organization_id,
        kind=Letter.Kind.INVITATION,
        user_id=invitation.member.user_id if invitation.member else invitation.user_id,
        member_id=invitation.member_id,
        invitation_id=invitation.pk,
        email=invitation.email,
    )


def personal_letter(
    kind: Letter.Kind, user: User, *, organization: Organization | None = None, member: Member | None = None
) -> Letter:
    """A letter to one account about itself, to the address it has now."""
    organization = organization or user.owner
    # Of somebody who belongs to nobody and has chosen nothing, only the browser knows the language.
    language = "" if user.language or organization else get_language() or ""
    return Letter(organization=organization, kind=kind, user=user, member=member, email=user.email, language=language)


@transaction.atomic(savepoint=False)
def stop_letters(invitations: Iterable[Invitation]) -> int:
    """Take back what is still waiting of these invitations; gives how many letters that were."""
    return Letter.objects.filter(invitation__in=list(invitations), state=Letter.State.WAITING).update(
        state=Letter.State.CANCELED, closed_at=Now(), leased_until=None
    )
