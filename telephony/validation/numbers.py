"""The number of a house: in a box of its own, or typed with the street, before it or behind it."""

import re

from .address import Check, Draft

# 12, 12A, 12 bis, 12-14, 12/14, 12 1/2; a letter of its own before the street's name belongs to the name.
_MONTHS = "janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre"
_FIRST = re.compile(
    r"^(\d+(?:\s?[-/]\s?\d+)?(?:[A-Z]\b|\s+(?:bis|ter|quater)\b)?)[\s,]+"
    rf"(?!(?:{_MONTHS})\b)(?=\S*[^\W\d]|\d{{1,3}}\s+[A-Z])(.+)$",
    re.IGNORECASE,
)
_LAST = re.compile(r"^(.*[^\W\d].*?)[\s,]+(\d+(?:\s?[-/]\s?\d+)?\s?[A-Za-z]?)$")
_PARTS = re.compile(r"^(\d[\d\s/-]*?)\s*([A-Za-z]|bis|ter|quater|quinquies|\d/\d)?$", re.IGNORECASE)
# Where the number stands behind the name of the street.
NUMBER_LAST = frozenset({"AT", "BE", "CH", "CZ", "DE", "DK", "ES", "FI", "IT", "NL", "NO", "PL", "PT", "SE", "SK"})
REQUIRED = frozenset({"US", "CA"})
# Streets of one word and a number are numbered streets there, not houses.
_NAMED = frozenset({"highway", "route", "road", "avenue", "street", "state route", "county road", "us", "hwy"})
TYPES_ALONE = frozenset(
    {"st", "street", "ave", "avenue", "rd", "road", "dr", "drive", "ln", "lane", "blvd", "boulevard", "rue", "place"}
    | {"way", "court", "ct", "circle", "terrace", "parkway", "pkwy"}
)


def split_number(draft: Draft) -> None:
    """Move a number that was typed with the street into its own field, or take it away where it stands twice."""
    street, number = draft.now.street, draft.now.house_number
    if not street:
        return
    found = (_LAST if draft.now.country in NUMBER_LAST else _FIRST).match(street)
    if not found:
        return
    rest, typed = (found[1], found[2]) if draft.now.country in NUMBER_LAST else (found[2], found[1])
    rest = rest.strip(" ,")
    if rest.casefold().rstrip(".") in TYPES_ALONE | _NAMED:
        return
    if not number or number.casefold().replace(" ", "") == typed.casefold().replace(" ", ""):
        draft.set("house_number", number or typed)
        draft.set("street", rest)


def check_number(draft: Draft) -> None:
    """Its form; whether the house exists is not known."""
    number = draft.now.house_number
    if draft.checks.get("house_number") == Check.INVALID:
        return
    if not number:
        rural = any(message.code == "rural" for message in draft.messages)
        if draft.now.country in REQUIRED and not rural:
            draft.refuse("house_number", "number_missing")
        elif draft.now.country not in ("GB", "IE"):
            draft.note("house_number", "number_absent")
        return
    if not any(character.isdigit() for character in number):
        if draft.now.country in REQUIRED:
            draft.refuse("house_number", "number_without_digit")
        return
    if not number.strip("0"):
        draft.refuse("house_number", "number_zero")
        return
    if found := _PARTS.match(number):
        draft.parts["house_number_suffix"] = (found[2] or "").lower() if len(found[2] or "") > 1 else found[2] or ""
