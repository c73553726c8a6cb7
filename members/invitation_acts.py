"""What is done to invitations, singly and to many, in the transaction of whoever does it."""

from collections.abc import Sequence

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import Q

from members.access import Actor
from members.audit import Action, Fact, record_many
from members.bulk import Exceptions, roles_above
from members.mail import stop_letters
from members.models import Invitation, Member, Organization, User
from members.models.invitations import InvitationQuerySet
from members.registry import AccountEnd, registry
from skypemgr.clock import DatabaseClock


def renewal_exceptions() -> Exceptions:
    """Which invitations are not sent again."""
    return [("answered", ~Q(state=Invitation.State.PENDING))]


def cancel_exceptions(actor: Actor) -> Exceptions:
    """Which invitations ``actor`` doesn't take back."""
    return [*renewal_exceptions(), ("above", Q(member__role__in=roles_above(actor)))]


def lock_people(invitations: InvitationQuerySet) -> list[Member]:
    """The members of ``invitations`` with their accounts, locked before anything else of theirs is."""
    return list(
        Member.objects.select_for_update(no_key=True, of=("self", "user"))
        .select_related("user", "organization")
        .filter(pk__in=invitations.values("member"))
        .order_by("pk")
    )


def lock_invitations(organization: Organization, invitations: InvitationQuerySet) -> list[Invitation]:
    """Some invitations of an organization, locked by their keys; their people come before."""
    return list(
        Invitation.objects.select_for_update(no_key=True, of=("self",))
        .select_related("member")
        .filter(organization=organization, pk__in=invitations.values("pk"))
        .order_by("pk")
    )


@transaction.atomic(savepoint=False)
def take_back(
    *,
    organization: Organization,
    actor: Actor,
    people: Sequence[Member],
    pending: Sequence[Invitation],
    frees: bool = True,
) -> None:
    """Cancel pending invitations, and the accounts of those of ``people`` (all locked) who wait for theirs.

    One that was handed over, with all it holds, stays with the organization: blocked, until somebody gets it. What
    the others had been given goes back, unless somebody else sees to that (``frees`` is False). Where anything can
    still be given to somebody, the organization is locked.
    """
    # Somebody who joined while we waited for the locks is a member like any other, and stays one.
    waiting = {invitation.member_id for invitation in pending}
    members = [member for member in people if member.pk in waiting and member.state == Member.State.INVITED]
    stop_letters(pending)
    Invitation.objects.filter(pk__in=[invitation.pk for invitation in pending]).update(
        state=Invitation.State.CANCELED, closed_at=DatabaseClock()
    )
    kept = [member for member in members if member.user.handed_over_at is not None]
    Member.objects.filter(pk__in=[member.pk for member in kept]).update(state=Member.State.BLOCKED)
    gone = [member.pk for member in members if member not in kept]
    Member.objects.filter(pk__in=gone).update(state=Member.State.LEFT)
    User.objects.filter(pk__in=[member.user_id for member in members]).update(
        is_active=False, password=make_password(None), must_change_password=False
    )
    if gone and frees:
        for end in registry.all(AccountEnd):
            end.apply(actor, organization, gone)
    record_invitations(organization=organization, actor=actor, action=Action.INVITATION_CANCELED, invitations=pending)
    record_many(
        organization=organization,
        actor=actor,
        facts=[
            Fact(
                action=Action.MEMBER_BLOCKED,
                subject=member,
                before={"state": Member.State.INVITED},
                after={"state": Member.State.BLOCKED},
            )
            for member in kept
        ],
    )


@transaction.atomic(savepoint=False)
def record_invitations(
    *, organization: Organization, actor: Actor, action: Action, invitations: Sequence[Invitation]
) -> None:
    """Write down what was done to each of these invitations."""
    record_many(
        organization=organization,
        actor=actor,
        facts=[
            Fact(action=action, subject=invitation, member=invitation.member, after={"kind": invitation.kind})
            for invitation in invitations
        ],
    )
