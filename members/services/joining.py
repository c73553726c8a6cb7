"""Answers to an invitation, by whoever holds its link. Each link answers once (decision 6)."""

from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from members.access import Actor
from members.audit import Action, record
from members.confirmation import confirm_address, hold_unreleased
from members.consents import note_consent
from members.errors import (
    AddressTaken,
    AlreadyMember,
    InvitationClosed,
    MeantForAnother,
    NotAPersonalAccount,
    SkypeNameTaken,
)
from members.invitees import require_personal_accounts
from members.joining import finish_account, let_in
from members.mail import stop_letters
from members.models import Invitation, Member, Organization, User
from members.selectors.invitations import closed_because
from members.skype_names import free_skype_name, taken_skype_names
from skypemgr.clock import DatabaseClock


@transaction.atomic(durable=True)
def accept_business_invitation(
    *, actor: Actor, invitation: Invitation, first_name: str, last_name: str, password: str
) -> Member:
    """Finish the business account of ``invitation`` with the names and password its owner chose.

    ``invitation`` is as it was when its link was read: a link that was replaced, moved to another address,
    canceled or used since then finishes nothing. Raises InvitationClosed.
    """
    if invitation.member is None:
        raise PermissionDenied
    encoded = make_password(password)
    hold_unreleased(invitation.member.user)
    member = (
        Member.objects.select_for_update(no_key=True, of=("self", "user"))
        .select_related("user", "organization")
        .get(pk=invitation.member.pk, organization=invitation.organization_id)
    )
    _claim(invitation, Invitation.State.ACCEPTED)
    if member.state != Member.State.INVITED:
        raise InvitationClosed(reason="canceled")
    finish_account(user=member.user, first_name=first_name, last_name=last_name, password=encoded)
    let_in(actor=actor, member=member)
    confirm_address(actor=Actor.of_member(member, address=actor.address), user=member.user)
    return member


@transaction.atomic(durable=True)
def accept_personal_invitation(*, actor: Actor, invitation: Invitation, call_detail: bool = False) -> Member:
    """Take the actor's personal account into the organization that invited them.

    ``call_detail`` says that they let its administrators see whom they call.

    Raises InvitationClosed, NotAPersonalAccount, MeantForAnother, AlreadyMember, PersonalAccountsRefused,
    AddressTaken.
    """
    if actor.user is None or invitation.kind != User.Kind.PERSONAL:
        raise PermissionDenied
    if actor.user.kind != User.Kind.PERSONAL:
        raise NotAPersonalAccount
    if invitation.user_id not in (None, actor.user.pk):
        raise MeantForAnother(skype_name=invitation.user)
    try:
        return _take_in(actor, invitation, actor.user, call_detail=call_detail)
    except IntegrityError:
        raise AddressTaken(email=invitation.email) from None


def join_with_new_account(
    *,
    actor: Actor,
    invitation: Invitation,
    skype_name: str,
    first_name: str,
    last_name: str,
    password: str,
    call_detail: bool = False,
) -> Member:
    """Make a personal account at the link of an invitation, and take it into the organization.

    Raises InvitationClosed, MeantForAnother, SkypeNameTaken, PersonalAccountsRefused, AddressTaken.
    """
    if invitation.kind != User.Kind.PERSONAL:
        raise PermissionDenied
    if invitation.user_id is not None:
        raise MeantForAnother(skype_name=invitation.user)
    try:
        return _make_account_and_join(
            actor=actor,
            invitation=invitation,
            account=User(
                skype_name=skype_name,
                email=invitation.email,
                first_name=first_name,
                last_name=last_name,
                kind=User.Kind.PERSONAL,
                password=make_password(password),
            ),
            call_detail=call_detail,
        )
    except IntegrityError:
        # Asked outside of the transaction that failed: the name, or else the address.
        if taken_skype_names([skype_name.lower()]):
            raise SkypeNameTaken(skype_name=skype_name, free=free_skype_name(skype_name)) from None
        raise AddressTaken(email=invitation.email) from None


