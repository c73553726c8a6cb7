"""Fields and forms in which a password is chosen. A password is kept as it was typed, spaces and all."""

import re
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.core.exceptions import ValidationError
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from members.factors import has_second_factor
from members.models import User
from members.names import fold

# More is refused before anything is hashed: a megabyte of password is an attack.
LONGEST_PASSWORD = 256
# What people put into a password who have to make one up: in the languages of the pages, and of keyboards.
OVERUSED = [
    "skype manager skypemgr microsoft office teams telephone",
    "password passphrase passw0rd p4ssword welcome letmein secret admin administrator login changeme master dragon",
    "iloveyou sunshine princess football monkey shadow superman batman summer winter spring autumn monday",
    "motdepasse bienvenue azerty soleil bonjour jetaime doudou hiver printemps automne lundi",
    "losenord valkommen hemligt sommar vinter host fotboll hejsan mandag",
    "passwort willkommen kennwort hallo geheim contrasena senha",
    "qwerty qwertyuiop asdfgh asdfghjkl zxcvbn zxcvbnm qwertz yxcvbnm abcdefgh abcdef",
    "123456789 12345678 1234567 123456 12345 1234 987654321 654321 4321 111111 000000 0987654321",
]


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


def tell_shortest(field: forms.Field, person: User) -> None:
    """Say at ``field`` how short a password may be that ``person`` has a second factor beside."""
    if person.pk and has_second_factor(person):
        text = _("At least {minimum} characters, since you have a second factor beside it.")
        field.help_text = text.format(minimum=settings.SHORTEST_PASSWORD_WITH_FACTOR)


def check_new_password(form: forms.Form, field: str, person: User, *, company: str = "") -> None:
    """Put next to ``field`` every reason why ``person``, of ``company``, can't have the password typed there."""
    password = form.cleaned_data.get(field)
    if not password:
        return
    try:
        validate_password(password, person)
    except ValidationError as error:
        form.add_error(field, error)
    known = [person.first_name, person.last_name, person.skype_name, person.email, company, *OVERUSED]
    if _is_little_more_than(known, password):
        text = _("This password is little more than your name, your address, the company’s name or a usual word.")
        form.add_error(field, text)


def _is_little_more_than(known: list[str], password: str) -> bool:
    """Whether too little is left of ``password`` without the words everybody knows.

    That is fewer than eight letters and digits, or four of a password that a second factor lets be short.
    """
    words = {word for text in known for word in re.findall(r"[^\W_]{3,}", fold(text))}
    rest = whole = "".join(re.findall(r"[^\W_]+", fold(password)))
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, " ")
    enough = 8 if len(password) >= settings.SHORTEST_PASSWORD else 4
    return rest != whole and len(rest.replace(" ", "")) < enough
