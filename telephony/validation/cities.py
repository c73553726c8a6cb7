"""The city that was typed beside those that its postal code belongs to."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from members.folding import fold

from .address import Draft, KnownCity

# How alike two names must be for one to be taken for a slip of the other (design §4).
ALIKE = 0.85
_SHORT = {"st": "saint", "ste": "sainte", "ft": "fort", "mt": "mount"}
_SMALL = frozenset(
    {"and", "au", "aux", "d", "de", "des", "du", "en", "et", "l", "la", "le", "les", "lez", "of", "sous", "sur", "the"}
)
_WORD = re.compile(r"[^\W\d_]+", re.UNICODE)


def key_of(name: str) -> str:
    """A name as two ways of writing it are the same: "St. Louis" and "SAINT LOUIS" both give "saintlouis"."""
    words = re.findall(r"[^\W_]+", fold(name))
    return "".join(_SHORT.get(word, word) for word in words)


def likeness(one: str, other: str) -> float:
    """How alike two names are, from 0 to 1, without case, accents and punctuation."""
    one, other = key_of(one), key_of(other)
    # It depends on which comes first, so that the better of the two counts.
    return max(SequenceMatcher(None, one, other).ratio(), SequenceMatcher(None, other, one).ratio())


def proper(name: str) -> str:
    """A name in capitals or in small letters, as it is written: "ISSY LES MOULINEAUX" gives "Issy les Moulineaux"."""
    words = 0

    def write(found: re.Match[str]) -> str:
        nonlocal words
        words += 1
        word = found[0].lower()
        return word if words > 1 and word in _SMALL else word.capitalize()

    return _WORD.sub(write, name)


def has_one_case(name: str) -> bool:
    return name.islower() or (name.isupper() and len(name) > 1)


def check_city(draft: Draft, known: Sequence[KnownCity]) -> None:
    """Compare the city with those of its postal code: right, corrected, or a warning while what was typed stays."""
    typed = draft.now.city
    if not typed or not known:
        return
    names = [city.name for city in known if city.use != "alias"]
    found = next((city.name for city in known if key_of(city.name) == key_of(typed) and city.use != "alias"), None)
    if found is not None:
        _choose(draft, _as_written(typed, found))
        return
    main = next((city.name for city in known if city.use == "main"), names[0])
    if any(city.use == "alias" and key_of(city.name) == key_of(typed) for city in known):
        _choose(draft, _shown(main))
        return
    best = max(names, key=lambda name: likeness(typed, name))
    if likeness(typed, best) >= ALIKE:
        _choose(draft, _shown(best))
    else:
        shown = list(dict.fromkeys(_shown(city.name) for city in known if city.use == "main"))[:5]
        draft.warn("city", "city_of_code", code=draft.now.postal_code, cities=", ".join(shown), suggestions=shown)


def _choose(draft: Draft, name: str) -> None:
    typed = draft.now.city
    if name != typed and "city" in draft.keep:
        draft.warn("city", "kept", suggested=name, suggestions=[name])
        return
    draft.set("city", name)
    draft.ok("city")


def _shown(name: str) -> str:
    return proper(name) if has_one_case(name) else name


def _as_written(typed: str, known: str) -> str:
    """The name as it was typed, unless that lacks its capitals, or accents that are known."""
    same = typed.casefold() == known.casefold()
    if not same and not known.isascii():
        return _shown(known)
    if same and not has_one_case(known):
        return known
    return proper(typed) if has_one_case(typed) else typed
