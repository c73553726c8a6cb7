"""Signing in, forgotten passwords, first passwords, and addresses that have to be confirmed."""

from collections.abc import Sequence

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.tokens import default_token_generator
from django.db import transaction
from django.utils import timezone

from members.access import Actor
from members.audit import Action, record
from members.authentication import accounts_by_address, accounts_by_login, resettable
from members.confirmation import confirm_address, hold_unreleased
from members.credentials import confirm_password, fold_login, forget_failures, open_account
from members.errors import LinkDead, SamePassword, SessionOver, TooManyTries, WrongCredentials, WrongPassword
from members.factors import end_every_session, has_second_factor, lock_own_account
from members.joining import finish_account, let_in
from members.known_browsers import KnownBrowser
from members.mail import personal_letter, stop_letters, write_letters
from members.models import Invitation, Letter, Member, User
from members.throttle import (
    NAMES_LETTERS,
    RESET_LETTERS,
    RESET_PLACE,
    VERIFICATION_LETTERS,
    count_try,
)
from members.tokens import read_address_token
from skypemgr.clock import DatabaseClock

MOST_ACCOUNTS_IN_A_LETTER = 50


# Signing in


def sign_in_user(*, actor: Actor, login: str, password: str, browser: KnownBrowser | None = None) -> User:
    """The account that ``login`` (a Skype Name or an address) and ``password`` open.

    An address that several accounts share opens none; a letter then tells its owner their Skype Names, at most
    once an hour. A password that is too short to be alone has to be replaced once there is no second factor
    beside it. Raises WrongCredentials for every reason alike, and TooManyTries before anything is compared.
    """
    user = open_account(actor=actor, login=login, password=password, browser=browser or KnownBrowser())
    if user is None:
        _note_failed_sign_in(login=login)
        raise WrongCredentials
    if len(password) < settings.SHORTEST_PASSWORD and not has_second_factor(user):
        user = _demand_another_password(user=user)
    return user


@transaction.atomic(durable=True)
def _demand_another_password(*, user: User) -> User:
    user.must_change_password = True
    user.save(update_fields=["must_change_password"])
    return user


@transaction.atomic(durable=True)
def _note_failed_sign_in(*, login: str) -> None:
    if "@" not in login:
        return
    # A row is written whether or not there is somebody to write to, so that time tells nothing (decision 9).
    sharing = list(accounts_by_address(login)[:MOST_ACCOUNTS_IN_A_LETTER])
    first_this_hour = count_try(NAMES_LETTERS, fold_login(login))
    if len(sharing) < 2 or not first_this_hour:
        sharing = []
    write_letters([_letter_about(Letter.Kind.SKYPE_NAMES, sharing)])


# Forgotten passwords


def request_password_reset(*, actor: Actor, login: str) -> None:
    """Write exactly one letter, to be sent or not: nobody can tell from here whether there is such an account.

    Accounts that share an address get one letter with a link each. Raises TooManyTries for the place alone.
    """
    if not _count_reset(place=actor.address):
        raise TooManyTries(seconds=RESET_PLACE.minutes * 60)
    _write_reset_letter(login=login)


@transaction.atomic(durable=True)
def _count_reset(*, place: str) -> bool:
    return count_try(RESET_PLACE, place)


@transaction.atomic(durable=True)
def _write_reset_letter(*, login: str) -> None:
    users = list(resettable(accounts_by_login(login)).select_related("owner")[:MOST_ACCOUNTS_IN_A_LETTER])
    if not count_try(RESET_LETTERS, fold_login(users[0].email if users else login)):
        users = []
    write_letters([_letter_about(Letter.Kind.PASSWORD_RESET, users)])


@transaction.atomic(durable=True)
def reset_password(*, actor: Actor, user: User, token: str, password: str) -> User:
    """Set the password chosen at a link; the link and every session die with it. Raises LinkDead."""
    encoded = make_password(password)
    hold_unreleased(user)
    locked = User.objects.select_for_update(no_key=True, of=("self",)).select_related("owner").get(pk=user.pk)
    if not is_reset_link_alive(locked, token):
        raise LinkDead
    locked.password = encoded
    locked.must_change_password = False
    locked.save(update_fields=["password", "must_change_password"])
    forget_failures(locked)
    end_every_session(locked)
    _tell_password_changed(actor=actor, user=locked)
    # Whoever opened the letter reads the mail of this address.
    confirm_address(actor=Actor.of_person(locked, address=actor.address), user=locked)
    return locked


