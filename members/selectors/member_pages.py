"""Finding the members of a page at a cost that depends on the page, not on how many members there are.

Left to itself, the planner takes people who match to be spread evenly over the list. They are not: those of a
department came on one day, and all who are called Yann stand at its end; it would then read the whole list to
find fifty of them. So what has no index in the order of the list is found here by a plan that is ours (decision 8).
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.expressions import RawSQL

from members.models.people import MemberQuerySet
from members.names import fold

# Rows that are looked through in the order of the list, before those that match are looked up and sorted instead.
WINDOW = 2_000
# Of each department at least so many are taken at once: asking for it costs as much as several rows.
FEW = 8
# From here on, scripts are written without spaces, and a word is found in the middle of others.
UNSPACED = "\u2e80"


class Words:
    """What was typed into the search box: every word of it has to be found in ``search_text``.

    Of one or two characters a word has to begin with them; signs without any letter or digit find nobody. Both
    are what the index of trigrams can do.
    """

    def __init__(self, search: str) -> None:
        self._words = fold(search).split()
        self.find_nobody = not any(map(str.isalnum, search))

    @property
    def condition(self) -> Q:
        return self.condition_on("search_text")

    def condition_on(self, field: str) -> Q:
        """The same, of another field or annotation."""
        if self.find_nobody:
            return Q(pk__in=[])
        found = Q()
        for word in self._words:
            if _is_long(word):
                found &= Q((f"{field}__contains", word))
            else:
                found &= Q((f"{field}__startswith", word)) | Q((f"{field}__contains", f" {word}"))
        return found

    def as_sql(self, column: str) -> tuple[str, list[str]]:
        """The same, of a column in a statement of ours."""
        parts, params = [], []
        for word in self._words:
            literal = connection.ops.prep_for_like_query(word)
            patterns = [f"%{literal}%"] if _is_long(word) else [f"{literal}%", f"% {literal}%"]
            parts.append("(" + " OR ".join([f"{column} LIKE %s"] * len(patterns)) + ")")
            params += patterns
        return " AND ".join(parts), params


def _is_long(word: str) -> bool:
    """True for a word that has a trigram of its own."""
    runs = ["".join(run) for alike, run in groupby(word, str.isalnum) if alike]
    return any(len(run) > 2 for run in runs) or any(character >= UNSPACED for character in word)


@dataclass(frozen=True)
class Places:
    """Where members are, of which an index has an order for each: the field that says so, and which are asked for.

    ``kind`` is what the database calls such a value.
    """

    field: str
    kind: str
    values: Sequence[object]


def find_across(members: MemberQuerySet, places: Places, beyond: Q, fields: Sequence[str], number: int) -> list[int]:
    """The keys of the first ``number`` of ``members`` who are in any of ``places``, in the order of ``fields``.

    The first few of each place are taken from the index, and the first of those. A place of which all few are among
    them is asked for as many as a page holds; more of it can only push others out.
    """
    few = max(4 * number // len(places.values), FEW)
    one = members.filter(beyond, **{places.field: RawSQL("place.value", ())}).order_by(*fields)
    select, params = one.values_list("id", *_columns(fields))[:number].query.sql_with_params()
    order = _order_sql(fields)
    statement = f"""
        WITH heads AS MATERIALIZED (
            SELECT place.value AS place, found.* FROM unnest(%s::{places.kind}[]) AS place(value)
            CROSS JOIN LATERAL (SELECT * FROM ({select}) AS first LIMIT %s) AS found ORDER BY {order} LIMIT %s
        ), whole AS MATERIALIZED (SELECT place AS value FROM heads GROUP BY place HAVING count(*) = %s)
        SELECT found.id FROM (
            SELECT heads.* FROM heads WHERE place NOT IN (SELECT value FROM whole)
            UNION ALL SELECT place.value, more.* FROM whole AS place CROSS JOIN LATERAL ({select}) AS more
        ) AS found ORDER BY {order} LIMIT %s
    """  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(places.values), *params, few, number, few, *params, number])
        return [key for (key,) in cursor.fetchall()]


def find_by_words(
    members: MemberQuerySet, words: Words, beyond: Q, fields: Sequence[str], number: int, *, common: bool
) -> list[int]:
    """The keys of the first ``number`` of ``members`` in whom ``words`` are found, in the order of ``fields``.

    When they are ``common``, a page of them is likely to be near; otherwise all who match are sorted.
    """
    if words.find_nobody:
        return []
    if common:
        found, exhausted = _look_nearby(members.filter(beyond), words, fields, number)
        if exhausted or len(found) == number:
            return found
    with only_matching():
        return list(
            members.filter(words.condition).filter(beyond).order_by(*fields).values_list("id", flat=True)[:number]
        )


def find_by_facts(
    near: MemberQuerySet,
    parts: Sequence[MemberQuerySet],
    beyond: Q,
    fields: Sequence[str],
    number: int,
    *,
    index_order: Sequence[str],
    common: bool,
    across: Callable[[], list[int]] | None = None,
) -> list[int]:
    """The keys of the first ``number`` of those in any of ``parts``, which share nobody, in the order of ``fields``.

    What they have to be like has no index in that order. ``near`` holds them and others, and has one that begins
    with ``index_order``. When they are ``common``, a page of them is likely to be near; otherwise all are sorted, or
    found by ``across``, where common ones have an index by places.
    """
    if common:
        rows = near.filter(beyond).order_by(*index_order)
        with only_indexed():
            found = _first_of(parts, fields, number, pk__in=rows.values("pk")[:WINDOW])
        if len(found) == number or not rows[WINDOW - 1 : WINDOW].exists():
            return found
        if across:
            return across()
    with only_matching():
        return _first_of([part.filter(beyond) for part in parts], fields, number)


def _first_of(parts: Sequence[MemberQuerySet], fields: Sequence[str], number: int, **within: object) -> list[int]:
    columns = _columns(fields)
    rows = [
        row for part in parts for row in part.filter(**within).order_by(*fields).values_list(*columns, "id")[:number]
    ]
    rows.sort(reverse=fields[0].startswith("-"))
    return [row[-1] for row in rows[:number]]


def _look_nearby(members: MemberQuerySet, words: Words, fields: Sequence[str], number: int) -> tuple[list[int], bool]:
    """Who is found in the next rows of the list, and whether these were the last ones."""
    columns = [column for column in _columns(fields) if column != "search_text"]
    near = members.order_by(*fields).values_list("id", "search_text", *columns)[:WINDOW]
    select, params = near.query.sql_with_params()
    condition, patterns = words.as_sql("found.search_text")
    statement = (
        f"WITH found AS MATERIALIZED ({select}) SELECT (SELECT count(*) FROM found),"  # noqa: S608
        f" ARRAY(SELECT id FROM found WHERE {condition} ORDER BY {_order_sql(fields)} LIMIT %s)"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [*params, *patterns, number])
        [(looked_at, keys)] = cursor.fetchall()
    return keys, looked_at < WINDOW


def count_by_state(parts: Sequence[MemberQuerySet], cap: int) -> dict[str, int]:
    """How many of those in ``parts``, which share nobody, have which state; no more than ``cap`` + 1 are looked at."""
    states: list[str] = []
    for part in parts:
        states += part.order_by().values_list("state", flat=True)[: cap + 1 - len(states)]
    return Counter(states)


@contextmanager
def only_indexed() -> Iterator[None]:
    """Have the planner begin with an index, and read no whole table in the hope to meet enough of them soon."""
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        yield
        cursor.execute("SET LOCAL enable_seqscan = on")


@contextmanager
def only_matching() -> Iterator[None]:
    """Have the planner look up the rows that match, and walk along no list in the hope to meet them."""
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
        yield
        cursor.execute("SET LOCAL enable_seqscan = on; SET LOCAL enable_indexscan = on")


def _columns(fields: Sequence[str]) -> list[str]:
    return [column for field in fields if (column := field.removeprefix("-")) != "id"]


def _order_sql(fields: Sequence[str]) -> str:
    return ", ".join(
        f"found.{field.removeprefix('-')} {'DESC' if field.startswith('-') else 'ASC'}" for field in fields
    )
