from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F

from members.access import Actor
from members.audit import Action, Fact, record_many
from members.mail import invitation_letter, stop_letters, write_letters
from members.models import Invitation, Organization
from skypemgr.clock import DatabaseClock


@transaction.atomic(savepoint=False)
def renew_invitations(invitations: Sequence[Invitation], *, email: str | None = None) -> list[Invitation]:
    """Make every earlier link of these pending invitations worthless, and send a new one by a new letter.

    ``email`` is a new address for all of them. Gives the invitations as they are now, in no particular order.
    """
    pks = [invitation.pk for invitation in invitations]
    stop_letters(invitations)
    changes = {} if email is None else {"email": email}
    Invitation.objects.filter(pk__in=pks).update(
        version=F("version") + 1,
        expires_at=DatabaseClock() + timedelta(days=settings.INVITATION_DAYS),
        reply="",
        opened_at=None,
        **changes,
    )
    renewed = list(Invitation.objects.filter(pk__in=pks).select_related("organization", "member__user", "user"))
    write_letters(invitation_letter(invitation) for invitation in renewed)
    return renewed


@transaction.atomic(savepoint=False)
def record_renewals(*, organization: Organization, actor: Actor, invitations: Sequence[Invitation]) -> None:
    """Write down that these invitations were sent again."""
    record_many(
        organization=organization,
        actor=actor,
        facts=[
            Fact(
                action=Action.INVITATION_RESENT,
                subject=invitation,
                member=invitation.member,
                after={"kind": invitation.kind},
            )
            for invitation in invitations
        ],
    )
