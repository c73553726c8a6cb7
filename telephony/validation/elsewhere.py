"""Great Britain, Sweden, and the form of postal codes where nothing else is known."""

import re
from collections.abc import Sequence

from .address import Check, Draft, KnownCity
from .cities import check_city

# Where a code of so many characters is written with a sign before the last of them.
_SPACED = {"GB": (" ", 3), "CA": (" ", 3), "IE": (" ", 4), "NL": (" ", 2), "SE": (" ", 2), "JP": ("-", 4)}
_SPACED |= {"PL": ("-", 3), "PT": ("-", 3), "BR": ("-", 3), "GG": (" ", 3), "JE": (" ", 3), "IM": (" ", 3)}
_LENGTHS = {"GB": range(5, 8), "CA": [6], "IE": [7], "NL": [6], "SE": [5], "JP": [7], "PL": [5], "PT": [7], "BR": [8]}
_LENGTHS |= {"GG": range(5, 8), "JE": range(5, 8), "IM": range(5, 8)}
# Their codes begin with letters of their own.
_LETTERS_FIRST = frozenset({"GB", "CA", "IE", "NL", "GG", "JE", "IM"})
_GB_AREA = re.compile(r"^[A-Z]{1,2}(?=\d)")


def tidy_postal_code(draft: Draft) -> None:
    """In capitals, without the letters of the country before it, and spaced as it is written there."""
    country, code = draft.now.country, draft.now.postal_code.upper()
    plain = re.sub(r"[\s.-]", "", code)
    found = re.match(r"^([A-Z]{1,2})(\d+)$", plain)
    if found and found[1] in {country, country[:1]} and country not in _LETTERS_FIRST:
        plain = code = found[2]
    sign, tail = _SPACED.get(country, ("", 0))
    if tail and len(plain) in _LENGTHS[country]:
        code = f"{plain[:-tail]}{sign}{plain[-tail:]}"
    draft.set("postal_code", code)


def area_of(code: str) -> str:
    """The letters that a British postcode begins with: "SW" of "SW1A 2AA"."""
    found = _GB_AREA.match(code)
    return found[0] if found else ""


def check_british(draft: Draft, known: Sequence[KnownCity]) -> None:
    """Its form says all there is: a city may be any of those around."""
    if draft.now.postal_code:
        draft.ok("postal_code")


def check_swedish(draft: Draft, known: Sequence[KnownCity]) -> None:
    """Each code has one city."""
    if draft.checks.get("postal_code") == Check.INVALID or not draft.now.postal_code:
        return
    if known:
        draft.ok("postal_code")
        check_city(draft, known)
