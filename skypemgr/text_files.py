"""Which text a file holds: how its bytes become characters, and which files hold no text at all."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from django.utils.translation import gettext_lazy as _

from skypemgr.problems import Problem, Texts

BLOCK = 256 * 1024

TEXTS: Texts = {
    "file_empty": _("The file is empty."),
    "file_spreadsheet": _("This is a spreadsheet or an archive, not a CSV file. Open it and save it as CSV."),
    "file_other": _("This is a %(format)s file, not a CSV file. Save or export it as CSV."),
    "file_binary": _("This is not a text file. Save or export it as CSV."),
    "file_encoding": _("The file is written in %(encoding)s, which we can't read. Save it as UTF-8."),
    "file_damaged": _("The file is damaged or was cut off: it is not %(encoding)s to its end. Export it again."),
}


class UnreadableFile(Problem):
    """A file that can't be taken in. The text says what is wrong with it and what to do."""

    texts = TEXTS
    field = "file"


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the bytes of a file become text. ``certain`` is False when it was told by the look of the words."""

    codec: str
    name: str
    certain: bool = True
    errors: str = "strict"


UTF_8 = Encoding("utf-8-sig", "UTF-8")
# What a person may choose instead of what was detected.
ENCODINGS = {
    encoding.codec: encoding
    for encoding in (
        UTF_8,
        Encoding("utf-16", "UTF-16"),
        # A byte that stands for nothing is the problem of its row.
        Encoding("cp1252", "Windows-1252", certain=False, errors="replace"),
        Encoding("iso8859-15", "ISO-8859-15", certain=False, errors="replace"),
        Encoding("cp1250", "Windows-1250", certain=False, errors="replace"),
        Encoding("iso8859-2", "ISO-8859-2", certain=False, errors="replace"),
        Encoding("mac-roman", "Mac Roman", certain=False, errors="replace"),
        Encoding("cp850", "DOS 850", certain=False, errors="replace"),
        Encoding("cp1251", "Windows-1251", certain=False, errors="replace"),
    )
}

_FORMATS = (
    (b"%PDF", "PDF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"\x1f\x8b", "gzip"),
    (b"{\\rtf", "RTF"),
    (b"BEGIN:VCARD", "vCard"),
    (b"BEGIN:VCALENDAR", "iCalendar"),
)
_MARKUP = re.compile(rb"<(?:!--|(?:!doctype|html|\?xml|table|head|body|meta|svg|p|div|title)\b)", re.IGNORECASE)
_JSON = re.compile(rb'(?:\[\s*)?\{\s*"')
_CONTROLS = bytes({*range(0x20)} - {0x00, *b"\t\n\v\f\r\x1a"})


def detect_encoding(file: BinaryIO) -> Encoding:
    """How to read ``file``, judged by all of its bytes in blocks. Raises UnreadableFile when it is no text.

    A byte order mark decides. Else what is valid UTF-8 is UTF-8, UTF-16 is known by its zero bytes, and what
    remains is the one-byte encoding in which the words look most like words.
    """
    file.seek(0)
    head = file.read(4096)
    if not head.strip():
        raise UnreadableFile("file_empty")
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return _check(file, Encoding("utf-32", "UTF-32"))
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _check(file, ENCODINGS["utf-16"])
    _refuse_other_formats(head)
    if zeros := _utf_16_by_zeros(head):
        return _check(file, zeros)
    _refuse_binary(file, head)
    if _is_valid(file, UTF_8):
        _refuse_utf_7(file)
        return UTF_8
    return _one_byte_encoding(file)


def choose_encoding(file: BinaryIO, codec: str) -> Encoding:
    """``ENCODINGS[codec]``, which somebody chose. Raises UnreadableFile for a file that is no text in it."""
    file.seek(0)
    head = file.read(4096)
    if not head.strip():
        raise UnreadableFile("file_empty")
    _refuse_other_formats(head)
    encoding = ENCODINGS[codec]
    if encoding.errors == "strict":
        return _check(file, encoding)
    _refuse_binary(file, head)
    return encoding


def blocks(file: BinaryIO) -> Iterator[bytes]:
    """The bytes of ``file`` from its beginning, 256 kB at a time."""
    file.seek(0)
    while block := file.read(BLOCK):
        yield block


def _is_valid(file: BinaryIO, encoding: Encoding) -> bool:
    decoder = codecs.getincrementaldecoder(encoding.codec)()
    try:
        for block in blocks(file):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _check(file: BinaryIO, encoding: Encoding) -> Encoding:
    if not _is_valid(file, encoding):
        raise UnreadableFile("file_damaged", encoding=encoding.name)
    return encoding


def _refuse_other_formats(head: bytes) -> None:
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0", b"Rar!", b"7z\xbc\xaf")):
        raise UnreadableFile("file_spreadsheet")
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    for beginning, name in _FORMATS:
        if text.upper().startswith(beginning.upper()):
            raise UnreadableFile("file_other", format=name)
    if _MARKUP.match(text):
        raise UnreadableFile("file_other", format="HTML / XML")
    if _JSON.match(text):
        raise UnreadableFile("file_other", format="JSON")


def _utf_16_by_zeros(head: bytes) -> Encoding | None:
    even, odd = head[::2], head[1::2]
    # Text of a directory is mostly Latin: every second byte is zero, and always the same second one.
    if len(odd) < 4 or max(even.count(0), odd.count(0)) < 0.6 * len(odd) or min(even.count(0), odd.count(0)):
        return None
    return Encoding("utf-16-le" if odd.count(0) else "utf-16-be", "UTF-16")


def _refuse_binary(file: BinaryIO, head: bytes) -> None:
    if _is_ebcdic(head):
        raise UnreadableFile("file_encoding", encoding="EBCDIC")
    size = controls = zeros = high = 0
    for block in blocks(file):
        size += len(block)
        controls += len(block) - len(block.translate(None, _CONTROLS))
        zeros += block.count(0)
        high += len(block) - len(block.translate(None, bytes(range(0x80, 0x100))))
    # A stray control character or zero is the problem of its row.
    if controls > 5 + size // 200 or zeros > 50 + size // 50 or (high > size * 0.9 and not _is_valid(file, UTF_8)):
        raise UnreadableFile("file_binary")


_USUAL = re.compile("[A-Za-z0-9 ,;.@\"'_\t\r\n\x85-]")


def _is_ebcdic(head: bytes) -> bool:
    as_ascii, as_ebcdic = _USUAL.findall(head.decode("latin-1")), _USUAL.findall(head.decode("cp037"))
    return len(as_ascii) < 0.3 * len(head) and len(as_ebcdic) > 0.8 * len(head)


_UTF_7 = re.compile(rb"\+([A-Za-z0-9/]{3,8})-(?![\w.+-]{0,64}@)")


def _refuse_utf_7(file: BinaryIO) -> None:
    for block in blocks(file):
        if not block.isascii():
            return
        for found in _UTF_7.finditer(block):
            text = found[0].decode("utf-7", "ignore")
            # Plus signs are common in addresses; what decodes to letters of Europe or to @ is not chance.
            if text and all(character == "@" or "\xa0" <= character <= "\u017f" for character in text):
                raise UnreadableFile("file_encoding", encoding="UTF-7")


# One-byte encodings

_WORD = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")
_WESTERN = frozenset("àâäáãåæçéèêëíìîïñóòôöõøœúùûüÿßÀÂÄÁÃÅÆÇÉÈÊËÍÌÎÏÑÓÒÔÖÕØŒÚÙÛÜŸ")
_CENTRAL = frozenset("ąćęłńóśźżĄĆĘŁŃÓŚŹŻáäčďéěíňöőřšťúůűüýžÁÄČĎÉĚÍŇÖŐŘŠŤÚŮŰÜÝŽß")
_CYRILLIC = frozenset(map(chr, range(0x410, 0x450))) | frozenset("ёЁіІїЇєЄ")
# Capitals that few names hold: "études" is more likely than "Ètudes".
_RARE = frozenset("ÀÂÃÇÈÊËÌÎÏÒÔÕŒÙÛŸ")
# In order of preference: where two read the words equally well, the first is meant.
_CANDIDATES = {
    "cp1252": _WESTERN,
    "iso8859-15": _WESTERN,
    "cp1250": _CENTRAL,
    "iso8859-2": _CENTRAL,
    "mac-roman": _WESTERN,
    "cp850": _WESTERN,
    "cp1251": _CYRILLIC,
}
_ENOUGH_WORDS = 2_000


def _one_byte_encoding(file: BinaryIO) -> Encoding:
    words: set[bytes] = set()
    characters = broken = 0
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for block in blocks(file):
        text = decoder.decode(block)
        characters += len(text) - len(text.encode("ascii", "ignore"))
        broken += text.count("\ufffd")
        if len(words) < _ENOUGH_WORDS:
            words.update(found[0][:100] for found in islice(_WORD.finditer(block), _ENOUGH_WORDS))
    # Nothing is UTF-8 by chance: this was, until a line of another file or half a character came in.
    if characters - broken > 4 * broken:
        return Encoding(UTF_8.codec, UTF_8.name, certain=False, errors="replace")
    return ENCODINGS[max(_CANDIDATES, key=lambda codec: sum(_likeness(word, codec) for word in words))]


def _likeness(word: bytes, codec: str) -> int:
    """How much ``word`` looks like one when read as ``codec``."""
    text, letters = word.decode(codec, "replace"), _CANDIDATES[codec]
    if letters is _CYRILLIC and re.search("[A-Za-z]", text):
        return -len(text)
    points, before, foreign = 0, "", 0
    for character in text:
        if character.isascii():
            foreign = 0
        else:
            foreign += 1
            if character in letters:
                # A run of accented letters is Cyrillic read as something else.
                points += (1 if character in _RARE else 2) if foreign < 3 or letters is _CYRILLIC else -2
            elif character == "’" and before.isalpha():
                points += 1
            else:
                points -= 1 if character.isalpha() or not before else 3
            if character.isupper() and before.islower():
                points -= 4
        before = character
    return points
