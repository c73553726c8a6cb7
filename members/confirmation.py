"""What follows when somebody has shown that they read the mail of their address."""

from django.db import transaction
from django.db.models import Q

from members.access import Actor
from members.audit import Action, record
from members.models import Member, Organization, User
from skypemgr.background import wake
from skypemgr.clock import DatabaseClock


@transaction.atomic(savepoint=False)
def hold_unreleased(user: User, organization: Organization | None = None) -> None:
    """Lock what ``confirm_address`` may lock, and ``organization``, before any member or account is locked.

    Organizations come first in the order of locks; in another order two who wait for each other wait for ever.
    """
    waiting = Q(letters_released_at=None, pk__in=Member.objects.filter(user=user).values("organization"))
    held = waiting | Q(pk=organization.pk) if organization else waiting
    list(Organization.objects.select_for_update(no_key=True).filter(held).order_by("pk").values("pk"))


@transaction.atomic(savepoint=False)
def confirm_address(*, actor: Actor, user: User) -> bool:
    """Mark the address of ``user`` as confirmed; gives whether that was news.

    The letters of organizations that were waiting for an administrator's address leave from now on. Who has locked
    members or accounts has called ``hold_unreleased`` before.
    """
    waiting = list(
        Organization.objects.select_for_update(no_key=True, of=("self",))
        .filter(
            letters_released_at=None,
            members__user=user,
            members__role=Member.Role.ADMINISTRATOR,
            members__state=Member.State.ACTIVE,
        )
        .order_by("pk")
    )
    confirmed = User.objects.filter(pk=user.pk, email=user.email, email_verified_at=None).update(
        email_verified_at=DatabaseClock()
    )
    for organization in waiting:
        organization.letters_released_at = DatabaseClock()
        organization.save(update_fields=["letters_released_at"])
        record(organization=organization, actor=actor, action=Action.ORGANIZATION_VERIFIED, subject=organization)
    if waiting:
        wake("members.send_letters")
    return bool(confirmed)
