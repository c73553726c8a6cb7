"""Comparing passwords, with every try counted before the work. Called outside of transactions: hashing is slow."""

from django.contrib.auth import authenticate
from django.contrib.auth.hashers import make_password
from django.db import transaction

from members.access import Actor
from members.authentication import find_by_login
from members.errors import LockedOut, TooManyTries, WrongPassword
from members.known_browsers import KnownBrowser
from members.models import User
from members.throttle import (
    PROOF,
    SIGN_IN_ACCOUNT,
    SIGN_IN_BROWSER,
    SIGN_IN_LOGIN,
    SIGN_IN_PLACE,
    Ladder,
    Wait,
    climb,
    count_try,
    forget_tries,
    take_back_try,
)


def open_account(*, actor: Actor, login: str, password: str, browser: KnownBrowser) -> User | None:
    """The account that ``login`` and ``password`` open, or None. Raises TooManyTries before anything is compared.

    What was typed is counted, so that an answer is the same whether or not there is such an account. The account is
    counted too, by whichever name it was meant; when that is too much, a right password gets the answer of a wrong
    one, since any other would tell which names belong together. A browser that has signed in to the account before
    has tries of its own: nobody can use them up from elsewhere.
    """
    meant = find_by_login(login)
    ladders = _ladders(login, meant, browser)
    silent = _count(ladders, place=actor.address)
    if silent:
        # As much work as comparing.
        make_password(password)
        return None
    user = authenticate(login=login, password=password)
    if not isinstance(user, User):
        return None
    _forget(ladders, place=actor.address)
    return user


def confirm_password(*, actor: Actor, password: str) -> User:
    """The actor's account, once they have shown that it is them. Raises WrongPassword, TooManyTries."""
    assert actor.user is not None
    user = User.objects.select_related("owner").get(pk=actor.user.pk)
    ladders = [(PROOF, str(user.pk))]
    _count(ladders, place=actor.address)
    if not user.check_password(password):
        raise WrongPassword
    _forget(ladders, place=actor.address)
    return user


@transaction.atomic(savepoint=False)
def forget_failures(user: User) -> None:
    """Begin to count from nothing: somebody has shown in another way that the account is theirs."""
    for ladder, key in [
        (SIGN_IN_LOGIN, fold_login(user.skype_name)),
        (SIGN_IN_LOGIN, fold_login(user.email)),
        (SIGN_IN_ACCOUNT, f"account {user.pk}"),
        (PROOF, str(user.pk)),
    ]:
        forget_tries(ladder, key)


def refuse_wait(wait: Wait) -> None:
    """Raise TooManyTries, or LockedOut where waiting doesn't help."""
    raise (LockedOut if wait.for_good else TooManyTries)(seconds=wait.seconds)


def _ladders(login: str, meant: User | None, browser: KnownBrowser) -> list[tuple[Ladder, str]]:
    if meant is not None and browser.knows(meant):
        # Two of them here too, so that each sign-in costs the same statements.
        key = f"{browser.mark} {meant.pk}"
        return [(SIGN_IN_BROWSER, key), (SIGN_IN_BROWSER, f"account {key}")]
    account = f"account {meant.pk}" if meant is not None else f"nobody {fold_login(login)}"
    return [(SIGN_IN_LOGIN, fold_login(login)), (SIGN_IN_ACCOUNT, account)]


def _count(ladders: list[tuple[Ladder, str]], *, place: str) -> bool:
    """Count a try; gives whether one of the other ladders than the first says no. Raises TooManyTries for the rest."""
    # The refusal comes after commit: a try that is refused stays counted.
    within, waits = _count_everywhere(ladders, place=place)
    if not within:
        raise TooManyTries(seconds=SIGN_IN_PLACE.minutes * 60)
    first, *others = waits
    if first is not None:
        refuse_wait(first)
    return any(others)


@transaction.atomic(savepoint=False)
def _count_everywhere(ladders: list[tuple[Ladder, str]], *, place: str) -> tuple[bool, list[Wait | None]]:
    if not count_try(SIGN_IN_PLACE, place):
        return False, []
    waits: list[Wait | None] = []
    for ladder, key in ladders:
        waits.append(climb(ladder, key))
        # What isn't compared is no failure of the account.
        if waits[-1] is not None:
            break
    return True, waits


@transaction.atomic(savepoint=False)
def _forget(ladders: list[tuple[Ladder, str]], *, place: str) -> None:
    # In the order in which they are counted, or two sign-ins would wait for each other.
    take_back_try(SIGN_IN_PLACE, place)
    for ladder, key in ladders:
        forget_tries(ladder, key)


def fold_login(login: str) -> str:
    """What spellings of one login share."""
    return login.strip().lower()
