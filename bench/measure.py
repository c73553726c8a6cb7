"""Timing two ways of doing something against each other, and saying whether the ratio keeps its limit."""

import gc
import multiprocessing
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import connections

type Work = Callable[[], object]
# What a client does before the others are waited for, and what it is measured by.
type Client = tuple[Work, Work]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A ratio and the limit it has to keep: at most ``most``, or at least ``least``."""

    name: str
    value: float
    most: float | None = None
    least: float | None = None
    unit: str = "×"

    @property
    def holds(self) -> bool:
        return (self.most is None or self.value <= self.most) and (self.least is None or self.value >= self.least)

    def __str__(self) -> str:
        limit = f"at most {self.most:g}" if self.most is not None else f"at least {self.least:g}"
        verdict = "holds" if self.holds else "FAILS"
        return f"{verdict:5}  {self.name:72} {self.value:10.3g} {self.unit:3} ({limit})"


def seconds(work: Work) -> float:
    """How long ``work`` takes, in seconds of the wall clock."""
    gc.collect()
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def ratio(work: Work, against: Work, *, rounds: int = 5, repeat: int = 1) -> float:
    """How many times as long as ``against`` ``work`` takes: the median of the rounds' ratios.

    Both are done in each round, ``repeat`` times in a row, so that what else the machine does weighs on both.
    """
    found = []
    for turn in range(rounds):
        # Each goes first in every other round.
        if turn % 2:
            other, own = _times(against, repeat), _times(work, repeat)
        else:
            own, other = _times(work, repeat), _times(against, repeat)
        found.append(own / other)
    return statistics.median(found)


def _times(work: Work, repeat: int) -> float:
    return seconds(lambda: [work() for _ in range(repeat)])


def at_once(clients: Sequence[Client]) -> float:
    """Seconds until each of ``clients`` has done its work, by a process for each, as web has them."""
    processes = multiprocessing.get_context("fork")
    ready = processes.Barrier(len(clients) + 1)
    # What is open can't be shared between processes.
    connections.close_all()

    def act(prepare: Work, work: Work) -> None:
        prepare()
        ready.wait()
        work()
        connections.close_all()

    acting = [processes.Process(target=act, args=client) for client in clients]
    for each in acting:
        each.start()
    ready.wait()
    begun = time.perf_counter()
    for each in acting:
        each.join()
    assert not any(each.exitcode for each in acting)
    return time.perf_counter() - begun
