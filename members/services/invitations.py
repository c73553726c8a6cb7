"""Invitations by those who administer: of personal accounts, sent again, canceled, moved to another address."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext

from members.access import Actor, Capability, require, require_over
from members.audit import Action, record
from members.departments import check_department
from members.errors import (
    AddressOfAccount,
    AddressTaken,
    CannotInvite,
    InvitationNotOpen,
    StateForbids,
)
from members.invitation_acts import lock_invitations, lock_people, record_invitations, take_back
from members.invitees import read_invitees, require_personal_accounts
from members.locks import lock_organization, take_time
from members.mail import invitation_letter, write_letters
from members.models import Department, Invitation, Member, Organization, User
from members.models.invitations import InvitationQuerySet
from members.newcomers import sorting_of
from members.operations import claim, settle
from members.renewals import record_renewals, renew_invitations


@transaction.atomic(durable=True)
def invite_personal(
    *,
    actor: Actor,
    organization: Organization,
    people: Sequence[str],
    key: UUID,
    department: Department | None = None,
) -> list[Invitation]:
    """Invite people with accounts of their own, by address or by Skype Name: all of them, or nobody.

    The same key again gives the same invitations. Raises PersonalAccountsRefused, DepartmentGone, and CannotInvite
    with a sentence for each entry that stands in the way.
    """
    require(actor, organization, Capability.MANAGE_MEMBERS)
    facts: dict[str, object] = {"people": sorted(people), "department": department.pk if department else None}
    if earlier := claim(organization=organization, name="invite_personal", key=key, facts=facts):
        return list(Invitation.objects.filter(organization=organization, pk__in=earlier.result["invitations"]))
    lock_organization(organization)
    check_department(organization, department)
    require_personal_accounts(organization)
    invitees = read_invitees(organization, people)
    expires_at = timezone.now() + timedelta(days=settings.INVITATION_DAYS)
    try:
        invitations = Invitation.objects.bulk_create(
            [
                Invitation(
                    organization=organization,
                    kind=User.Kind.PERSONAL,
                    user=invitee.user,
                    department=department,
                    email=invitee.email,
                    invited_by=actor.member,
                    expires_at=expires_at,
                )
                for invitee in invitees
            ]
        )
    except IntegrityError as error:
        problem = gettext("Somebody else has just invited one of them. Look at the list of invitations.")
        raise CannotInvite([problem]) from error
    write_letters(invitation_letter(invitation) for invitation in invitations)
    record_invitations(organization=organization, actor=actor, action=Action.INVITATION_SENT, invitations=invitations)
    result: dict[str, object] = {"invitations": [invitation.pk for invitation in invitations]}
    settle(organization=organization, name="invite_personal", key=key, result=result)
    return invitations


@transaction.atomic(durable=True)
def resend_invitations(
    *, actor: Actor, organization: Organization, invitations: Collection[int] = (), members: Collection[int] = ()
) -> int:
    """Send invitations again, named by their ids or by those of the invited members; gives how many.

    Each gets a new link and another fortnight; every earlier link dies, and so do letters not yet sent. A
    canceled invitation of a business account is opened again, account and all. Others are left alone.
    Raises AddressTaken when somebody else has the address of a canceled one by now.
    """
    require(actor, organization, Capability.MANAGE_MEMBERS)
    take_time()
    chosen = _choose(organization, invitations, members)
    left = lock_people(chosen.filter(state=Invitation.State.CANCELED))
    locked = lock_invitations(organization, chosen)
    canceled = {entry.member_id for entry in locked if entry.state == Invitation.State.CANCELED}
    reopened = [
        member
        for member in left
        if member.pk in canceled and (member.state == Member.State.LEFT or member.waits_for_somebody)
    ]
    for member in reopened:
        require_over(actor, member)
    try:
        _reopen(reopened)
    except IntegrityError:
        raise AddressTaken(email=", ".join(member.email for member in reopened)) from None
    back = {member.pk for member in reopened}
    renewed = renew_invitations(
        [entry for entry in locked if entry.state == Invitation.State.PENDING or entry.member_id in back]
    )
    record_renewals(organization=organization, actor=actor, invitations=renewed)
    return len(renewed)


@transaction.atomic(durable=True)
def cancel_invitations(*, actor: Actor, organization: Organization, invitations: Collection[int]) -> int:
    """Take pending invitations back; gives how many. Their links die.

    A business account that was never finished leaves with its invitation: it can't sign in, its Skype Name stays
    taken, and its number and licenses go back. Raises InvitationNotOpen when there was nothing to take back.
    """
    require(actor, organization, Capability.MANAGE_MEMBERS)
    take_time()
    lock_organization(organization)
    chosen = _choose(organization, invitations, ())
    people = lock_people(chosen)
    pending = [entry for entry in lock_invitations(organization, chosen) if entry.state == Invitation.State.PENDING]
    if not pending:
        raise InvitationNotOpen
    waiting = {invitation.member_id for invitation in pending}
    for member in people:
        if member.pk in waiting and member.state == Member.State.INVITED:
            require_over(actor, member)
    take_back(organization=organization, actor=actor, people=people, pending=pending)
    return len(pending)


@transaction.atomic(durable=True)
def change_invited_address(*, actor: Actor, organization: Organization, member: Member, email: str) -> None:
    """Send the invitation of a member who has not joined to another address; links to the old one die.

    Raises StateForbids when they have joined or left, AddressTaken.
    """
    require(actor, organization, Capability.MANAGE_MEMBERS)
    mine = Invitation.objects.filter(organization=organization, member=member)
    found = lock_people(mine)
    if not found:
        raise PermissionDenied
    [locked] = found
    require_over(actor, locked)
    if locked.state != Member.State.INVITED:
        raise StateForbids(state=locked.get_state_display())
    locked.email = email
    for column, value in sorting_of(locked.user, organization, email).items():
        setattr(locked, column, value)
    waiting = lock_invitations(organization, mine.filter(state=Invitation.State.PENDING))
    try:
        locked.save(update_fields=["email", "sort_key", "search_text"])
        User.objects.filter(pk=locked.user_id).update(email=email, email_verified_at=None)
        renew_invitations(waiting, email=email)
    except IntegrityError:
        raise AddressTaken(email=email) from None
    record(organization=organization, actor=actor, action=Action.ADDRESS_CHANGED, subject=locked)


@transaction.atomic(durable=True)
def change_personal_address(*, actor: Actor, organization: Organization, invitation: Invitation, email: str) -> None:
    """Send the invitation of a personal account to another address; links to the old one die.

    Raises InvitationNotOpen, AddressTaken, and AddressOfAccount for somebody who was invited by Skype Name.
    """
    require(actor, organization, Capability.MANAGE_MEMBERS)
    found = lock_invitations(organization, Invitation.objects.filter(pk=invitation.pk, kind=User.Kind.PERSONAL))
    if not found:
        raise PermissionDenied
    [locked] = found
    if locked.state != Invitation.State.PENDING:
        raise InvitationNotOpen
    if locked.user_id is not None:
        raise AddressOfAccount
    if Member.objects.of(organization).present().addressed(email).exists():
        raise AddressTaken(email=email)
    try:
        renew_invitations([locked], email=email)
    except IntegrityError:
        raise AddressTaken(email=email) from None
    record(organization=organization, actor=actor, action=Action.ADDRESS_CHANGED, subject=locked)


def _choose(organization: Organization, invitations: Collection[int], members: Collection[int]) -> InvitationQuerySet:
    named = Q(pk__in=invitations) | Q(member__in=members, state=Invitation.State.PENDING)
    return Invitation.objects.filter(named, organization=organization)


def _reopen(members: Sequence[Member]) -> None:
    """Make the accounts of canceled invitations wait again; nobody has a password to them."""
    pks = [member.pk for member in members]
    Invitation.objects.filter(member__in=pks, state=Invitation.State.CANCELED).update(
        state=Invitation.State.PENDING, closed_at=None
    )
    Member.objects.filter(pk__in=pks).update(state=Member.State.INVITED)
    User.objects.filter(pk__in=[member.user_id for member in members]).update(
        is_active=True, password=make_password(None), must_change_password=False
    )
