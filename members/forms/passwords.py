"""Fields and forms in which a password is chosen. A password is kept as it was typed, spaces and all."""

import re
from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.core.exceptions import ValidationError
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from members.models import User
from members.names import fold

# More is refused before anything is hashed: a megabyte of password is an attack.
LONGEST_PASSWORD = 256


class NewPasswordField(forms.CharField):
    """A password to be chosen; ``check_new_password`` judges it once it is known whose it will be."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Choose a password"))
        super().__init__(
            max_length=LONGEST_PASSWORD,
            error_messages={"max_length": _("This password is too long. It may have 256 characters.")},
            strip=False,
            widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
            help_text=lazy(_first_help_text, str)(),
            **kwargs,
        )


class PresentPasswordField(forms.CharField):
    """A password that exists, to be compared."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=LONGEST_PASSWORD,
            strip=False,
            widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
            **kwargs,
        )


def _first_help_text() -> str:
    return password_validators_help_texts()[0]


def check_new_password(form: forms.Form, field: str, person: User, *, company: str = "") -> None:
    """Put next to ``field`` every reason why ``person``, of ``company``, can't have the password typed there."""
    password = form.cleaned_data.get(field)
    if not password:
        return
    try:
        validate_password(password, person)
    except ValidationError as error:
        form.add_error(field, error)
    known = [person.first_name, person.last_name, person.skype_name, person.email, company]
    if _is_little_more_than(known, password):
        form.add_error(field, _("This password is little more than your name, your address or the company’s name."))


def _is_little_more_than(known: list[str], password: str) -> bool:
    """Whether fewer than eight letters and digits are left of ``password`` without the words everybody knows."""
    words = {word for text in known for word in re.findall(r"[^\W_]{3,}", fold(text))}
    rest = whole = "".join(re.findall(r"[^\W_]+", fold(password)))
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, " ")
    return rest != whole and len(rest.replace(" ", "")) < 8
