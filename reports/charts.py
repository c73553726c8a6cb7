"""Charts as SVG from the server: figures in, coordinates out. x is in percent and y in pixels, so that a chart
stretches and its text does not. Coordinates are text already: templates would write numbers with a comma.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate

from skypemgr.locales import present_locale

# How far from the left the plot begins, in percent; what stands before is the scale.
LEFT = 8
TOP, FOOT = 8, 24
STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
# So many steps of a scale at most.
MOST_STEPS = 4
NOTHING = Decimal(0)


@dataclass(frozen=True)
class Grid:
    """A line of the scale: where it is, where its text stands, and what that says."""

    y: str
    text_y: str
    text: str
    axis: bool


@dataclass(frozen=True)
class Tick:
    """A word below the plot; those that are minor are left out where there is no room."""

    x: str
    anchor: str
    text: str
    minor: bool


@dataclass(frozen=True)
class LineChart:
    """A sum that adds up, over what it was in the time before; what ``components/chart_line.html`` takes.

    The points of ``line`` and ``before`` are in a box of 100 by 100.
    """

    height: str
    plot: str
    left: str
    width: str
    grid: Sequence[Grid]
    ticks: Sequence[Tick]
    area: str
    line: str
    before: str
    dot_x: str
    dot_y: str


def line_chart(
    now: Sequence[Decimal],
    before: Sequence[Decimal],
    *,
    points: int,
    name: Callable[[int], str],
    height: int = 220,
) -> LineChart:
    """What comes to each of ``points`` points of time, adding up; ``now`` may end before the last one.

    ``name`` says what a point is called. Raises ValueError when there is nothing to draw.
    """
    if points < 2 or not now:
        raise ValueError("A line has two points at least.")
    sums, sums_before = list(accumulate(now)), list(accumulate(before))
    if len(sums_before) > points:
        # A month that was longer: its line ends at what all of it came to.
        sums_before[points - 1 :] = sums_before[-1:]
    most = max([*sums, *sums_before])
    step = scale_step(most)
    steps: int = max(1, math.ceil(most / step))
    top, base = step * steps, height - FOOT
    plot = base - TOP

    def x(place: int) -> float:
        return 100 * place / (points - 1)

    def y(value: Decimal) -> float:
        return float(base - plot * value / top)

    def line(values: Sequence[Decimal]) -> str:
        return " ".join(f"{x(place):.2f},{float(100 - 100 * value / top):.2f}" for place, value in enumerate(values))

    grid = [
        Grid(f"{y(step * place):.1f}", f"{y(step * place) + 4:.1f}", scale_text(step * place), place == 0)
        for place in range(steps + 1)
    ]
    last = len(sums) - 1
    return LineChart(
        height=str(height),
        plot=str(plot),
        left=f"{LEFT}%",
        width=f"{100 - LEFT}%",
        grid=grid,
        ticks=[_tick(place, points, x(place), name(place)) for place in _named(points)],
        area=f"0,100 {line(sums)} {x(last):.2f},100",
        line=line(sums),
        before=line(sums_before),
        dot_x=f"{LEFT + (100 - LEFT) * x(last) / 100:.2f}%",
        dot_y=f"{y(sums[-1]):.1f}",
    )


def scale_step(most: Decimal) -> Decimal:
    """The step of a scale that reaches ``most`` in four steps at most: 1, 2, 2.5 or 5 times a power of ten."""
    if most <= 0:
        return Decimal(1)
    power = Decimal(10) ** ((most / MOST_STEPS).adjusted())
    return next(step * power for step in STEPS if step * power * MOST_STEPS >= most)


def scale_text(value: Decimal) -> str:
    """A number of a scale, in the active language."""
    locale = present_locale()
    return str(locale.decimal_formats[None].apply(value.normalize(), locale))


def share_of(value: Decimal, most: Decimal) -> str:
    """How long a bar is, in percent of the longest."""
    return f"{100 * value / most:.1f}" if most > 0 else "0"


def _named(points: int) -> list[int]:
    """The first, the last, and some between, apart alike."""
    parts = min(6, points - 1)
    return sorted({round(place * (points - 1) / parts) for place in range(parts + 1)})


def _tick(place: int, points: int, x: float, text: str) -> Tick:
    anchor = "start" if place == 0 else "end" if place == points - 1 else "middle"
    named = _named(points)
    minor = anchor == "middle" and named.index(place) % 2 == 1
    return Tick(f"{LEFT + (100 - LEFT) * x / 100:.2f}%", anchor, text, minor)
