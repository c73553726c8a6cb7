"""Operators: personal accounts that run the installation."""

from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from members.access import Actor, Capability
from members.errors import NoSuchAccount, SkypeNameTaken
from members.models import User
from members.skype_names import free_skype_name


@transaction.atomic(durable=True)
def appoint_operator(*, actor: Actor, skype_name: str) -> User:
    """Let an existing personal account run the installation. Raises NoSuchAccount."""
    _require_operator(actor)
    user = (
        User.objects.named(skype_name)
        .select_for_update(no_key=True)
        .filter(kind=User.Kind.PERSONAL, is_active=True)
        .order_by("pk")
        .first()
    )
    if user is None:
        raise NoSuchAccount(skype_name=skype_name)
    user.is_operator = True
    user.save(update_fields=["is_operator"])
    return user


def create_operator(
    *, actor: Actor, skype_name: str, email: str, first_name: str, last_name: str, password: str
) -> User:
    """Make a personal account that runs the installation.

    Its address counts as verified: whoever has the machine vouches for it. Raises SkypeNameTaken.
    """
    _require_operator(actor)
    account = User(
        skype_name=skype_name,
        email=email,
        email_verified_at=timezone.now(),
        first_name=first_name,
        last_name=last_name,
        kind=User.Kind.PERSONAL,
        is_operator=True,
        password=make_password(password),
    )
    try:
        _save_account(account)
    except IntegrityError:
        # By whoever was quicker, if this is the reason.
        _refuse_taken(skype_name)
        raise
    return account


@transaction.atomic(durable=True)
def _save_account(account: User) -> None:
    _refuse_taken(account.skype_name)
    account.save()


def _refuse_taken(skype_name: str) -> None:
    if User.objects.named(skype_name).exists():
        raise SkypeNameTaken(skype_name=skype_name, free=free_skype_name(skype_name))


@transaction.atomic(durable=True)
def dismiss_operator(*, actor: Actor, skype_name: str) -> User:
    """Take the right to run the installation from an account. Raises NoSuchAccount when it has none."""
    _require_operator(actor)
    # Asked of the row once it is ours: somebody may be appointing them at this moment.
    user = User.objects.named(skype_name).select_for_update(no_key=True).order_by("pk").first()
    if user is None or not user.is_operator:
        raise NoSuchAccount(skype_name=skype_name)
    user.is_operator = False
    user.save(update_fields=["is_operator"])
    return user


def _require_operator(actor: Actor) -> None:
    if not actor.can(Capability.RUN_INSTALLATION):
        raise PermissionDenied
