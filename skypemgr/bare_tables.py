"""Filling tables while they have no indexes and no foreign keys, which come back when the rows are there.

One sort of a million keys takes a second where a million searches for their place take a minute. The tables are
closed to everybody else meanwhile, so this is for rows that nobody waits for.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

# Foreign keys go first, since they stand on unique constraints, and come back last.
_REFERENCES = """
    SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
    WHERE contype = 'f' AND conrelid = ANY (%(tables)s::regclass[]) ORDER BY oid
"""
# What a table outside refers to stays, and so do primary keys, which are filled in their order.
_CONSTRAINTS = """
    SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint AS own
    WHERE contype IN ('u', 'x') AND conrelid = ANY (%(tables)s::regclass[])
        AND NOT EXISTS (SELECT FROM pg_constraint AS other WHERE contype = 'f' AND other.conindid = own.conindid)
    ORDER BY oid
"""
_INDEXES = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
    WHERE indrelid = ANY (%(tables)s::regclass[])
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
    ORDER BY indexrelid
"""


@contextmanager
def bare_tables(tables: Collection[str]) -> Iterator[None]:
    """Take indexes and references from ``tables`` until the block ends, and build and check them then, all as before.

    Inside of a transaction, which is the only one that sees the tables until it ends. Raises IntegrityError at the
    end of the block when the rows break a constraint.
    """
    with connection.cursor() as cursor:
        # A table whose rows still wait to be checked can't be altered.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        references = _drop_constraints(cursor, _REFERENCES, tables)
        constraints = _drop_constraints(cursor, _CONSTRAINTS, tables)
        indexes = _asked(cursor, _INDEXES, tables)
        for name, _definition in indexes:
            cursor.execute(f"DROP INDEX {name}")
        yield
        for _name, definition in indexes:
            cursor.execute(definition)
        for table, name, definition in [*constraints, *references]:
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def _drop_constraints(cursor: Any, question: str, tables: Collection[str]) -> list[tuple[str, str, str]]:
    found = _asked(cursor, question, tables)
    for table, name, _definition in found:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    return found


def _asked(cursor: Any, question: str, tables: Collection[str]) -> list[Any]:
    cursor.execute(question, {"tables": list(tables)})
    found: list[Any] = cursor.fetchall()
    return found
