"""Long lists: keyset pages, orders by allow-list, filters that ignore nonsense, and what was ticked on them.

Nothing here knows what the rows are. A page costs the same whether it is the first or the ten-thousandth, since
it is found in the index by the row it begins after, and never by counting rows from the start (decision 8).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.core import signing
from django.db.models import Field, Model, Q, QuerySet
from django.http import QueryDict
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext

from skypemgr.templatetags.look import count

type Text = str | Promise
# Finds so many rows beyond a place, in the order of some fields.
type Take[T] = Callable[[Q, Sequence[str], int], list[T]]

PAGE_SIZE = 50
MOST_COUNTED = 10_000
CURSOR = "cursor"
LONGEST_SEARCH = 100
# The largest key a bigint column can hold; what is larger exists nowhere.
LARGEST_ID = 2**63 - 1


@dataclass(frozen=True)
class Ordering:
    """An order of rows: the model's own non-null columns, all in one direction, the last of them unique.

    An index must begin with what the list is filtered by and go on with exactly these fields.
    """

    name: str
    fields: tuple[str, ...]
    label: Text = ""

    def __post_init__(self) -> None:
        if len({field.startswith("-") for field in self.fields}) != 1:
            raise ValueError(f"The fields of the order {self.name!r} don't run in one direction.")

    @property
    def descending(self) -> bool:
        return self.fields[0].startswith("-")

    @property
    def columns(self) -> list[str]:
        return [field.removeprefix("-") for field in self.fields]

    def reversed(self) -> list[str]:
        return [column if self.descending else f"-{column}" for column in self.columns]


@dataclass(frozen=True)
class Total:
    """How many rows there are, or that there are more than anybody wants to count: "1,204" or "10,000+".

    In a sentence it is ``phrase``: "more than 10,000".
    """

    number: int
    capped: bool = False

    @classmethod
    def up_to(cls, found: int, cap: int) -> "Total":
        return cls(min(found, cap), found > cap)

    def __add__(self, other: "Total") -> "Total":
        return Total(self.number + other.number, self.capped or other.capped)

    def __str__(self) -> str:
        return count(self.number) + ("+" if self.capped else "")

    @property
    def phrase(self) -> str:
        if not self.capped:
            return str(self)
        return gettext("more than {number}").format(number=count(self.number))


def count_up_to(queryset: QuerySet[Any], cap: int = MOST_COUNTED) -> Total:
    """Count rows, but no further than ``cap``."""
    return Total.up_to(queryset.order_by()[: cap + 1].count(), cap)


@dataclass(frozen=True)
class Page[T: Model]:
    """Some rows of a list, the way to those before and after ("" where there are none), and a line about them."""

    rows: list[T]
    previous_url: str = ""
    next_url: str = ""
    text: str = ""


def keyset_page[T: Model](
    queryset: QuerySet[T],
    *,
    order: Ordering,
    query: QueryDict,
    size: int = PAGE_SIZE,
    text: str = "",
    total: Total | None = None,
    take: Take[T] | None = None,
    start: Sequence[Any] | None = None,
) -> Page[T]:
    """The page of ``queryset`` that the ``cursor`` of a query string asks for.

    ``text`` may hold ``{shown}`` and ``{total}``. The URLs repeat the rest of the query. A cursor that is forged,
    of another list or order, or beyond what is left leads to the first page. ``take`` may find the rows in a
    quicker way than the queryset alone does. Without a cursor the page begins after ``start``, a value for each
    field of the order.
    """
    take = take or _taken_from(queryset)
    place = _read_cursor(query.get(CURSOR, ""), queryset.model, order)
    if place is None and start is not None:
        place = "after", list(start)
    rows, before, after = _find(take, order, place, size)
    if place and not rows:
        rows, before, after = _find(take, order, None, size)
    return Page(
        rows=rows,
        previous_url=page_url(query, order, "before", rows[0]) if before else "",
        next_url=page_url(query, order, "after", rows[-1]) if after else "",
        text=text.format(shown=count(len(rows)), total=total.phrase if total else ""),
    )


def keyset_chunks[T: Model](queryset: QuerySet[T], *, order: Ordering, size: int = 1_000) -> Iterator[list[T]]:
    """Every row of ``queryset``, ``size`` at a time; no statement is long and no transaction stays open."""
    rows: list[T] = list(queryset.order_by(*order.fields)[:size])
    while rows:
        yield rows
        if len(rows) < size:
            return
        place = [getattr(rows[-1], column) for column in order.columns]
        beyond = _beyond(order.columns, place, "lt" if order.descending else "gt")
        rows = list(queryset.filter(beyond).order_by(*order.fields)[:size])


def rows_for_file[T, R](chunks: Iterable[Sequence[T]], make: Callable[[Sequence[T]], Iterable[R]]) -> Iterator[R]:
    """What ``make`` makes of each chunk, in the language and the time zone of now.

    A download is made while it is sent, when those of its request are gone.
    """
    language, zone = get_language(), timezone.get_current_timezone()

    def rows() -> Iterator[R]:
        for chunk in chunks:
            with translation.override(language), timezone.override(zone):
                made = list(make(chunk))
            yield from made

    return rows()


def _taken_from[T: Model](queryset: QuerySet[T]) -> Take[T]:
    return lambda beyond, fields, number: list(queryset.filter(beyond).order_by(*fields)[:number])


def _find[T: Model](
    take: Take[T], order: Ordering, place: tuple[str, list[Any]] | None, size: int
) -> tuple[list[T], bool, bool]:
    """The rows at ``place``, and whether there are some before and after them."""
    if place is None:
        rows = take(Q(), order.fields, size + 1)
        return rows[:size], False, len(rows) > size
    direction, values = place
    forward = direction == "after"
    lookup = "lt" if order.descending == forward else "gt"
    rows = take(_beyond(order.columns, values, lookup), order.fields if forward else order.reversed(), size + 1)
    if forward:
        return rows[:size], True, len(rows) > size
    if len(rows) <= size:
        # The first rows of the list: shown as its first page, which is full.
        return _find(take, order, None, size)
    return rows[:size][::-1], True, True


def _beyond(columns: Sequence[str], values: Sequence[Any], lookup: str) -> Q:
    """Rows beyond a place, with the outer bound on its own: only so can the planner bound the index scan."""
    column, *columns = columns
    value, *values = values
    if not columns:
        return Q(**{f"{column}__{lookup}": value})
    return Q(**{f"{column}__{lookup}e": value}) & (
        Q(**{f"{column}__{lookup}": value}) | _beyond(columns, values, lookup)
    )


def page_url(query: QueryDict, order: Ordering, direction: str, row: Model) -> str:
    """The query string of the page ``direction`` ("before" or "after") ``row``, the rest of ``query`` repeated."""
    values = [_column(row, column).value_to_string(row) for column in order.columns]
    cursor = signing.Signer(salt="lists.cursor").sign_object([row._meta.label, order.name, direction, *values])
    return change_query(query, **{CURSOR: cursor})


def _column(model: Model | type[Model], name: str) -> "Field[Any, Any]":
    column = model._meta.get_field(name)
    assert isinstance(column, Field)
    return column


def _read_cursor(cursor: str, model: type[Model], order: Ordering) -> tuple[str, list[Any]] | None:
    # Signed, so that what comes back is what we wrote, and every value fits its column.
    try:
        label, name, direction, *values = signing.Signer(salt="lists.cursor").unsign_object(cursor)
    except signing.BadSignature:
        return None
    if (label, name) != (model._meta.label, order.name):
        return None
    return direction, [
        _column(model, column).to_python(value) for column, value in zip(order.columns, values, strict=True)
    ]


def change_query(query: QueryDict, **changes: str) -> str:
    """The query string with some parameters changed, or removed where the new value is "". It begins with "?".

    The cursor goes, unless it is among the changes: another filter or order begins on its first page.
    """
    gone = {CURSOR, *changes}
    kept = [(key, value) for key, values in query.lists() if key not in gone for value in values]
    return f"?{urlencode([*kept, *((key, value) for key, value in changes.items() if value)])}"


def read_text(query: QueryDict, key: str = "q") -> str:
    """What was typed into a search box, without what can't be seen, and no longer than anybody searches for."""
    text = "".join(character if character.isprintable() else " " for character in query.get(key, ""))
    return text.strip()[:LONGEST_SEARCH]


