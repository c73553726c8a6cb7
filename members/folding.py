"""Text as it is searched, compared and sorted. Computed here, so that it is the same on every database."""

import re
import unicodedata
from collections.abc import Iterable

# Accents of Latin, Greek and Cyrillic, points of Hebrew and Arabic, and characters that can't be seen. Vowel
# signs of other scripts stay: without them another word would be left.
_MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
    "\ufe00-\ufe0f\ufe20-\ufe2f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]+"
)
# Letters that Unicode does not decompose, and the marks people type in several ways.
_LETTERS = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ħ": "h", "ı": "i", "ŋ": "n", "ŧ": "t"}
    | dict.fromkeys("’‘ʼʹ′´`", "'")
    | dict.fromkeys("“”„«»", '"')
    | dict.fromkeys("‐‑‒–—−", "-")
)
_DROPPED = re.compile(r"['\".]+")
_BETWEEN_WORDS = re.compile(r"[\x00-\x20!-/:-@\[-`{-\xa9\xab-\xb4\xb6-\xb9\xbb-\xbf\u2010-\u205e\u3000-\u303f]+")

# Swedish sorts å ä ö after z, and the letters of its neighbors with them. They travel through folding as
# private characters and become the three that follow z in ASCII.
_SWEDISH = str.maketrans({"å": "\ue001", "ä": "\ue002", "æ": "\ue002", "ö": "\ue003", "ø": "\ue003", "ü": "y"})
_AFTER_Z = str.maketrans({"\ue001": "{", "\ue002": "|", "\ue003": "}"})
_BEHIND_Z = str.maketrans({"{": "å", "|": "ä", "}": "ö"})

# Both sort below the space, so that "Berg" comes before "Berg Anna"; a department's children come before the
# sibling whose name differs from it by an accent alone.
_LEVEL = "\x01"
_ACCENTS = "\x02"
# After every letter of ours.
_NO_LETTERS = "~"


def fold(text: str) -> str:
    """``text`` without case, accents and invisible characters, white space single: "Åsa  ØRN" gives "asa orn"."""
    if text.isascii():
        return " ".join(text.lower().split())
    decomposed = unicodedata.normalize("NFKD", text.casefold()).casefold()
    return " ".join(unicodedata.normalize("NFC", _MARKS.sub("", decomposed)).translate(_LETTERS).split())


def search_text(*parts: str, max_length: int = 600) -> str:
    """Everything a person can be found by, folded and joined by spaces, at most ``max_length`` characters."""
    return " ".join(folded for part in parts if (folded := fold(part)))[:max_length]


def sort_key(name: str, language: str, *, max_length: int = 600) -> str:
    """A key that sorts ``name`` as ``language`` does when keys are compared by code point.

    Letters decide first, without case, accents and punctuation; accents decide between names that are alike
    otherwise. In Swedish å, ä and ö are letters of their own, after z. A name without letters comes late.
    """
    composed = unicodedata.normalize("NFC", name).casefold().strip()
    swedish = language.partition("-")[0] == "sv"
    letters = fold(composed.translate(_SWEDISH) if swedish and not composed.isascii() else composed)
    letters = _BETWEEN_WORDS.sub(" ", _DROPPED.sub("", letters)).strip()
    if swedish:
        letters = letters.translate(_AFTER_Z)
    if not letters:
        return f"{_NO_LETTERS}{composed}"[:max_length]
    return letters[:max_length] if letters == composed else f"{letters}{_ACCENTS}{composed}"[:max_length]


def letter_of(key: str, language: str) -> str:
    """The letter under which a directory has a name with this sort key: "É" is under "E"; "" without any letter."""
    first = key[:1]
    if first == _NO_LETTERS:
        return ""
    return (first.translate(_BEHIND_Z) if language.partition("-")[0] == "sv" else first).upper()


def path_sort_key(names: Iterable[str], language: str, *, max_length: int = 1400) -> str:
    """A key that sorts a tree of names, given from the top: what lies under a name follows it directly."""
    return _LEVEL.join(sort_key(name, language, max_length=max_length) for name in names)[:max_length]
