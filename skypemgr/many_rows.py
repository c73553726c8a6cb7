"""Writing many rows in a few statements, for one row and for a hundred thousand alike.

Rows are model instances, as Django's bulk_create takes them. Every constraint and trigger of the tables holds.
"""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from django.db import connection, models
from django.db.models.options import Options
from django.utils import timezone

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
    """Write rows of one model that don't exist yet, by COPY, and give them back with their ids.

    Ids are taken from the table's sequence beforehand, in the order of ``rows``. Values are plain ones: no
    expressions. Raises IntegrityError when a constraint refuses one of them.
    """
    rows = list(rows)
    if not rows:
        return rows
    meta = rows[0]._meta
    fields = [field for field in meta.local_concrete_fields if not field.generated]
    _take_ids(rows)
    now = timezone.now()
    for name in [field.attname for field in fields if getattr(field, "auto_now_add", False)]:
        for row in rows:
            setattr(row, name, now)
    values = attrgetter(*(field.attname for field in fields))
    prepared = [(place, prepare) for place, field in enumerate(fields) if (prepare := _preparation(field))]
    columns = ", ".join(map(_column_of, fields))
    statement = f"COPY {_quoted(meta.db_table)} ({columns}) FROM STDIN"
    with connection.cursor() as cursor:
        if len(rows) > FEW:
            _plan_anew(cursor)
        with connection.wrap_database_errors, cursor.copy(statement) as copy:
            for row in rows:
                line = list(values(row))
                for place, prepare in prepared:
                    line[place] = prepare(line[place])
                copy.write_row(line)
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias
    return rows


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


def _take_ids(rows: Sequence[models.Model]) -> None:
    meta = rows[0]._meta
    with connection.cursor() as cursor:
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
