"""What the characters of a text are: those nobody sees, those that do harm, those that belong together to one."""

import re
import unicodedata
from collections.abc import Iterator

# White space people type or paste. The strip() of Python also takes some controls away, which are to be refused.
WHITE_SPACE = " \t\n\r\u00a0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))

# C0 and C1; separators of lines and paragraphs; halves of characters; what Unicode promises never to assign, or
# keeps for control (tags among it). The selectors of variants, U+E0100 and on, belong to Japanese names.
_NEVER = "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))
CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u2065\ud800-\udfff\ufdd0-\ufdef\ufff0-\ufff8"
    f"{_NEVER}\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
)
DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
# What no name needs and nobody sees. Not white space, not joiners, not the selectors of variants.
_NEEDLESS = "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2060-\u2064\u206a-\u206f\u3164\ufeff"
UNSEEN = re.compile(f"[{_NEEDLESS}\uffa0\ufff9-\ufffc\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a]+")
# Joiners mean something in Indic and Arabic script and between emoji, but nothing beside a Latin letter or digit.
_NEEDLESS_JOINER = re.compile("(?<=[ -\u024f])[\u200c\u200d]+|[\u200c\u200d]+(?=[ -\u024f])")
JOINERS = "\u200c\u200d"
SELECTORS = "\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"
# In an address none of them has a place.
HIDDEN = re.compile(f"{CONTROL.pattern}|{DIRECTION.pattern}|{UNSEEN.pattern}|[{JOINERS}{SELECTORS}\u2800]")
REPLACEMENT = "\ufffd"


def trim(text: str) -> str:
    """``text`` without the white space around it; controls, unlike with ``str.strip``, stay to be refused."""
    return text.strip(WHITE_SPACE)


def drop_unseen(text: str) -> str:
    """``text`` without characters that nobody sees and no name needs."""
    return _NEEDLESS_JOINER.sub("", UNSEEN.sub("", text)).strip(WHITE_SPACE + JOINERS)


def is_seen(text: str) -> bool:
    """Whether ``text`` has a letter, digit, sign or symbol that stands by itself; marks alone have no bearer."""
    return any(
        unicodedata.category(character)[0] in "LNPS" and character != "\u2800" for character in UNSEEN.sub("", text)
    )


def storable(text: str) -> str:
    """``text`` as a database can hold it, with � for NUL and for halves of characters."""
    return re.sub("[\x00\ud800-\udfff]", REPLACEMENT, text)


def printable(text: str) -> str:
    """``text`` as it may stand in a log or on a terminal: whatever could act there is shown by its number."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def code_point(character: str) -> str:
    """ "U+202E" for the character of that number."""
    return f"U+{ord(character):04X}"


def graphemes(text: str) -> Iterator[str]:
    """What people take for single characters: a letter with its marks, a family of emoji, a flag.

    Close to the rule of Unicode (UAX 29), without its tables.
    """
    start = 0
    for at in range(1, len(text)):
        if not _belongs(text[at - 1], text[at], flags=_flags_before(text, at, start)):
            yield text[start:at]
            start = at
    if text:
        yield text[start:]


def count_graphemes(text: str) -> int:
    """How many characters people count in ``text``."""
    return len(text) if text.isascii() else sum(1 for _one in graphemes(text))


def _belongs(before: str, character: str, *, flags: int) -> bool:
    if character.isascii():
        return before == "\r" and character == "\n"
    if unicodedata.category(character) in ("Mn", "Mc", "Me") or character in JOINERS:
        return True
    if "\U0001f3fb" <= character <= "\U0001f3ff":
        return True
    if before == "\u200d":
        return unicodedata.category(character) == "So"
    if _is_flag_letter(character):
        return flags % 2 == 1
    # Vowels and finals of Korean that are written apart.
    return "\u1160" <= character <= "\u11ff" and ("\u1100" <= before <= "\u11ff" or "\uac00" <= before <= "\ud7a3")


def _flags_before(text: str, at: int, start: int) -> int:
    return sum(map(_is_flag_letter, text[start:at])) if _is_flag_letter(text[at]) else 0


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
