"""How a few rows of a file would look in each encoding it may be written in, for somebody who knows the words."""

import csv
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from skypemgr.characters import CONTROL, graphemes
from skypemgr.text_files import ENCODINGS, Encoding

# All of these have the letters, delimiters and line ends of ASCII in the same places, so cells can be told apart
# before it is known what the other bytes stand for.
POSSIBLE = [encoding for encoding in ENCODINGS.values() if encoding.codec != "utf-16"]
COMPARED_ROWS = 2_000
SHOWN_ROWS = 3
SHOWN_CHARACTERS = 60


@dataclass(frozen=True)
class Candidate:
    """An encoding a file may be written in. ``names`` has every one that reads it the same; ``rows`` is a sample."""

    codec: str
    names: tuple[str, ...]
    rows: tuple[str, ...]


def candidates(file: BinaryIO, *, delimiter: str, current: str, hidden: Collection[int] = ()) -> list[Candidate]:
    """What ``file`` may be written in, the ``current`` encoding (by its name) first; none where it makes no difference.

    Judged by the cells that are not ASCII, of the first 2,000 rows with such; columns in ``hidden``, counted from 1,
    are not looked at. What can't be, because a byte stands for nothing or for a control character, is left out.
    """
    rows = list(islice(_telling_rows(file, delimiter, hidden), COMPARED_ROWS))
    if not rows:
        return []
    found: dict[tuple[str, ...], list[Encoding]] = {}
    for encoding in sorted(POSSIBLE, key=lambda one: one.name != current):
        read = tuple(", ".join(cell.decode(encoding.codec, "replace") for cell in row) for row in rows)
        if encoding.name == current or not any("\ufffd" in text or CONTROL.search(text) for text in read):
            found.setdefault(read, []).append(encoding)
    return [
        Candidate(
            codec=alike[0].codec,
            names=tuple(encoding.name for encoding in alike),
            rows=tuple("".join(islice(graphemes(text), SHOWN_CHARACTERS)) for text in read[:SHOWN_ROWS]),
        )
        for read, alike in found.items()
    ]


def _telling_rows(file: BinaryIO, delimiter: str, hidden: Collection[int]) -> Iterator[tuple[bytes, ...]]:
    """Of every row the cells that are not ASCII, each such row once."""
    file.seek(0)
    # Each byte as the character of its number, only to find out where the cells end.
    text = io.TextIOWrapper(file, encoding="latin-1", newline="")
    seen: set[tuple[bytes, ...]] = set()
    try:
        for cells in csv.reader(text, delimiter=delimiter):
            telling = tuple(
                cell.encode("latin-1") for at, cell in enumerate(cells, 1) if at not in hidden and not cell.isascii()
            )
            if telling and telling not in seen:
                seen.add(telling)
                yield telling
    except csv.Error:
        # A cell without end: whoever reads the file says so.
        return
    finally:
        text.detach()
