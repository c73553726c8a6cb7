"""Names of people, companies and departments, and Skype Names: what is accepted, and what is proposed."""

import re
import unicodedata
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import islice
from typing import Any

from django.utils.translation import gettext_lazy as _

from members.folding import fold, letter_of, path_sort_key, search_text, sort_key
from members.links import find_link
from skypemgr.characters import (
    CONTROL,
    DIRECTION,
    REPLACEMENT,
    code_point,
    count_graphemes,
    drop_unseen,
    graphemes,
    is_seen,
    trim,
)
from skypemgr.problems import Facts, Problem, Texts, tell

__all__ = [
    "NameAllocator",
    "NameProblem",
    "check_company_name",
    "check_department_name",
    "check_job_title",
    "check_person_name",
    "check_skype_name",
    "check_slug",
    "describe",
    "fold",
    "free_names",
    "initials",
    "is_skype_name",
    "letter_of",
    "numbered",
    "path_sort_key",
    "propose_admin_name",
    "propose_skype_name",
    "propose_slug",
    "search_text",
    "sort_key",
    "split_full_name",
    "tidy_name",
]

TEXTS: Texts = {
    "name_missing": _("Enter a name."),
    "name_long": _("Too long: %(length)d characters, and at most %(maximum)d fit."),
    "name_parts": _("Too long: its letters are written in %(length)d parts, and at most %(maximum)d fit."),
    "name_damaged": _("The name holds a character that could not be read (�). Type it again."),
    "name_unseen": _("The name holds no character that can be seen."),
    "name_control": _("The name holds a control character (%(code_point)s). Type it again."),
    "name_direction": _("The name holds a character that turns its direction (%(code_point)s). Type it again."),
    "name_link": _("A name can't hold a web address. Leave out “%(link)s”."),
    "name_lines_joined": _("Written on one line."),
    "name_unseen_removed": _("A character that can't be seen was left out."),
    "slug_missing": _("Enter an address for the console."),
    "slug_long": _("Too long: %(length)d characters, and at most %(maximum)d fit."),
    "slug_characters": _("An address has letters from a to z, digits, and hyphens between them. Leave out the rest."),
    "skype_name_missing": _("Enter a Skype Name."),
    "skype_name_short": _("Too short: a Skype Name has at least 6 characters."),
    "skype_name_long": _("Too long: a Skype Name has at most 32 characters."),
    "skype_name_first": _("A Skype Name begins with a letter from a to z."),
    "skype_name_space": _("A Skype Name holds no spaces."),
    "skype_name_character": _("A Skype Name has letters from a to z, digits and . , _ - but no “%(character)s”."),
    "skype_name_taken": _("Already taken. Free: %(free)s"),
    "skype_name_ascii": _("“%(given)s” made ASCII"),
    "skype_name_changed": _("“%(given)s” holds what a Skype Name can't"),
    "skype_name_completed": _("“%(given)s” completed"),
    "skype_name_shortened": _("“%(given)s” shortened"),
    "skype_name_unusable": _("“%(given)s” can't become a Skype Name, so another is proposed"),
    "skype_name_numbered": _("“%(given)s” is taken, so a number was added"),
}

type Note = dict[str, Any]


def describe(code: str, facts: Facts) -> str:
    """The sentence of a problem or note of this module in the active language."""
    return tell(TEXTS, code, facts)


class NameProblem(Problem):
    """A name that can't be kept as it is."""

    texts = TEXTS


# Names of people, companies and departments

# The column of a name is as wide as it would be if every letter came in this many parts.
PARTS = 4


def tidy_name(
    text: str, *, max_length: int = 100, room: int | None = None, required: bool = False
) -> tuple[str, list[Note]]:
    """``text`` as it is stored (NFC, trimmed, on one line), with notes of what was changed beyond that.

    ``max_length`` counts characters as people do, ``room`` their parts (four to one unless given), as the column
    does. An empty name is fine unless ``required``. Raises NameProblem.
    """
    notes: list[Note] = []
    # Of a huge cell the beginning is enough to refuse it.
    text = trim(text)[:10_000]
    if not text:
        if required:
            raise NameProblem("name_missing")
        return "", notes
    if found := CONTROL.search(text):
        raise NameProblem("name_control", code_point=code_point(found[0]))
    if "\n" in text or "\r" in text:
        notes.append({"code": "name_lines_joined", "facts": {}})
    if not text.isascii():
        text, unseen_removed = _tidy_beyond_ascii(text)
        notes += [{"code": "name_unseen_removed", "facts": {}}] if unseen_removed else []
    text = " ".join(text.split())
    if (length := count_graphemes(text)) > max_length:
        raise NameProblem("name_long", length=length, maximum=max_length)
    if len(text) > (room or PARTS * max_length):
        raise NameProblem("name_parts", length=len(text), maximum=room or PARTS * max_length)
    if link := find_link(text):
        raise NameProblem("name_link", link=link)
    return text, notes


