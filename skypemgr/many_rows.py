"""Writing many rows in a few statements, for one row and for a hundred thousand alike.

Rows are model instances, as Django's bulk_create takes them. Every constraint and trigger of the tables holds.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any

from django.db import connection, models, transaction
from django.db.models.options import Options
from django.utils import timezone

from skypemgr.database.prepared import prepared_cursor

FEW = 100

type Prepare = Callable[[Any], Any]

# What psycopg writes as it is; everything else is asked of its field.
PLAIN = (
    models.BooleanField,
    models.CharField,
    models.DateTimeField,
    models.ForeignKey,
    models.IntegerField,
    models.TextField,
    models.UUIDField,
)


def insert_rows[M: models.Model](rows: Sequence[M]) -> list[M]:
    """Write rows of one model that don't exist yet, and give them back with their ids, which follow their order.

    One is an INSERT, several are COPY with ids that are taken from the table's sequence beforehand. Either way the
    table is locked for writing before an id is drawn. Values are plain ones: no expressions. Raises IntegrityError when
    a constraint refuses one of them.
    """
    rows = list(rows)
    if not rows:
        return rows
    shape = _shape_of(type(rows[0]), with_key=len(rows) > 1)
    _date(rows, shape)
    if len(rows) == 1:
        with prepared_cursor() as cursor:
            cursor.execute(shape.insert, shape.line(rows[0]))
            [rows[0].pk] = cursor.fetchone()
    else:
        _copy_with_ids(rows, shape)
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias
    return rows


def insertion(row: models.Model, of: str) -> tuple[str, list[Any]]:
    """An INSERT as a part of a larger statement, and its parameters: it writes a row for each one that ``of`` gives.

    ``of`` is what comes after FROM. The ids stay with the database.
    """
    shape = _shape_of(type(row), with_key=False)
    _date([row], shape)
    return f"{shape.insert_selected} FROM {of}", shape.line(row)


def _date(rows: Sequence[models.Model], shape: "Shape") -> None:
    now = timezone.now()
    for name in shape.moments:
        for row in rows:
            setattr(row, name, now)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How rows of a model are written: its columns and what makes their values of a row."""

    insert: str
    insert_selected: str
    copy: str
    moments: Sequence[str]
    values: Callable[[Any], Iterable[Any]]
    prepared: Sequence[tuple[int, Prepare]]

    def line(self, row: models.Model) -> list[Any]:
        line = list(self.values(row))
        for place, prepare in self.prepared:
            line[place] = prepare(line[place])
        return line


@cache
def _shape_of(model: type[models.Model], *, with_key: bool) -> Shape:
    meta = model._meta
    fields = [field for field in meta.local_concrete_fields if not field.generated and (with_key or field != meta.pk)]
    table, columns = _quoted(meta.db_table), ", ".join(map(_column_of, fields))
    places, key = ", ".join(["%s"] * len(fields)), _column_of(_key_of(meta))
    return Shape(
        insert=f"INSERT INTO {table} ({columns}) VALUES ({places}) RETURNING {key}",  # noqa: S608
        insert_selected=f"INSERT INTO {table} ({columns}) SELECT {places}",
        copy=f"COPY {table} ({columns}) FROM STDIN",
        moments=[field.attname for field in fields if getattr(field, "auto_now_add", False)],
        values=attrgetter(*(field.attname for field in fields)),
        prepared=[(place, prepare) for place, field in enumerate(fields) if (prepare := _preparation(field))],
    )


def _copy(cursor: Any, statement: str, lines: Iterable[list[Any]], *, plan_anew: bool) -> None:
    if plan_anew:
        _plan_anew(cursor)
    with connection.wrap_database_errors, cursor.copy(statement) as copy:
        for line in lines:
            copy.write_row(line)


def update_rows[M: models.Model](rows: Sequence[M], fields: Sequence[str]) -> None:
    """Write ``fields`` of rows that exist, in one UPDATE … FROM. Values are plain ones: no expressions."""
    if not rows:
        return
    meta = rows[0]._meta
    known = {field.name: field for field in meta.local_concrete_fields}
    written = [_key_of(meta), *(known[name] for name in fields)]
    key, *columns = map(_column_of, written)
    arrays = []
    for field in written:
        prepare = _preparation(field) or _as_it_is
        arrays.append([prepare(getattr(row, field.attname)) for row in rows])
    places = ", ".join(f"%s::{_array_of(field)}" for field in written)
    changes = ", ".join(f"{column} = new.{column}" for column in columns)
    names = ", ".join([key, *columns])
    table = _quoted(meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {changes} FROM unnest({places}) AS new ({names}) WHERE {table}.{key} = new.{key}",  # noqa: S608
            arrays,
        )


def check_references() -> None:
    """Check every foreign key of this transaction now, and not when it ends."""
    with connection.cursor() as cursor:
        _plan_anew(cursor)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _plan_anew(cursor: Any) -> None:
    # A session plans what constraints and triggers ask once. Planned while a table was nearly empty, the question may
    # walk through all rows of an organization for each new row: a hundred thousand times a hundred thousand.
    cursor.execute("DISCARD PLANS")


@transaction.atomic(savepoint=False)
def _copy_with_ids(rows: Sequence[models.Model], shape: Shape) -> None:
    _take_ids(rows)
    with connection.cursor() as cursor:
        _copy(cursor, shape.copy, map(shape.line, rows), plan_anew=len(rows) > FEW)


def _take_ids(rows: Sequence[models.Model]) -> None:
    meta = rows[0]._meta
    with connection.cursor() as cursor:
        # As an INSERT does before it draws an id. Whoever waits for all writers (see members.sealing) would otherwise
        # pass over ids that are drawn but not yet written.
        cursor.execute(f"LOCK TABLE {_quoted(meta.db_table)} IN ROW EXCLUSIVE MODE")
        cursor.execute(
            "SELECT nextval((SELECT pg_get_serial_sequence(%s, %s)::regclass)) FROM generate_series(1, %s)",
            [_quoted(meta.db_table), _key_of(meta).column, len(rows)],
        )
        for row, (number,) in zip(rows, sorted(cursor.fetchall()), strict=True):
            row.pk = number


def _preparation(field: "models.Field[Any, Any]") -> Prepare | None:
    if isinstance(field, PLAIN):
        return None
    return lambda value: field.get_db_prep_save(value, connection)


def _as_it_is(value: Any) -> Any:
    return value


def _array_of(field: "models.Field[Any, Any]") -> str:
    # A cast to varchar(10) would cut what is too long; the assignment that follows refuses it.
    return "text[]" if isinstance(field, models.CharField) else f"{field.rel_db_type(connection)}[]"


def _key_of(meta: "Options[Any]") -> "models.Field[Any, Any]":
    assert meta.pk is not None
    return meta.pk


def _column_of(field: "models.Field[Any, Any]") -> str:
    assert field.column is not None
    return _quoted(field.column)


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