def is_reset_link_alive(user: User, token: str) -> bool:
    """Whether the link of a letter still lets ``user`` choose a new password."""
    return default_token_generator.check_token(user, token) and resettable(User.objects.filter(pk=user.pk)).exists()


def _letter_about(kind: Letter.Kind, users: Sequence[User]) -> Letter:
    """A letter about accounts of one address, or one to nobody, which is closed from the start."""
    if not users:
        return Letter(kind=kind, state=Letter.State.CANCELED, closed_at=timezone.now())
    [user, *others] = users
    letter = personal_letter(kind, user)
    letter.facts = {"users": [account.pk for account in users]}
    if others:
        letter.user = letter.organization = None
    return letter


# Passwords


def confirm_who(*, actor: Actor, password: str) -> User:
    """The actor's account, now that their password shows that it is them. Raises WrongPassword, TooManyTries."""
    return confirm_password(actor=actor, password=password)


def change_password(*, actor: Actor, password: str, new_password: str) -> User:
    """Replace the actor's password, who knows the present one. Every other session ends.

    Raises WrongPassword, TooManyTries, SessionOver.
    """
    user = confirm_password(actor=actor, password=password)
    return _replace_password(actor=actor, previous=user.password, encoded=make_password(new_password))


@transaction.atomic(durable=True)
def _replace_password(*, actor: Actor, previous: str, encoded: str) -> User:
    user = lock_own_account(actor)
    # Somebody else may have changed it since the present one was compared.
    if user.password != previous:
        raise WrongPassword
    user.password = encoded
    user.save(update_fields=["password"])
    end_every_session(user)
    _tell_password_changed(actor=actor, user=user)
    return user


def _tell_password_changed(*, actor: Actor, user: User) -> None:
    write_letters([personal_letter(Letter.Kind.PASSWORD_CHANGED, user)])
    # The password of a personal account is nobody's business but its owner's.
    if user.owner is not None:
        member = Member.objects.filter(organization=user.owner, user=user).first()
        record(
            organization=user.owner,
            actor=Actor.of_person(user, address=actor.address),
            action=Action.PASSWORD_CHANGED,
            subject=user,
            member=member,
        )


def choose_first_password(*, actor: Actor, first_name: str, last_name: str, password: str) -> User:
    """Finish an account whose first password somebody else had set: the member is active from now on.

    Raises SamePassword, SessionOver.
    """
    assert actor.user is not None
    if check_password(password, actor.user.password):
        raise SamePassword
    return _finish_first_password(
        actor=actor, first_name=first_name, last_name=last_name, encoded=make_password(password)
    )


@transaction.atomic(durable=True)
def _finish_first_password(*, actor: Actor, first_name: str, last_name: str, encoded: str) -> User:
    members = list(
        Member.objects.select_for_update(no_key=True, of=("self",))
        .select_related("organization", "user")
        .filter(user=actor.user)
        .order_by("pk")
    )
    user = lock_own_account(actor)
    if not user.must_change_password:
        # Chosen already, and not necessarily by this person: who set the first one knew it too.
        raise SessionOver
    finish_account(user=user, first_name=first_name, last_name=last_name, password=encoded)
    end_every_session(user)
    for member in members:
        member.user = user
        if member.state == Member.State.INVITED:
            invitations = Invitation.objects.filter(member=member, state=Invitation.State.PENDING)
            stop_letters(invitations)
            invitations.update(state=Invitation.State.ACCEPTED, closed_at=DatabaseClock())
            let_in(actor=actor, member=member)
    if user.email_verified_at is None:
        write_letters([personal_letter(Letter.Kind.ADDRESS_VERIFICATION, user)])
    return user


# Addresses


@transaction.atomic(durable=True)
def verify_address(*, actor: Actor, token: str) -> User:
    """Confirm an address by the link sent to it; a second time changes nothing. Raises LinkDead."""
    user = read_address_token(token)
    if user is None or not user.is_active:
        raise LinkDead
    confirm_address(actor=Actor.of_person(user, address=actor.address), user=user)
    return user


def resend_verification(*, actor: Actor) -> None:
    """Send the actor another letter to confirm their address, unless they have. Raises TooManyTries."""
    assert actor.user is not None
    if not _write_verification(actor=actor):
        raise TooManyTries(seconds=VERIFICATION_LETTERS.minutes * 60)


@transaction.atomic(durable=True)
def _write_verification(*, actor: Actor) -> bool:
    assert actor.user is not None
    within = count_try(VERIFICATION_LETTERS, str(actor.user.pk))
    if within and actor.user.email_verified_at is None:
        write_letters([personal_letter(Letter.Kind.ADDRESS_VERIFICATION, actor.user)])
    return within