def _tidy_beyond_ascii(text: str) -> tuple[str, bool]:
    if REPLACEMENT in text:
        raise NameProblem("name_damaged")
    if found := DIRECTION.search(text):
        raise NameProblem("name_direction", code_point=code_point(found[0]))
    if not is_seen(text):
        raise NameProblem("name_unseen")
    # A byte order mark that a program left in front is nobody's intention, hence not worth a note.
    text = " ".join(text.lstrip("\ufeff").split())
    seen = drop_unseen(text)
    return unicodedata.normalize("NFC", seen), seen != text


def check_person_name(text: str, max_length: int = 100, *, room: int | None = None, required: bool = False) -> str:
    """``text`` as it is stored; serves companies and departments as well. Raises NameProblem."""
    return tidy_name(text, max_length=max_length, room=room, required=required)[0]


def check_job_title(text: str) -> str:
    """What somebody does, as it is stored; "" for nothing. Raises NameProblem."""
    return check_person_name(text)


def check_company_name(text: str) -> str:
    """The name of a company as it is stored. Raises NameProblem."""
    return check_person_name(text, 200, room=400, required=True)


def check_department_name(text: str) -> str:
    """One name of a path of departments as it is stored; "" for none. Raises NameProblem."""
    return check_person_name(text, 100, room=100)


_PARTICLES = frozenset(
    {"af", "al", "auf", "bin", "da", "dal", "dalla", "de", "del", "della", "den", "der", "des", "di", "do", "dos"}
    | {"du", "el", "ibn", "la", "las", "le", "les", "lo", "los", "op", "ten", "ter", "van", "vom", "von", "zu", "zur"}
)


def split_full_name(full_name: str, *, address: str = "", only_if_clear: bool = False) -> tuple[str, str]:
    """First and last name of a full name, as far as its shape tells.

    "Berg, Anna" says which is which, and so does a last name in capitals ("BERG Anna"). Otherwise the last name
    is the last word with the particles before it ("Ludwig van Beethoven"). Two words are swapped when the
    ``address`` has them the other way round (Outlook's "Berg Anna" at anna.berg@…). A single word is a first
    name. ``only_if_clear`` leaves three words and more without such signs unsplit: ("", "").
    """
    full_name = re.sub(r"[(\[][^()\[\]]*[)\]]", " ", full_name).strip()
    last, comma, first = (part.strip() for part in full_name.partition(","))
    if comma and first and last:
        return first.strip(", "), last
    words = full_name.strip(", ").split()
    if len(words) < 2:
        return " ".join(words), ""
    capitals = [len(word) > 1 and word.isupper() for word in words]
    if any(capitals) and not all(capitals):
        start = capitals.index(True)
        end = start + capitals[start:].index(False) if False in capitals[start:] else len(words)
        if start == 0:
            return " ".join(words[end:]), " ".join(words[:end])
        if end == len(words):
            return " ".join(words[:start]), " ".join(words[start:])
    if len(words) == 2:
        local = re.findall(r"[a-z]+", fold(address.partition("@")[0]))
        if local == [fold(words[1]), fold(words[0])]:
            return words[1], words[0]
        return words[0], words[1]
    particles = [i for i, word in enumerate(words[1:-1], 1) if word.casefold() in _PARTICLES]
    if only_if_clear and not particles:
        return "", ""
    start = particles[0] if particles else len(words) - 1
    return " ".join(words[:start]), " ".join(words[start:])


def initials(name: str) -> str:
    """Two letters that stand for ``name`` in its avatar: "AB" for "Anna Berg", "AR" for "Architectes"."""
    words = [word for word in re.split(r"[\s.,_\-]+", name) if word[:1].isalnum()]
    capitalized = [word for word in words if word[0].isupper()]
    chosen = capitalized if len(capitalized) > 1 or len(words) == 1 else words
    # By characters as people see them: half of an emoji is another one, or none.
    if len(chosen) > 1:
        letters = [next(graphemes(chosen[0])), next(graphemes(chosen[-1]))]
    else:
        letters = list(islice(graphemes(chosen[0] if chosen else name), 2))
    return "".join(next(graphemes(letter.upper())) for letter in letters)


