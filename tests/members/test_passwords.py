"""What may be chosen as a password: long, not known to everybody, and kept as it was typed (decision 10)."""

import pytest
from django.contrib.auth.hashers import check_password

from members.forms.accounts import ResetPasswordForm
from members.models import User
from tests.factories import AuthenticatorAppFactory, MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db

SHORT, LONG = "too short", "too long"
USUAL, COMMON, DIGITS, ALIKE = "little more than", "too common", "entirely numeric", "too similar"
KNOWN = {"first_name": "Élodie", "last_name": "Garnier", "email": "elodie.garnier@quai-neuf.example"}

GOOD = [
    "neuf lanternes sur le canal",
    "correct horse battery staple",
    "fifteen letters",
    " leading space kept ",
    "trailing space kept ",
    "tab\tin\tthe\tmiddle\t",
    "sju gröna kaniner",
    "двенадцать зелёных лун",
    "緑の月が十二個あるのはなぜだろう",
    "قمر أخضر فوق القناة الطويلة",
    "🦊🌙🛶🏮🧵🪁🦉🌧️🪵🧭🪞🎏🦑🧊🪴",
    "e\u0301tincelles du phare",
    "zwölf Böxkämpfer jagen",
    "no upper no digit no sign",
    "NO LOWER NO DIGIT",
    "8372 0193 5528 x",
    "'; DROP TABLE users; --",
    '"><svg/onload=alert(1)>',
    "{{7*7}}{% debug %}abc",
    "%s%s%s%n%n%n%x%x%x",
    "../../../etc/passwd-and-more",
    "=HYPERLINK(canal,lune)",
    "\\\\backslashes\\\\everywhere",
    "a" + "b c d e f g h i j k" * 3,
    "w" + "xyz" * 21,
    "seven otters " * 9,
    "x" * 30 + "y" * 34,
    "l’étoile du berger",
    "purple\u00a0lanterns\u00a0drift",
    "old pond frog leaps in splash",
    "Elodie paints seven quiet boats",
    "my garnier cousin sails boats",
    "Ateliers du Quai flood gate nine",
]
BAD = [
    ("x", SHORT),
    ("fourteen chars", SHORT),
    ("🦊" * 14, SHORT),
    ("e\u0301" * 7, SHORT),
    ("Tr0ub4dor&3", SHORT),
    ("Passwort123!", SHORT),
    ("              ", SHORT),
    ("a" * 257, LONG),
    ("neuf lanternes " * 20, LONG),
    ("🏮" * 257, LONG),
    ("123456789012345", DIGITS),
    ("000000000000000", DIGITS),
    ("٠١٢٣٤٥٦٧٨٩٠١٢٣٤", DIGITS),
    ("passwordpassword", USUAL),
    ("PasswordPassword1!", USUAL),
    ("password12345678", USUAL),
    ("Passwort123!Passwort123!", USUAL),
    ("motdepassemotdepasse", USUAL),
    ("lösenordlösenord", USUAL),
    ("qwertyuiopasdfghjkl", USUAL),
    ("azertyazertyazerty", USUAL),
    ("welcome welcome welcome", USUAL),
    ("Skype Manager 2026!", USUAL),
    ("skypemgrskypemgr", USUAL),
    ("Bienvenue2026 Bienvenue", USUAL),
    ("sommarsommarsommar", USUAL),
    ("Élodie Garnier 1990", USUAL),
    ("elodieelodieelodie", USUAL),
    ("GARNIER-GARNIER-7", USUAL),
    ("elodie.garnier@quai-neuf.example", ALIKE),
    ("elodie.garnier.1", USUAL),
    ("Ateliers du Quai", USUAL),
    ("ateliersduquai75", USUAL),
    ("1q2w3e4r5t6y7u8i9o0p", COMMON),
]


@pytest.fixture
def elodie() -> User:
    organization = OrganizationFactory(name="Ateliers du Quai")
    facts = {f"user__{name}": value for name, value in KNOWN.items()}
    return MemberFactory(organization=organization, user__skype_name="elodie.garnier", **facts).user


def reasons_against(password: str, person: User) -> str:
    form = ResetPasswordForm({"password": password}, person=person)
    return "" if form.is_valid() else " ".join(form.errors["password"])


@pytest.mark.parametrize("password", GOOD)
def test_a_password_nobody_would_guess_is_taken_and_kept_as_it_was_typed(elodie: User, password: str) -> None:
    form = ResetPasswordForm({"password": password}, person=elodie)

    assert form.is_valid(), form.errors
    assert form.cleaned_data["password"] == password
    elodie.set_password(form.cleaned_data["password"])
    assert check_password(password, elodie.password)
    assert not check_password(password.strip() + "!", elodie.password)


@pytest.mark.parametrize(("password", "reason"), BAD)
def test_a_password_that_could_be_guessed_is_refused_with_the_reason(elodie: User, password: str, reason: str) -> None:
    assert reason in reasons_against(password, elodie)


@pytest.mark.parametrize("password", ["nine ways", "kvm 72 x", "é7 ö8 å9"])
def test_eight_characters_are_enough_beside_a_second_factor(elodie: User, password: str) -> None:
    assert SHORT in reasons_against(password, elodie)

    AuthenticatorAppFactory(user=elodie)

    assert reasons_against(password, elodie) == ""


@pytest.mark.parametrize("password", ["7 chars", "garnier1", "12345678", "password"])
def test_a_second_factor_makes_no_bad_password_good(elodie: User, password: str) -> None:
    AuthenticatorAppFactory(user=elodie)

    assert reasons_against(password, elodie)


def test_a_password_that_holds_a_nul_is_refused(elodie: User) -> None:
    assert reasons_against("neuf lanternes\0 sur le canal", elodie)
