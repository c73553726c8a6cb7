"""What a report is made of, by the keys of a cut: all at once, what comes to the most, or one portion after another."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from skypemgr.database.prepared import prepared_cursor


@dataclass(frozen=True)
class Grouped[T]:
    """A statement that gives a ``key`` and figures for each, which ``read`` makes one of.

    ``main`` is the column that says which come to the most; those that come to as much follow by their keys.
    """

    statement: str
    facts: Mapping[str, Any]
    main: str
    read: Callable[..., T]

    def all(self) -> dict[Any, T]:
        with prepared_cursor() as cursor:
            cursor.execute(self.statement, self.facts)
            return self._read(cursor.fetchall())

    def most(self, number: int) -> dict[Any, T]:
        """So many of those that come to the most, in this order."""
        with connection.cursor() as cursor:
            cursor.execute(f"{self._ordered} LIMIT %(most)s", {**self.facts, "most": number})
            return self._read(cursor.fetchall())

    def number(self) -> int:
        """How many keys there are."""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM ({self.statement}) AS found", self.facts)  # noqa: S608
            return int(cursor.fetchone()[0])

    def chunks(self, size: int = 1_000) -> Iterator[dict[Any, T]]:
        """All of them in the order of ``most``, as they were when this began; the server keeps what waits."""
        wrapper: Any = connection
        with wrapper.chunked_cursor() as cursor:
            cursor.execute(self._ordered, self.facts)
            while rows := cursor.fetchmany(size):
                yield self._read(rows)

    @property
    def _ordered(self) -> str:
        return f"{self.statement} ORDER BY {self.main} DESC, key"

    def _read(self, rows: list[tuple[Any, ...]]) -> dict[Any, T]:
        return {key: self.read(*figures) for key, *figures in rows}
