from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F

from members.mail import invitation_letter, stop_letters, write_letters
from members.models import Invitation
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
        **changes,
    )
    renewed = list(Invitation.objects.filter(pk__in=pks).select_related("organization", "member__user", "user"))
    write_letters(invitation_letter(invitation) for invitation in renewed)
    return renewed
