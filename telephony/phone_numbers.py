"""Phone numbers as people and files write them, and as they are kept: in E.164."""

import re
import unicodedata

import phonenumbers
from django.utils.translation import gettext_lazy as _
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from skypemgr.characters import DIRECTION, drop_unseen
from skypemgr.problems import Problem, Texts

TEXTS: Texts = {
    "number_missing": _("The number is missing."),
    "number_unreadable": _("“%(number)s” is not a phone number. Write it as +33 1 99 00 45 10."),
    "number_without_country": _("Write “%(number)s” with its country, as +33 1 99 00 45 10."),
    "number_impossible": _("“%(number)s” is not a number that can be called."),
    "number_elsewhere": _("“%(number)s” is not a number of the country %(country)s."),
    "number_type": _("“%(number)s” is not a number of that type."),
}
# What stands between digits; letters are refused, though some dial by them.
_SHAPE = re.compile(r"[+＋]?[\d\s().\-‐‑–/]+")
TOLL_FREE = PhoneNumberType.TOLL_FREE
# Nobody can be called by these for the usual price.
_NEVER = {PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.PAGER, PhoneNumberType.VOICEMAIL}


class NotANumber(Problem):
    """A text that is no phone number, or not one of the kind that is wanted."""

    texts = TEXTS


def read_phone_number(text: str, *, country: str = "") -> str:
    """A number in E.164, from how somebody wrote it: with its country, or as it is dialed within ``country``.

    What can't be seen is left out, and digits of other scripts are taken. Raises NotANumber: short numbers, those with
    letters or an extension, and those that nobody can have are none.
    """
    return phonenumbers.format_number(_parse(text, country), PhoneNumberFormat.E164)


def check_type(number: str, *, country: str, toll_free: bool) -> None:
    """Raise NotANumber unless a number in E.164 is of a country, and toll-free or not.

    Countries that share a calling code share their numbers.
    """
    parsed = phonenumbers.PhoneNumber()
    code = phonenumbers.country_code_for_region(country)
    if not code or not number.startswith(f"+{code}"):
        raise NotANumber("number_elsewhere", number=number, country=country)
    parsed.country_code, parsed.national_number = code, int(number[1 + len(str(code)) :])
    if number[1 + len(str(code))] == "0":
        parsed = phonenumbers.parse(number)
    kind = phonenumbers.number_type(parsed)
    if kind == PhoneNumberType.UNKNOWN:
        raise NotANumber("number_impossible", number=number)
    if (kind == TOLL_FREE) != toll_free or kind in _NEVER:
        raise NotANumber("number_type", number=number)


def shown_number(number: str) -> str:
    """A number in E.164 as people read it: +33 1 99 00 45 10."""
    try:
        parsed = phonenumbers.parse(number)
    except NumberParseException:
        return number
    return phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL)


def digits_of(text: str) -> str:
    """The digits of what somebody looks for, in ASCII."""
    return "".join(str(unicodedata.digit(character)) for character in text if character.isdigit())


def _parse(text: str, country: str) -> phonenumbers.PhoneNumber:
    if "\r" in text or "\n" in text:
        raise NotANumber("number_unreadable", number=" ".join(text.split()))
    written = drop_unseen(DIRECTION.sub("", text)).strip()
    if not written:
        raise NotANumber("number_missing")
    if not _SHAPE.fullmatch(written):
        raise NotANumber("number_unreadable", number=written)
    if not country and written[0] not in "+＋":
        raise NotANumber("number_without_country", number=written)
    try:
        parsed = phonenumbers.parse(written, country or None)
    except NumberParseException:
        raise NotANumber("number_unreadable", number=written) from None
    if not phonenumbers.is_valid_number(parsed):
        raise NotANumber("number_impossible", number=written)
    return parsed
