"""A deck as ranges side by side, so that a number is found by one comparison instead of one for each of its prefixes.

A number is a text of digits, compared byte by byte. Those that begin with a prefix lie together: from the prefix
itself up to the next text that doesn't. So every number lies in exactly one range, also one that is shorter than a
prefix.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

# What begins at no moment: it was so ever before.
type Slices = list[tuple[datetime | None, int | None]]


class Range(NamedTuple):
    """The numbers from ``low`` up to the next range have the rate ``key``, or none, from ``valid_from`` on.

    None is ever before. It ends where the next of the same ``low`` begins.
    """

    low: str
    valid_from: datetime | None
    key: int | None


def flatten(entries: Iterable[tuple[str, datetime, int]], *, since: datetime) -> Iterator[Range]:
    """The ranges of ``entries`` (prefix, valid from, key), which come sorted by prefix, byte by byte, then by moment.

    They come sorted by ``low``, then by moment. Each ``low`` begins with one that was ever before, and the first is "",
    so that whatever number and moment is asked for has one. Nobody asks for a moment before ``since``, so what begins
    by then was ever before. No more is held in memory than the prefixes of one number.
    """
    nothing: Slices = [(None, None)]
    # The prefixes that what comes next may lie under, each with where it ends and what holds within.
    open_: list[tuple[str, Slices]] = []
    low = ""
    for prefix, same in groupby(entries, key=itemgetter(0)):
        while open_ and open_[-1][0] <= prefix:
            end, slices = open_.pop()
            yield from _ranges(low, end, slices)
            low = max(low, end)
        outside = open_[-1][1] if open_ else nothing
        yield from _ranges(low, prefix, outside)
        low = prefix
        own: Slices = [(moment if moment > since else None, key) for _prefix, moment, key in same]
        open_.append((_end_of(prefix), _within(outside, own)))
    while open_:
        end, slices = open_.pop()
        yield from _ranges(low, end, slices)
        low = max(low, end)
    yield from _ranges(low, "", nothing)


def _within(outside: Slices, own: Slices) -> Slices:
    """What holds under a prefix: what holds outside of it until its own first rate begins."""
    # Of those that begin by the moment that is asked for first, the last counts.
    own = own[sum(1 for moment, _key in own[1:] if moment is None) :]
    first, _key = own[0]
    if first is None:
        return own
    return [(moment, key) for moment, key in outside if moment is None or moment < first] + own


def _ranges(low: str, end: str, slices: Slices) -> Iterator[Range]:
    if low < end or not end:
        for moment, key in slices:
            yield Range(low, moment, key)


def _end_of(prefix: str) -> str:
    """The first text behind all that begin with a prefix; behind 9 that is the sign after the digits."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)
