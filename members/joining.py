"""How somebody becomes an active member, whichever way they came: a link, a first password, a personal account."""

from django.db import transaction
from django.utils import timezone

from members.access import Actor
from members.audit import Action, record
from members.models import Member, User
from members.newcomers import sorting_of


@transaction.atomic(savepoint=False)
def finish_account(*, user: User, first_name: str, last_name: str, password: str) -> None:
    """Give an account the names and the password (a hash) its owner chose."""
    user.first_name = first_name
    user.last_name = last_name
    user.password = password
    user.must_change_password = False
    user.save(update_fields=["first_name", "last_name", "password", "must_change_password"])


@transaction.atomic(savepoint=False)
def let_in(*, actor: Actor, member: Member) -> None:
    """Make a locked member active and say so in the log; ``member`` may be new, invited, or one who had left."""
    member.state = Member.State.ACTIVE
    member.joined_at = timezone.now()
    for column, value in sorting_of(member.user, member.organization, member.email).items():
        setattr(member, column, value)
    member.save()
    record(
        organization=member.organization,
        actor=Actor.of_member(member, address=actor.address),
        action=Action.MEMBER_JOINED,
        subject=member,
        after={"state": member.state, "kind": member.user.kind},
    )
