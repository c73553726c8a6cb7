"""The stock of numbers is loaded by those who run the installation."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction

from members.access import Actor, Capability
from telephony.stock_counts import count_areas
from telephony.stock_file import ROW_TEXTS, RowError, StockRow

logger = logging.getLogger(__name__)

# A million numbers take minutes, most of which nothing is locked.
_PATIENCE = "SET LOCAL statement_timeout = '60min'"
_STAGE = """
    DROP TABLE IF EXISTS pg_temp.telephony_stage, pg_temp.telephony_load;
    CREATE TEMPORARY TABLE telephony_stage (
        row integer, number text, country text, region text, city text, type text, price numeric(16, 4), currency text
    ) ON COMMIT DROP
"""
_AREAS = """
    INSERT INTO telephony_numberarea (country, region, city, type)
    SELECT DISTINCT country, region, city, type FROM telephony_stage ORDER BY country, city, region, type
    ON CONFLICT (country, city, region, type) DO NOTHING
"""
# Of a number that stands there twice the first row counts.
_DOUBLE = """
    DELETE FROM telephony_stage later USING telephony_stage first
    WHERE first.number = later.number AND first.row < later.row
    RETURNING later.row, (later.country, later.region, later.city, later.type, later.price, later.currency)
        IS DISTINCT FROM (first.country, first.region, first.city, first.type, first.price, first.currency)
"""
_INDEX = "CREATE INDEX ON telephony_stage (number)"
_RESOLVE = """
    CREATE TEMPORARY TABLE telephony_load ON COMMIT DROP AS
    SELECT stage.row, stage.number, area.id AS area, stage.price, stage.currency, known.id AS known,
        known.organization_id IS NOT NULL AND (was.country <> area.country OR was.type <> area.type) AS refused,
        (known.area_id, known.monthly_price, known.currency) IS DISTINCT FROM (area.id, stage.price, stage.currency)
            OR known.retired_at IS NOT NULL AS differs
    FROM telephony_stage stage
    JOIN telephony_numberarea area USING (country, region, city, type)
    LEFT JOIN telephony_phonenumber known ON known.number = stage.number
    LEFT JOIN telephony_numberarea was ON was.id = known.area_id
"""
# Locked by key, as whoever acquires them does.
_UPDATE = """
    WITH locked AS (
        SELECT id FROM telephony_phonenumber
        WHERE id IN (SELECT known FROM telephony_load WHERE differs AND NOT refused AND known IS NOT NULL)
        ORDER BY id FOR UPDATE
    )
    UPDATE telephony_phonenumber number SET
        area_id = load.area, monthly_price = load.price, currency = load.currency, retired_at = NULL
    FROM telephony_load load WHERE load.known = number.id AND number.id IN (SELECT id FROM locked)
"""
_INSERT = """
    INSERT INTO telephony_phonenumber (number, area_id, monthly_price, currency)
    SELECT number, area, price, currency FROM telephony_load WHERE known IS NULL ORDER BY number
    ON CONFLICT (number) DO NOTHING
"""


@dataclass(kw_only=True)
class Loaded:
    """What came of a file: how many numbers are new, how many differ from what they were, and which rows are wrong."""

    added: int = 0
    updated: int = 0
    errors: list[RowError] = field(default_factory=list)


class LoadRefused(Exception):
    """Rows are wrong, or it was only to be tried: nothing is loaded."""

    def __init__(self, loaded: Loaded) -> None:
        super().__init__()
        self.loaded = loaded


def load_numbers(
    *, actor: Actor, rows: Iterable[StockRow | RowError], valid_rows_only: bool = False, dry_run: bool = False
) -> Loaded:
    """Bring rows of a file into the stock, each number once: what is there already becomes as the file says.

    When one of them is wrong, none is loaded, unless ``valid_rows_only``: ``errors`` tells all that are. The same
    rows again change nothing. For those who run the installation.
    """
    if not actor.can(Capability.RUN_INSTALLATION):
        raise PermissionDenied
    try:
        loaded = _load(rows=rows, valid_rows_only=valid_rows_only, dry_run=dry_run)
    except LoadRefused as refused:
        return refused.loaded
    logger.info("Loaded the stock of numbers.", extra={"count": loaded.added + loaded.updated})
    return loaded


@transaction.atomic(durable=True)
def _load(*, rows: Iterable[StockRow | RowError], valid_rows_only: bool, dry_run: bool) -> Loaded:
    loaded = Loaded()
    with connection.cursor() as cursor:
        cursor.execute(_PATIENCE)
        cursor.execute(_STAGE)
        with cursor.copy("COPY telephony_stage FROM STDIN") as copy:
            for row in rows:
                if isinstance(row, RowError):
                    loaded.errors.append(row)
                else:
                    copy.write_row(row)
        cursor.execute(_INDEX)
        cursor.execute("ANALYZE telephony_stage")
        cursor.execute(_DOUBLE)
        loaded.errors += [
            RowError(row, "number", str(ROW_TEXTS["number_again"])) for row, other in cursor.fetchall() if other
        ]
        cursor.execute(_AREAS)
        cursor.execute(_RESOLVE)
        cursor.execute("SELECT row FROM telephony_load WHERE refused")
        loaded.errors += [RowError(row, "country", str(ROW_TEXTS["number_of_other"])) for (row,) in cursor.fetchall()]
        loaded.errors.sort()
        if loaded.errors and not valid_rows_only:
            raise LoadRefused(loaded)
        cursor.execute("ANALYZE telephony_load")
        cursor.execute(_UPDATE)
        loaded.updated = cursor.rowcount
        cursor.execute(_INSERT)
        loaded.added = cursor.rowcount
        if dry_run:
            raise LoadRefused(loaded)
    count_areas()
    return loaded
