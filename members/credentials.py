"""Comparing passwords, with every try counted before the work. Called outside of transactions: hashing is slow."""

from django.contrib.auth import authenticate
from django.db import transaction

from members.access import Actor
from members.errors import TooManyTries, WrongPassword
from members.models import User
from members.throttle import SIGN_IN, SIGN_IN_ACCOUNT, SIGN_IN_PLACE, count_try, forget_tries, take_back_try


def open_account(*, actor: Actor, login: str, password: str) -> User | None:
    """The account that ``login`` and ``password`` open, or None. Raises TooManyTries before anything is compared."""
    _count(login=login, place=actor.address)
    user = authenticate(login=login, password=password)
    if not isinstance(user, User):
        return None
    _forget(login=login, place=actor.address)
    return user


def confirm_password(*, actor: Actor, password: str) -> User:
    """The actor's account, once they have shown that it is them. Raises WrongPassword, TooManyTries."""
    assert actor.user is not None
    user = User.objects.select_related("owner").get(pk=actor.user.pk)
    _count(login=user.skype_name, place=actor.address)
    if not user.check_password(password):
        raise WrongPassword
    _forget(login=user.skype_name, place=actor.address)
    return user


def _count(*, login: str, place: str) -> None:
    # The refusal comes after commit: a try that is refused stays counted.
    over = _count_everywhere(login=login, place=place)
    if over:
        raise TooManyTries(minutes=max(over))


@transaction.atomic(savepoint=False)
def _count_everywhere(*, login: str, place: str) -> list[int]:
    name = fold_login(login)
    counted = [(SIGN_IN, f"{name} {place}"), (SIGN_IN_ACCOUNT, name), (SIGN_IN_PLACE, place)]
    return [limit.minutes for limit, key in counted if not count_try(limit, key)]


@transaction.atomic(savepoint=False)
def _forget(*, login: str, place: str) -> None:
    forget_tries(SIGN_IN, f"{fold_login(login)} {place}")
    forget_tries(SIGN_IN_ACCOUNT, fold_login(login))
    take_back_try(SIGN_IN_PLACE, place)


def fold_login(login: str) -> str:
    """What spellings of one login share."""
    return login.strip().lower()
