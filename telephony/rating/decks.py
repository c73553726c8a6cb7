"""A rate deck in memory: which rate a number has at a moment."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from .prices import MOST_DECIMALS, Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class DeckEntry:
    """The rate of all numbers that begin with ``prefix`` (digits, without +), from a moment on.

    It ends when the next of the same prefix begins. ``key`` names it where it is stored.
    """

    prefix: str
    destination: str
    rate: Rate
    valid_from: datetime
    key: int = 0


class Deck:
    """Rates by prefix, in one currency; what a call costs is rounded up to ``decimals``."""

    def __init__(self, entries: Iterable[DeckEntry], *, currency: str, decimals: int = MOST_DECIMALS) -> None:
        self.currency, self.decimals = currency, decimals
        self._entries: dict[str, list[DeckEntry]] = {}
        for entry in entries:
            self._entries.setdefault(entry.prefix, []).append(entry)
        for same in self._entries.values():
            same.sort(key=_valid_from)
        self._longest = max(map(len, self._entries), default=0)

    def find(self, digits: str, at: datetime) -> DeckEntry | None:
        """The entry of the longest prefix of a number that has a rate at ``at``; None where there is none."""
        for length in range(min(self._longest, len(digits)), 0, -1):
            if same := self._entries.get(digits[:length]):
                begun = bisect_right(same, at, key=_valid_from)
                if begun:
                    return same[begun - 1]
        return None


def _valid_from(entry: DeckEntry) -> datetime:
    return entry.valid_from