# Skype Names

SHORTEST, LONGEST = 6, 32
_SKYPE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9.,_-]{5,31}", re.ASCII)
_SEPARATORS = ".,_-"


def is_skype_name(text: str) -> bool:
    """Whether ``text`` has the shape of a Skype Name: 6–32 characters, a letter first."""
    return _SKYPE_NAME.fullmatch(text) is not None


def check_skype_name(text: str) -> str:
    """``text`` without white space around it, if it can be a Skype Name. Raises NameProblem."""
    text = trim(text)
    if is_skype_name(text):
        return text
    if not text:
        raise NameProblem("skype_name_missing")
    if wrong := re.search(r"[^A-Za-z0-9.,_-]", text):
        if wrong[0].isspace():
            raise NameProblem("skype_name_space")
        shown = wrong[0] if wrong[0].isprintable() else code_point(wrong[0])
        raise NameProblem("skype_name_character", character=shown)
    if not text[0].isalpha():
        raise NameProblem("skype_name_first")
    raise NameProblem("skype_name_short" if len(text) < SHORTEST else "skype_name_long")


def propose_skype_name(
    *, wanted: str = "", address: str = "", first_name: str = "", last_name: str = "", company: str = ""
) -> tuple[str, list[Note]]:
    """A valid Skype Name for a person, and notes on how it differs from the ``wanted`` one.

    Made from ``wanted`` if that has anything usable, else from the address before its @, else from the name.
    Letters become ASCII, spaces dots; what a Skype Name can't hold is dropped. One led by a digit gets a word in
    front, one too short gets words behind: from the person's name, the company, the domain. Whether it is free
    is the caller's question (NameAllocator).
    """
    wanted = wanted[:500].strip()
    if is_skype_name(wanted):
        return wanted, []
    codes = []
    local, _at, domain = address.partition("@")
    # Directories write CORP\anna and anna@corp.example where they mean anna.
    name = ascii_name = _to_ascii(wanted.rpartition("\\")[2].partition("@")[0])
    if wanted:
        name = _legal(ascii_name)
        if not name or (name != ascii_name and not re.search(r"[A-Za-z]", name)):
            name = ""
            codes.append("skype_name_unusable")
        else:
            codes += ["skype_name_ascii"] if not wanted.isascii() else []
            codes += ["skype_name_changed"] if wanted.isascii() and name != wanted else []
    usable = bool(name)
    name = name or _legal(_to_ascii(local)).lower() or _legal(_to_ascii(f"{first_name}.{last_name}")).lower()

    whole = name
    if len(name) < SHORTEST or not name[0].isalpha():
        parts = [_word(part) for part in (last_name, first_name, company, local, domain)]
        whole = _complete(name, last=parts[0], first=parts[1], others=[*parts[2:], "member"])
    shortened = whole[:LONGEST].rstrip(_SEPARATORS)
    if usable:
        codes += ["skype_name_completed"] if whole != name else []
        codes += ["skype_name_shortened"] if shortened != whole else []
    return shortened, [{"code": code, "facts": {"given": wanted[:80]}} for code in codes]


_ASCII_LETTERS = str.maketrans(
    {"Æ": "AE", "æ": "ae", "Œ": "OE", "œ": "oe", "Ø": "O", "ø": "o", "Đ": "D", "đ": "d", "Ð": "D", "ð": "d", "ß": "ss"}
    | {"ẞ": "SS", "Þ": "Th", "þ": "th", "Ł": "L", "ł": "l", "Ħ": "H", "ħ": "h", "ı": "i", "Ŋ": "N", "ŋ": "n"}
)


def _to_ascii(text: str) -> str:
    if text.isascii():
        return text
    return unicodedata.normalize("NFKD", text.translate(_ASCII_LETTERS)).encode("ascii", "ignore").decode()


_JOINTS = re.compile(r"[\s+/&|]+")
_DROPPED = re.compile(r"[^A-Za-z0-9.,_-]+")
_REPEATED = re.compile(r"([.,_-])[.,_-]+")


def _legal(text: str) -> str:
    """What of ``text`` a Skype Name may hold, without separators at its ends or in a row."""
    text = _DROPPED.sub("", _JOINTS.sub(".", text.strip()))
    return _REPEATED.sub(r"\1", text).strip(_SEPARATORS)