def read_choice[C: str](query: QueryDict, key: str, allowed: Sequence[C], default: C | str = "") -> C | str:
    """The value of a parameter if it is one of ``allowed``, else ``default``; nothing else gets through."""
    value = query.get(key, "")
    return next((choice for choice in allowed if choice == value), default)


def read_number(query: QueryDict, key: str) -> int:
    """A whole number that some row may have, or that rows may come to; 0 for anything else."""
    text = query.get(key, "")
    return min(int(text), LARGEST_ID) if re.fullmatch(r"\d{1,19}", text, re.ASCII) else 0


def read_key(query: QueryDict, key: str) -> UUID:
    """The key that a form was given when it was shown; a new one for anything else."""
    try:
        return UUID(query.get(key, ""))
    except ValueError:
        return uuid4()


def read_day(query: QueryDict, key: str) -> date | None:
    """A day as browsers send it, 2026-11-21, of this century; None for anything else."""
    text = query.get(key, "")
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year < 2100 else None


@dataclass(frozen=True, kw_only=True)
class ChoiceFilter:
    """A select of a list's filter form: its parameter, its choices, what it says when nothing is chosen."""

    key: str
    label: Text
    every: Text
    choices: Sequence[tuple[str, Text]]
    chosen: str = ""

    @property
    def chosen_label(self) -> Text:
        return dict(self.choices).get(self.chosen, "")


@dataclass(frozen=True)
class Chip:
    """An active filter, and the URL of the list without it."""

    label: Text
    url: str


def chips_of(filters: Sequence[ChoiceFilter], query: QueryDict) -> list[Chip]:
    """A chip for each filter that is chosen."""
    return [Chip(entry.chosen_label, change_query(query, **{entry.key: ""})) for entry in filters if entry.chosen]


@dataclass(frozen=True)
class Selection:
    """What was ticked on a list: some rows by id, or everything that its filters match.

    ``query`` holds the filters of the list the rows were ticked on.
    """

    ids: tuple[int, ...]
    everything: bool
    query: QueryDict
    name: str

    @classmethod
    def read(cls, query: QueryDict, *, name: str) -> "Selection":
        """The selection that a list's form sent; ``name`` is that of its row checkboxes. Nonsense is left out."""
        ids = dict.fromkeys(
            int(value)
            for value in query.getlist(name)
            if value.isascii() and value.isdigit() and len(value) < 20 and int(value) <= LARGEST_ID
        )
        everything = query.get("all") == "1"
        return cls(() if everything else tuple(ids), everything, query, name)

    def of[T: Model](self, everyone: QuerySet[T], matching: QuerySet[T]) -> QuerySet[T]:
        """The selected rows: those ticked out of ``everyone``, or all of ``matching``."""
        return matching if self.everything else everyone.filter(pk__in=self.ids)

    def fields(self, filters: Sequence[str]) -> list[tuple[str, str]]:
        """What hidden inputs must carry so that the next request selects the same, ``filters`` among it."""
        if not self.everything:
            return [(self.name, str(pk)) for pk in self.ids]
        return [("all", "1"), *((key, value) for key in filters if (value := self.query.get(key)))]
