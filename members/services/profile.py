"""What people change about themselves: names, language, address, and the organizations they are in."""

from django.db import IntegrityError, transaction

from members.access import Actor
from members.acts import keep_an_administrator
from members.api_tokens import end_tokens
from members.audit import Action, record
from members.consents import note_consent
from members.credentials import confirm_password
from members.errors import AddressTaken, BusinessAccountStays, StateForbids
from members.factors import lock_own_account
from members.locks import lock_organization
from members.mail import personal_letter, write_letters
from members.models import Invitation, Letter, Member, Organization, User
from members.newcomers import sorting_of
from members.renewals import renew_invitations

MAY_LEAVE = (Member.State.ACTIVE, Member.State.BLOCKED)


@transaction.atomic(durable=True)
def change_profile(*, actor: Actor, first_name: str, last_name: str, language: str) -> User:
    """Change the actor's names, and the language of their pages and letters ("": as the organization).

    Raises SessionOver.
    """
    members = _lock_memberships(actor)
    user = lock_own_account(actor)
    new = {"first_name": first_name, "last_name": last_name, "language": language}
    changed = [name for name, value in new.items() if getattr(user, name) != value]
    for name in changed:
        setattr(user, name, new[name])
    user.save(update_fields=changed)
    if not set(changed) & {"first_name", "last_name"}:
        return user
    for member in members:
        member.user = user
        for column, value in sorting_of(user, member.organization, member.email).items():
            setattr(member, column, value)
    Member.objects.bulk_update(members, ["sort_key", "search_text"])
    for member in members:
        if member.state != Member.State.LEFT:
            # The log copies nothing personal: it names the fields, not what stands in them.
            record(
                organization=member.organization,
                actor=Actor.of_member(member, address=actor.address),
                action=Action.MEMBER_CHANGED,
                subject=member,
                after={"fields": changed},
            )
    return user


@transaction.atomic(durable=True)
def change_language(*, actor: Actor, language: str) -> None:
    """Show the actor's pages, and write their letters, in ``language``."""
    assert actor.user is not None
    User.objects.filter(pk=actor.user.pk).update(language=language)


def change_address(*, actor: Actor, password: str, email: str) -> User:
    """Change the actor's e-mail address; the new one has to be confirmed, and the old one is told.

    Invitations that wait for the actor go to the new address, and their old links die. Raises WrongPassword,
    TooManyTries, AddressTaken, SessionOver.
    """
    confirm_password(actor=actor, password=password)
    return _replace_address(actor=actor, email=email)


@transaction.atomic(durable=True)
def _replace_address(*, actor: Actor, email: str) -> User:
    members = _lock_memberships(actor)
    user = lock_own_account(actor)
    if email == user.email:
        return user
    farewell = personal_letter(Letter.Kind.ADDRESS_CHANGED, user)
    user.email = email
    user.email_verified_at = None
    user.save(update_fields=["email", "email_verified_at"])
    # A personal account may be known to an organization at an address of its own.
    for member in members:
        member.user = user
        if member.organization == user.owner:
            _move_member(actor=actor, member=member, email=email)
    waiting = list(
        Invitation.objects.select_for_update(no_key=True)
        .filter(user=user, state=Invitation.State.PENDING)
        .order_by("pk")
    )
    try:
        renew_invitations(waiting, email=email)
    except IntegrityError:
        raise AddressTaken(email=email) from None
    write_letters([farewell, personal_letter(Letter.Kind.ADDRESS_VERIFICATION, user)])
    return user


def _move_member(*, actor: Actor, member: Member, email: str) -> None:
    member.email = email
    for column, value in sorting_of(member.user, member.organization, email).items():
        setattr(member, column, value)
    try:
        member.save(update_fields=["email", "sort_key", "search_text"])
    except IntegrityError:
        raise AddressTaken(email=email) from None
    record(
        organization=member.organization,
        actor=Actor.of_member(member, address=actor.address),
        action=Action.ADDRESS_CHANGED,
        subject=member,
    )


@transaction.atomic(durable=True)
def leave_organization(*, actor: Actor, organization: Organization) -> None:
    """Take the actor's personal account out of ``organization``, for good, with the credit it holds.

    Whoever is blocked may go as well. Raises BusinessAccountStays, LastAdministrator, and StateForbids when they have
    not joined or have left.
    """
    assert actor.user is not None
    if actor.user.kind == User.Kind.BUSINESS:
        raise BusinessAccountStays
    # Every change of who administers an organization queues here, so that the last one is counted right.
    lock_organization(organization)
    member = (
        Member.objects.select_for_update(no_key=True, of=("self",))
        .select_related("organization", "user")
        .filter(organization=organization, user=actor.user)
        .first()
    )
    if member is None:
        # They left, and were erased, while this request ran.
        raise StateForbids(state=Member.State.LEFT.label)
    before = member.state
    if before not in MAY_LEAVE:
        raise StateForbids(state=member.get_state_display())
    keep_an_administrator(organization, leaving=[member.pk])
    acting = Actor.of_member(member, address=actor.address)
    note_consent(actor=actor, member=member, given=False)
    member.state = Member.State.LEFT
    member.save(update_fields=["state"])
    end_tokens([member.pk])
    record(
        organization=organization,
        actor=acting,
        action=Action.MEMBER_LEFT,
        subject=member,
        before={"state": before, "role": member.role},
        after={"state": Member.State.LEFT},
    )


def _lock_memberships(actor: Actor) -> list[Member]:
    return list(
        Member.objects.select_for_update(no_key=True, of=("self",))
        .select_related("organization", "user")
        .filter(user=actor.user)
        .order_by("pk")
    )
