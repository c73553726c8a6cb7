from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from members.models import User


class SkypeNameBackend(BaseBackend):
    """Signs people in by Skype Name, or by an e-mail address that only one account has."""

    def authenticate(
        self, request: HttpRequest | None, login: str = "", password: str = "", **credentials: Any
    ) -> User | None:
        user = find_by_login(login)
        if user is None:
            # As much work as for a known name, so that time tells nothing (reliability.md D17).
            User().set_password(password)
            return None
        return user if user.check_password(password) and user.is_active else None

    def get_user(self, user_id: int) -> User | None:
        return User.objects.select_related("owner").filter(pk=user_id, is_active=True).first()


def accounts_by_address(address: str) -> list[User]:
    """The accounts of an e-mail address that may sign in, by Skype Name."""
    return list(User.objects.filter(email__iexact=address, is_active=True).order_by("skype_name")[:50])


def find_by_login(login: str) -> User | None:
    """The account of a Skype Name, or of an address that no other account has."""
    if "@" not in login:
        return User.objects.filter(skype_name__iexact=login).first()
    found = accounts_by_address(login)
    return found[0] if len(found) == 1 else None


class LengthValidator:
    """Long enough to be a password's only factor, short enough to be hashed (reliability.md §1.4)."""

    def __init__(self, minimum: int, maximum: int) -> None:
        self.minimum = minimum
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
        if len(password) < self.minimum:
            raise ValidationError(
                ngettext_lazy(
                    "This password is too short. It must have at least %(minimum)d character.",
                    "This password is too short. It must have at least %(minimum)d characters.",
                    self.minimum,
                ),
                code="password_too_short",
                params={"minimum": self.minimum},
            )

    def get_help_text(self) -> str:
        text = _("At least {minimum} characters. Three or four words that only you would put together are good.")
        return str(text).format(minimum=self.minimum)
