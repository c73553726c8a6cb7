"""E-mail addresses: which are accepted, in which one form they are kept, and how they are found in pasted text."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import idna
from django.utils.translation import gettext_lazy as _

from members.names import NameProblem, check_person_name, split_full_name
from skypemgr.characters import HIDDEN, WHITE_SPACE, code_point, trim
from skypemgr.problems import Facts, Problem, Texts, tell

LONGEST, LONGEST_LOCAL = 254, 64

TEXTS: Texts = {
    "address_missing": _("Enter an e-mail address."),
    "address_no_at": _("Not an e-mail address: it has no @."),
    "address_incomplete": _("Not a complete e-mail address: something like .example is missing."),
    "address_nothing_before": _("Not a complete e-mail address: nothing stands before the @."),
    "address_several": _("More than one e-mail address. Enter one."),
    "address_with_name": _("Enter the address alone, without a name."),
    "address_long": _("Too long: an e-mail address has at most 254 characters."),
    "address_local_long": _("Too long: at most 64 characters can stand before the @, and here are %(length)d."),
    "address_dots": _("Before the @, a dot can't come first, last or next to another dot."),
    "address_space": _("An e-mail address holds no spaces."),
    "address_character": _("“%(character)s” can't be part of an e-mail address."),
    "address_unseen": _("The address holds a character that can't be seen (%(code_point)s). Type it again."),
    "address_encoded": _("The address holds an encoded control character (%(character)s). Type it again."),
    "address_look_alike": _("“%(character)s” (%(code_point)s) only looks like “%(like)s”. Type the address again."),
    "address_not_ascii": _("“%(character)s” can't stand before the @: use letters from a to z without accents."),
    "address_numbers": _("After the @ comes a domain name such as company.example, not an address of numbers."),
    "address_domain": _("“%(domain)s” is not a domain name."),
}


def describe(code: str, facts: Facts) -> str:
    """The sentence of a problem or note of this module in the active language."""
    return tell(TEXTS, code, facts)


class AddressProblem(Problem):
    """Text that is not an e-mail address we can write to."""

    texts = TEXTS
    field = "email"


_ATOM = r"[A-Za-z0-9!#$&'*+/=?^_`{|}~%-]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?=[a-z])(?:xn--)?[a-z0-9-]{{0,61}}[a-z0-9]")
# Nearly every address of a directory; whatever does not match is looked at piece by piece.
_PLAIN = re.compile(rf"({_ATOM.replace('%', '')}(?:\.{_ATOM.replace('%', '')})*)@((?:{_LABEL}\.)+[a-z]{{2,63}})", re.I)
_ENCODED_CONTROL = re.compile(r"%(?:[01][0-9a-f]|7f|c2%[89][0-9a-f])", re.IGNORECASE)
_NUMBERS = re.compile(r"\[.*\]?|[0-9.]+|.*:.*:.*")
_LOOK_ALIKES = dict(zip("аеорсухіјѕһԁԛԝАВЕКМНОРСТХІЈЅ", "aeopcyxijshdqwABEKMHOPCTXIJS", strict=True)) | dict(
    zip("οανικρΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "oavikpABEZHIKMNOPTYX", strict=True)
)


def normalize_address(text: str) -> str:
    """The one form in which an address is kept: trimmed, its domain in lower case and ASCII (``xn--…``).

    What stands before the @ keeps its case. Raises AddressProblem.
    """
    text = trim(text)
    if len(text) <= LONGEST and (plain := _PLAIN.fullmatch(text)) and "--" not in plain[2]:
        if len(plain[1]) > LONGEST_LOCAL:
            raise AddressProblem("address_local_long", length=len(plain[1]))
        return f"{plain[1]}@{plain[2].lower()}"
    if not text:
        raise AddressProblem("address_missing")
    if unseen := HIDDEN.search(text):
        raise AddressProblem("address_unseen", code_point=code_point(unseen[0][0]))
    if "@" not in text:
        raise AddressProblem("address_no_at")
    _refuse_more_than_one(text)
    local, _at, domain = text.partition("@")
    if len(local) > LONGEST_LOCAL:
        raise AddressProblem("address_local_long", length=len(local))
    if len(text) > LONGEST:
        raise AddressProblem("address_long")
    address = f"{_check_local(local)}@{_ascii_domain(domain)}"
    if len(address) > LONGEST:
        raise AddressProblem("address_long")
    return address


def _refuse_more_than_one(text: str) -> None:
    if text.count("@") > 1:
        raise AddressProblem("address_several")
    if re.search(r"[<>]", text):
        raise AddressProblem("address_with_name")
    if re.search(r"\s", text):
        raise AddressProblem("address_space")
    if stop := re.search(r"[,;]", text):
        raise AddressProblem("address_character", character=stop[0])


def _check_local(local: str) -> str:
    if _LOCAL.fullmatch(local) and not (encoded := _ENCODED_CONTROL.search(local)):
        return local
    if not local:
        raise AddressProblem("address_nothing_before")
    for character in local:
        if not character.isascii():
            if like := _LOOK_ALIKES.get(character):
                raise AddressProblem(
                    "address_look_alike", character=character, code_point=code_point(character), like=like
                )
            raise AddressProblem("address_not_ascii", character=character)
    if encoded := _ENCODED_CONTROL.search(local):
        raise AddressProblem("address_encoded", character=encoded[0])
    if wrong := re.search(rf"(?!{_ATOM})[^.]", local):
        raise AddressProblem("address_character", character=wrong[0])
    raise AddressProblem("address_dots")


def _ascii_domain(domain: str) -> str:
    if encoded := _ENCODED_CONTROL.search(domain):
        raise AddressProblem("address_encoded", character=encoded[0])
    if not domain:
        raise AddressProblem("address_incomplete")
    if _NUMBERS.fullmatch(domain):
        raise AddressProblem("address_numbers")
    ascii_domain = domain.lower()
    if not domain.isascii() or "xn--" in ascii_domain:
        try:
            ascii_domain = idna.encode(domain, uts46=True, std3_rules=True).decode()
        except (idna.IDNAError, UnicodeError):
            raise AddressProblem("address_domain", domain=domain[:80]) from None
    if "." not in ascii_domain.strip("."):
        raise AddressProblem("address_incomplete")
    if not _DOMAIN.fullmatch(ascii_domain) or len(ascii_domain.rpartition(".")[2]) < 2:
        raise AddressProblem("address_domain", domain=domain[:80])
    return ascii_domain


def same_address_key(address: str) -> str:
    """What two normalized addresses share when they reach the same mailbox as far as we treat it."""
    return address.lower()


# Scripts whose letters nobody takes for those of another one. Others are shown as written only under a
# top-level domain of their own: президент.com could pass for something else, президент.рф could not.
_SHOWN_AS_WRITTEN = (
    {"LATIN"},
    {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"},
    {"CJK", "HANGUL"},
    {"ARABIC"},
    {"HEBREW"},
    {"DEVANAGARI"},
    {"THAI"},
)


def display_address(address: str) -> str:
    """A normalized address as people write it: ``a@xn--mnchen-3ya.de`` as ``a@münchen.de``."""
    local, _at, domain = address.rpartition("@")
    if "xn--" not in domain:
        return address
    try:
        labels = [idna.ulabel(label) for label in domain.split(".")]
    except (idna.IDNAError, UnicodeError):
        return address
    ending = _scripts(labels[-1])
    shown = (
        label if any((found := _scripts(label)) <= known for known in _SHOWN_AS_WRITTEN) or found == ending else kept
        for label, kept in zip(labels, domain.split("."), strict=True)
    )
    return f"{local}@{'.'.join(shown)}"


def _scripts(label: str) -> set[str]:
    return {unicodedata.name(letter, "?").partition(" ")[0] for letter in label if letter.isalpha()}


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One entry of a list of addresses. ``address`` is "" when there is a ``problem``, which says why."""

    raw: str
    address: str = ""
    problem: AddressProblem | None = None
    first_name: str = ""
    last_name: str = ""


