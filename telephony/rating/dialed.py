"""What was called, from how a telephone system writes it."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

# What stands around a number: sip:+33199004510@trunk;user=phone, tel:+33199004510
_SCHEME = re.compile(r"(?:sips?|tel):", re.IGNORECASE)
_AROUND = re.compile(r"[@;].*", re.DOTALL)
_SHAPE = re.compile(r"\+?[\d\s().\-‐‑–/]*\d[\d\s().\-‐‑–/]*")
_MOST_DIGITS = 15
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
# Shorter ones are of one network alone.
_FEWEST_DIGITS = 7


class Kind(StrEnum):
    NUMBER = "number"
    EMERGENCY = "emergency"
    SHORT = "short"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Called:
    """``digits`` are those of a number in E.164, without +; of all else they are "" ."""

    kind: Kind
    digits: str = ""


def read_called(text: str, *, country: str) -> Called:
    """What somebody called from ``country`` (two letters, where the number that called is from).

    With +, or with what is dialed there before a country, it is a number of the world; otherwise one of ``country``, or
    else one with its country and no +, as many exchanges write it. It need not be a number that anybody has: whoever
    was connected is charged for. Names, extensions and codes as *43 are unreadable.
    """
    if _E164.fullmatch(text):
        # Most are, of those that come by the million.
        return Called(Kind.NUMBER, text[1:])
    written = "".join(
        str(unicodedata.decimal(character)) if character.isdecimal() else character for character in _bare(text)
    )
    if not _SHAPE.fullmatch(written):
        return Called(Kind.UNREADABLE)
    digits = re.sub(r"\D", "", written)
    if written.startswith("+"):
        return _international(digits)
    if phonenumbers.is_emergency_number(digits, country):
        return Called(Kind.EMERGENCY)
    return _national(digits, country)


def _bare(text: str) -> str:
    """A text without what stands around the number, and without what can't be seen."""
    seen = "".join(character for character in text if unicodedata.category(character) not in {"Cf", "Cc"})
    return _AROUND.sub("", _SCHEME.sub("", seen.strip(), count=1)).replace("＋", "+").strip()


def _national(digits: str, country: str) -> Called:
    try:
        parsed = phonenumbers.parse(digits, country)
    except NumberParseException:
        parsed = None
    if parsed is not None and phonenumbers.is_valid_number(parsed):
        return _e164(parsed)
    if _is_short(digits, country):
        return Called(Kind.SHORT)
    with_country = _international(digits)
    if with_country.kind == Kind.NUMBER and phonenumbers.is_valid_number(phonenumbers.parse(f"+{digits}")):
        return with_country
    if parsed is not None and phonenumbers.is_possible_number(parsed):
        return _e164(parsed)
    return with_country


def _is_short(digits: str, country: str) -> bool:
    code = phonenumbers.country_code_for_region(country)
    number = phonenumbers.PhoneNumber(country_code=code, national_number=int(digits))
    return len(digits) < _FEWEST_DIGITS and phonenumbers.is_possible_short_number_for_region(number, country)


def _international(digits: str) -> Called:
    if digits.startswith("0") or not _FEWEST_DIGITS <= len(digits) <= _MOST_DIGITS:
        return Called(Kind.UNREADABLE)
    return Called(Kind.NUMBER, digits)


def _e164(parsed: phonenumbers.PhoneNumber) -> Called:
    return _international(phonenumbers.format_number(parsed, PhoneNumberFormat.E164)[1:])