@transaction.atomic(durable=True)
def _make_account_and_join(*, actor: Actor, invitation: Invitation, account: User, call_detail: bool) -> Member:
    account.save()
    person = Actor.of_person(account, address=actor.address)
    return _take_in(person, invitation, account, call_detail=call_detail)


def _take_in(actor: Actor, invitation: Invitation, user: User, *, call_detail: bool) -> Member:
    # So that the department stays, and a second invitation of the same person finds them here.
    hold_unreleased(user, invitation.organization)
    organization = Organization.objects.get(pk=invitation.organization_id)
    member = (
        Member.objects.select_for_update(no_key=True, of=("self",)).filter(organization=organization, user=user).first()
    )
    _claim(invitation, Invitation.State.ACCEPTED)
    require_personal_accounts(organization)
    if member is not None and member.state != Member.State.LEFT:
        raise AlreadyMember(person=user.skype_name)
    member = member or Member()
    member.organization, member.user = organization, user
    # As it is now: where they were to go may have been deleted since the link was read.
    member.department_id = Invitation.objects.values_list("department", flat=True).get(pk=invitation.pk)
    member.role = Member.Role.MEMBER
    # Named by Skype Name, they are known by the address of their account.
    member.email = invitation.email if invitation.user_id is None else user.email
    let_in(actor=actor, member=member)
    note_consent(actor=actor, member=member, given=call_detail)
    Invitation.objects.filter(pk=invitation.pk).update(member=member)
    if user.email.lower() == invitation.email.lower():
        confirm_address(actor=Actor.of_member(member, address=actor.address), user=user)
    return member


@transaction.atomic(durable=True)
def decline_invitation(*, actor: Actor, invitation: Invitation) -> None:
    """Say no to an invitation for a personal account. Raises InvitationClosed."""
    if invitation.kind != User.Kind.PERSONAL:
        raise PermissionDenied
    _claim(invitation, Invitation.State.DECLINED)
    stop_letters([invitation])
    record(organization=invitation.organization, actor=actor, action=Action.INVITATION_DECLINED, subject=invitation)


@transaction.atomic(durable=True)
def tell_inviter(*, actor: Actor, invitation: Invitation, newest: bool) -> Invitation.Reply:
    """Show on the list of invitations what the holder of a link wants: a new one, or none, since it isn't for them.

    Raises InvitationClosed when the invitation was answered.
    """
    reason = closed_because(invitation, newest=newest)
    if reason in ("used", "declined"):
        raise InvitationClosed(reason=reason)
    reply = Invitation.Reply.NEW_LINK if reason else Invitation.Reply.NOT_ME
    Invitation.objects.filter(pk=invitation.pk, state__in=[Invitation.State.PENDING, Invitation.State.CANCELED]).update(
        reply=reply
    )
    return reply


@transaction.atomic(durable=True)
def note_opened(*, actor: Actor, invitation: Invitation) -> None:
    """Remember that the page of this link was shown, the first time it is; a link that died meanwhile is left alone.

    No entry of the log: nobody knows whether ``actor`` is the person, or a mail server that looks at links.
    """
    Invitation.objects.filter(
        pk=invitation.pk, version=invitation.version, state=Invitation.State.PENDING, opened_at=None
    ).update(opened_at=DatabaseClock())


def _claim(invitation: Invitation, state: Invitation.State) -> None:
    """Close an invitation if its link still stands; this one statement is what makes a link work once."""
    claimed = Invitation.objects.filter(
        pk=invitation.pk,
        version=invitation.version,
        email=invitation.email,
        state=Invitation.State.PENDING,
        expires_at__gt=DatabaseClock(),
        organization__in=Organization.objects.filter(closed_at=None),
    ).update(state=state, closed_at=DatabaseClock(), reply="")
    if not claimed:
        now = Invitation.objects.get(pk=invitation.pk)
        raise InvitationClosed(reason=closed_because(now, newest=now.version == invitation.version) or "expired")
