"""What the columns of a CSV file hold, by the names that people give them."""

import re
from collections.abc import Callable, Mapping, Sequence

from members.folding import fold
from skypemgr.characters import storable

# The line of column names is among the first ones of a file.
_FIRST = 10


class ColumnNames:
    """The fields of a kind of file, each with the names its column may have; case, accents and punctuation don't count.

    ``names`` gives them by field, parted by ``|`` or lines. ``otherwise`` says what a column of another name holds,
    "" for nothing.
    """

    def __init__(self, names: Mapping[str, str], *, otherwise: Callable[[str], str] = lambda header: "") -> None:
        self._fields = {
            _key(name): field for field, some in names.items() for name in re.split(r"[|\n]", some) if name.strip()
        }
        self._otherwise = otherwise

    def field_of(self, header: str) -> str:
        """What a column of this name holds, or ""."""
        return self._fields.get(_key(header)) or self._otherwise(header)

    def columns(self, header: Sequence[str]) -> dict[str, list[int]]:
        """Where each field stands in a line of column names: one column of a name, or several."""
        found: dict[str, list[int]] = {}
        for at, name in enumerate(header):
            if field := self.field_of(name):
                found.setdefault(field, []).append(at)
        return found

    def judge(self, rows: Sequence[Sequence[str]]) -> tuple[int, int]:
        """How many fields the first rows name, and which of them is the line of column names; for ``open_csv``."""
        understood, header_at = 0, 0
        for at, cells in enumerate(rows[:_FIRST]):
            known = len({field for cell in cells if (field := self.field_of(cell))})
            if known > understood:
                understood, header_at = known, at
        return understood, header_at


def tell_header(header: Sequence[str]) -> str:
    """The names of columns as they are told to whoever sent them, cut where they are too much."""
    return ", ".join(" ".join(storable(name).split())[:80] for name in header if name.strip())[:500]


def _key(text: str) -> str:
    return re.sub(r"[\W_]+", "", fold(text[:200]))