_WITH_NAME = re.compile(r"([^<>]*)<([^<>]*)>?[\s.,;:]*")
_WITH_COMMENT = re.compile(r"([^\s@()]+@[^\s@()]+)\s*\(([^()]*)\)[\s.,;:]*")
_AROUND = "\"'‘’“”«»‹›()[]{}<>"


def read_mailbox(text: str) -> Mailbox:
    """The address that a cell or an entry holds, alone or as mail programs write it.

    Understands ``Anna Berg <a@x.com>``, ``"Berg, Anna" <a@x.com>``, ``a@x.com (Anna Berg)``, ``mailto:a@x.com``,
    quotes around it and punctuation behind it. The name is given when it clearly has two parts.
    """
    raw = trim(text)
    address, name = raw, ""
    if "<" in raw and (with_name := _WITH_NAME.fullmatch(raw)):
        name, address = with_name[1], with_name[2]
    elif "(" in raw and (with_comment := _WITH_COMMENT.fullmatch(raw)):
        address, name = with_comment[1], with_comment[2]
    return _mailbox(raw, address, name)


def _mailbox(raw: str, address: str, name: str = "") -> Mailbox:
    try:
        address = normalize_address(_bare(address))
    except AddressProblem as problem:
        return Mailbox(raw[:500], problem=problem)
    first_name, last_name = _names(name, address) if name else ("", "")
    return Mailbox(raw[:500], address, None, first_name, last_name)


