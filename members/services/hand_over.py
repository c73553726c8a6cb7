"""Giving a business account to the next person; what the one before did stays theirs (decision 22)."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now

from members.access import Actor, Capability, require, require_over
from members.acts import keep_an_administrator, lock_member
from members.api_tokens import end_tokens
from members.audit import Action, record
from members.credentials import forget_failures
from members.errors import AddressTaken, OwnAccount, PersonalAccountStays, StateForbids
from members.factors import end_every_session, forget_factors
from members.locks import lock_organization
from members.mail import invitation_letter, write_letters
from members.models import Invitation, Letter, Member, NoticeChoice, Organization, Tenure, User
from members.newcomers import sorting_of
from members.operations import claim, settle
from skypemgr.clock import DatabaseClock, database_now


def hand_over(
    *,
    actor: Actor,
    organization: Organization,
    member: Member,
    email: str,
    first_name: str,
    last_name: str,
    key: UUID,
    job_title: str = "",
    language: str = "",
) -> Member:
    """Give the business account of ``member`` to somebody else, who is invited at ``email``.

    The Skype Name, the department and whatever other apps keep for the account stay with it. Whoever had it is
    signed out at once, and all that opened it for them is gone; the new person is a plain member. The same key again
    gives the same. Raises PersonalAccountStays, OwnAccount, StateForbids unless it is active or blocked,
    LastAdministrator, AddressTaken.
    """
    person = {"first_name": first_name, "last_name": last_name, "language": language}
    try:
        return _hand_over(actor, organization, member, person, email=email, job_title=job_title, key=key)
    except IntegrityError:
        raise AddressTaken(email=email) from None


@transaction.atomic(durable=True)
def _hand_over(
    actor: Actor,
    organization: Organization,
    member: Member,
    person: dict[str, str],
    *,
    email: str,
    job_title: str,
    key: UUID,
) -> Member:
    require(actor, organization, Capability.MANAGE_MEMBERS)
    facts: dict[str, object] = {"member": member.pk, "email": email, "job_title": job_title, **person}
    if earlier := claim(organization=organization, name="hand_over", key=key, facts=facts):
        return Member.objects.with_people().get(organization=organization, pk=earlier.result["member"])
    lock_organization(organization)
    member = lock_member(organization, member)
    require_over(actor, member)
    if member.user.owner_id != organization.pk:
        raise PersonalAccountStays
    if actor.member == member:
        raise OwnAccount
    before = {"state": member.state, "role": member.role}
    if member.state not in (Member.State.ACTIVE, Member.State.BLOCKED):
        raise StateForbids(state=member.get_state_display())
    keep_an_administrator(organization, leaving=[member.pk])
    _begin_tenure(member)
    _empty_account(member.user, email=email, person=person)
    end_tokens([member.pk])
    _stop_letters(member)
    NoticeChoice.objects.filter(organization=organization, member=member).delete()
    member.email, member.job_title = email, job_title
    member.role, member.state, member.joined_at = Member.Role.MEMBER, Member.State.INVITED, None
    for column, value in sorting_of(member.user, organization, email).items():
        setattr(member, column, value)
    member.save()
    invitation = Invitation.objects.create(
        organization=organization,
        kind=User.Kind.BUSINESS,
        member=member,
        user=member.user,
        department=member.department,
        email=email,
        invited_by=actor.member,
        expires_at=DatabaseClock() + timedelta(days=settings.INVITATION_DAYS),
    )
    write_letters([invitation_letter(invitation)])
    record(
        organization=organization,
        actor=actor,
        action=Action.MEMBER_HANDED_OVER,
        subject=member,
        before=before,
        after={"state": member.state, "role": member.role},
    )
    settle(organization=organization, name="hand_over", key=key, result={"member": member.pk})
    return member


def _begin_tenure(member: Member) -> None:
    """End the tenure of whoever has the account, with who they were, and begin the next at the same moment."""
    user = member.user
    ending = Tenure.objects.get(member=member, ended_at=None)
    ending.ended_at = max(database_now(), ending.started_at)
    ending.first_name, ending.last_name = user.first_name, user.last_name
    ending.email, ending.job_title = member.email, member.job_title
    ending.save()
    Tenure.objects.create(organization=member.organization, member=member, started_at=ending.ended_at)
    user.handed_over_at = ending.ended_at


def _empty_account(user: User, *, email: str, person: dict[str, str]) -> None:
    """Make a locked account that of another person, which nothing opens but their invitation."""
    forget_failures(user)
    for name, value in person.items():
        setattr(user, name, value)
    user.email, user.email_verified_at, user.last_login = email, None, None
    user.password, user.must_change_password = make_password(None), False
    user.is_active, user.is_operator = True, False
    user.save()
    forget_factors(user)
    end_every_session(user)


def _stop_letters(member: Member) -> None:
    """Take back what waits for the person before."""
    theirs = Q(member=member) | Q(user=member.user)
    Letter.objects.filter(theirs, state=Letter.State.WAITING).update(
        state=Letter.State.CANCELED, closed_at=Now(), leased_until=None
    )