def _word(text: str) -> str:
    """The first word of ``text`` as it can complete a Skype Name, or ""."""
    found = re.search(r"[a-z0-9]{2,}", _to_ascii(text).lower().replace("'", ""))
    return found[0][:20] if found else ""


def _complete(name: str, *, last: str, first: str, others: Sequence[str]) -> str:
    if not name[:1].isalpha():
        words = (word for word in (first, last, *others) if word and word[0].isalpha() and word not in name)
        lead = next(words, "member")
        name = f"{lead}.{name}".strip(_SEPARATORS)
    for word in (last, first, *others):
        if len(name) >= SHORTEST:
            break
        if word and word not in name.lower():
            name = f"{name}.{word}"
    return name


def numbered(name: str, number: int) -> str:
    """``name`` with ``number`` behind it, cut so that it stays a Skype Name: "bjorn.akesson2"."""
    suffix = f".{number}" if name[-1].isdigit() else str(number)
    return f"{name[: LONGEST - len(suffix)]}{suffix}"


class NameAllocator:
    """Gives out Skype Names that are free, for as many people as there are, in few questions.

    ``find_taken`` gets Skype Names in lower case and returns those of them that are in use. What was given out
    once, ``given`` included, is not given out again, so one allocator serves all chunks of a file.
    """

    def __init__(self, find_taken: Callable[[Collection[str]], Iterable[str]], *, given: Iterable[str] = ()) -> None:
        self._find_taken = find_taken
        self._taken: set[str] = {name.lower() for name in given}
        self._next_number: defaultdict[str, int] = defaultdict(lambda: 2)

    def claim(self, proposals: Sequence[str]) -> list[str]:
        """A free name for each of ``proposals``, in their order: itself, or itself with a number behind it.

        Of equal proposals the first keeps it; a name proposed as it is goes before a numbered one.
        """
        names = dict.fromkeys(name.lower() for name in proposals)
        self._taken.update(self._find_taken([name for name in names if name not in self._taken]))
        given: list[str] = list(proposals)
        waiting: defaultdict[str, deque[int]] = defaultdict(deque)
        for place, name in enumerate(proposals):
            if name.lower() in self._taken:
                waiting[name.lower()].append(place)
            else:
                self._taken.add(name.lower())
        window = 1
        while waiting:
            window *= 2
            asked = {
                base: range(self._next_number[base], self._next_number[base] + len(places) + window)
                for base, places in waiting.items()
            }
            candidates = [numbered(base, number) for base, numbers in asked.items() for number in numbers]
            self._taken.update(self._find_taken(candidates))
            for base, numbers in asked.items():
                places = waiting[base]
                for number in numbers:
                    self._next_number[base] = number + 1
                    if numbered(base, number) not in self._taken:
                        self._taken.add(numbered(base, number))
                        place = places.popleft()
                        given[place] = numbered(proposals[place], number)
                    if not places:
                        del waiting[base]
                        break
        return given


def free_names(proposals: Sequence[str], taken: Collection[str]) -> list[str]:
    """A free name for each of ``proposals`` when ``taken`` (in any case) is all that is in use."""
    in_use = {name.lower() for name in taken}
    return NameAllocator(in_use.intersection).claim(proposals)


# Organizations


LONGEST_SLUG = 60


def propose_slug(company: str, max_length: int = LONGEST_SLUG) -> str:
    """The name of a company as it stands in URLs: "Fondation Åkesson" gives "fondation-akesson"."""
    slug = "-".join(re.findall(r"[a-z0-9]+", re.sub(r"['’.]", "", _to_ascii(company).lower())))
    if len(slug) > max_length:
        slug = slug[: max_length + 1].rpartition("-")[0] or slug[:max_length]
    return slug or "organization"


_SLUG = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")


def check_slug(text: str) -> str:
    """The name of an organization in URLs, in lower case. Raises NameProblem."""
    slug = trim(text)
    if not slug:
        raise NameProblem("slug_missing")
    if len(slug) > LONGEST_SLUG:
        raise NameProblem("slug_long", length=len(slug), maximum=LONGEST_SLUG)
    if not _SLUG.fullmatch(slug):
        raise NameProblem("slug_characters")
    return slug.lower()


def propose_admin_name(company: str) -> str:
    """The Skype Name proposed for an account that only administers: "architectes.admin"."""
    slug = propose_slug(company, LONGEST - len(".admin"))
    return f"{slug}.admin" if slug[0].isalpha() else f"admin.{slug}"
