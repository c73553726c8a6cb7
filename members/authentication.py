from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from members.addresses import AddressProblem, normalize_address, same_address_key
from members.factors import has_second_factor
from members.models import Member, User


class SkypeNameBackend(BaseBackend):
    """Signs people in by Skype Name, or by an e-mail address that only one account has."""

    def authenticate(
        self, request: HttpRequest | None, login: str = "", password: str = "", **credentials: Any
    ) -> User | None:
        user = find_by_login(login)
        if user is None:
            # As much work as for a known name, so that time tells nothing (decision 9).
            User().set_password(password)
            return None
        return user if user.check_password(password) and user.is_active else None

    def get_user(self, user_id: int) -> User | None:
        return User.objects.select_related("owner").filter(pk=user_id, is_active=True).first()


def accounts_by_address(address: str) -> QuerySet[User]:
    """The accounts that sign in with an e-mail address, by Skype Name.

    One without a password can't sign in, so an invitation to an address takes nothing from its owner.
    """
    try:
        address = normalize_address(address)
    except AddressProblem:
        return User.objects.none()
    return (
        User.objects.alias(folded=Lower("email"))
        .filter(folded=same_address_key(address), is_active=True)
        .exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)
        .order_by("skype_name")
    )


def accounts_by_login(login: str) -> QuerySet[User]:
    """The accounts that somebody may mean who typed ``login``: of that Skype Name, or of that address."""
    if "@" in login:
        return accounts_by_address(login)
    return User.objects.named(login.strip())


def find_by_login(login: str) -> User | None:
    """The account of a Skype Name, or of an address that no other account has."""
    found = list(accounts_by_login(login)[:2])
    return found[0] if len(found) == 1 else None


def resettable(users: QuerySet[User]) -> QuerySet[User]:
    """Those of ``users`` who may choose a new password by a letter.

    Never an invited business account: only its invitation opens it (decision 6).
    """
    joined = Member.objects.filter(user=OuterRef("pk"), organization=OuterRef("owner"), state=Member.State.ACTIVE)
    return users.filter(Q(kind=User.Kind.PERSONAL) | Exists(joined), is_active=True, erased_at=None)


class LengthValidator:
    """Long enough to be the only factor, or one of two; short enough to be hashed (decision 10)."""

    def __init__(self, minimum: int, with_factor: int, maximum: int) -> None:
        self.minimum = minimum
        self.with_factor = with_factor
        self.maximum = maximum

    def validate(self, password: str, user: User | None = None) -> None:
        if len(password) > self.maximum:
            raise ValidationError(
                ngettext_lazy(
                    "This password is too long. It may have %(maximum)d character.",
                    "This password is too long. It may have %(maximum)d characters.",
                    self.maximum,
                ),
                code="password_too_long",
                params={"maximum": self.maximum},
            )
        minimum = self.with_factor if user is not None and user.pk and has_second_factor(user) else self.minimum
        if len(password) < minimum:
            raise ValidationError(
                ngettext_lazy(
                    "This password is too short. It must have at least %(minimum)d character.",
                    "This password is too short. It must have at least %(minimum)d characters.",
                    minimum,
                ),
                code="password_too_short",
                params={"minimum": minimum},
            )

    def get_help_text(self) -> str:
        text = _("At least {minimum} characters. Three or four words that only you would put together are good.")
        return str(text).format(minimum=self.minimum)