def _bare(address: str) -> str:
    address = trim(address)
    if address[:7].lower() == "mailto:":
        address = address[7:].partition("?")[0]
    # An apostrophe may belong to what stands before the @, so in front it goes only as one of a pair.
    address = address.rstrip(".,;:!?" + _AROUND).lstrip(_AROUND.replace("'", ""))
    return address[1:] if address.startswith("'") else address


def _names(name: str, address: str) -> tuple[str, str]:
    name = name.strip().strip(_AROUND).strip()
    if "@" in name:
        return "", ""
    first_name, last_name = split_full_name(name, address=address, only_if_clear=True)
    try:
        return check_person_name(first_name), check_person_name(last_name)
    except NameProblem:
        return "", ""


_BETWEEN_WORDS = re.compile(f"[{WHITE_SPACE}]+")
_MARKS = re.compile(r'"[^"\r\n]*"|<[^<>\r\n]*>|[,;\r\n\u2028\u2029]')
_CURLY_QUOTES = str.maketrans("“”„", '"""')
_NAME_WORD = re.compile(r"[^\W\d_]+(?:['’.\-][^\W\d_]*)*[.,]?")


def split_addresses(text: str) -> list[Mailbox]:
    """Every entry of a pasted list, in order, each with its address or the reason why it is none.

    Entries stand on lines of their own or between commas, semicolons, tabs and spaces, with names in any form
    that ``read_mailbox`` understands, or with a name beside them as spreadsheets paste it. Duplicates stay.
    """
    return list(each_address(text))


def each_address(text: str) -> Iterator[Mailbox]:
    """The entries of ``split_addresses`` as they are asked for, for texts that may hold far too many."""
    before = ""
    for entry, separator in _entries(text):
        # Outlook writes Berg, Anna <a@x.com>; the comma belongs to the name.
        if separator == "," and not before and "@" not in entry and _looks_like_name(entry):
            before = entry
            continue
        if before:
            if "<" in entry and "@" not in entry.partition("<")[0]:
                entry = f"{before}, {entry}"
            else:
                yield from _mailboxes(before)
            before = ""
            if separator == "," and "@" not in entry and _looks_like_name(entry):
                before = entry
                continue
        yield from _mailboxes(entry)
    if before:
        yield from _mailboxes(before)


def _entries(text: str) -> Iterator[tuple[str, str]]:
    start = 0
    for mark in _MARKS.finditer(text.translate(_CURLY_QUOTES)):
        if len(mark[0]) == 1:
            if entry := trim(text[start : mark.start()]):
                yield entry, mark[0]
            start = mark.end()
    if entry := trim(text[start:]):
        yield entry, ""


def _looks_like_name(text: str) -> bool:
    words = text.strip().strip(_AROUND).split()
    return 0 < len(words) <= 5 and all(_NAME_WORD.fullmatch(word) for word in words)


def _mailboxes(entry: str) -> Iterator[Mailbox]:
    if "<" in entry:
        for found in re.finditer(r"[^<>]*<[^<>]*>?|[^<>\s][^<>]*", entry):
            piece = found[0]
            name, angle, _address = piece.partition("<")
            words = _split_words(name)
            at = max((i for i, word in enumerate(words, 1) if "@" in word), default=0)
            # Outlook also writes a@x.com<mailto:a@x.com>: one person, told twice.
            if angle and at == 1 == len(words) and same_address_key(_bare(words[0])) in piece[len(name) :].lower():
                yield read_mailbox(piece[len(name) :])
            elif angle and not at:
                yield read_mailbox(piece)
            else:
                yield from _words(words[:at] if angle else words)
                if angle:
                    yield read_mailbox(f"{' '.join(words[at:])} {piece[len(name) :]}")
    elif comment := _WITH_COMMENT.fullmatch(entry):
        yield _mailbox(entry, comment[1], comment[2])
    else:
        yield from _words(_split_words(entry), entry)


def _split_words(text: str) -> list[str]:
    # Not at controls, as str.split does: they are to be seen and refused.
    return [word for word in _BETWEEN_WORDS.split(text) if word]


def _words(words: list[str], entry: str = "") -> Iterator[Mailbox]:
    entry = entry or " ".join(words)
    addresses = [i for i, word in enumerate(words) if "@" in word]
    if not addresses or (len(addresses) == 1 and "@" in (words[addresses[0]][:1], words[addresses[0]][-1:])):
        # Nothing, or one torn apart by spaces ("anna @ x.com"): to be shown whole.
        if words:
            yield _mailbox(entry, entry)
        return
    if len(addresses) == 1:
        at = addresses[0]
        beside = words[:at] or words[at + 1 :]
        if all(_NAME_WORD.fullmatch(word.strip(_AROUND)) for word in words[:at] + words[at + 1 :]):
            yield _mailbox(entry, words[at], " ".join(beside))
            return
    for word in words:
        yield _mailbox(word, word)
