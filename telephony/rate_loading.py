"""Rows of a file as the next version of their decks: compared with the present one, stored, and laid out as ranges."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import attrgetter

from django.db import connection, transaction

from members.access import Actor
from members.models import Organization
from telephony.models import RateDeck, RateDeckVersion
from telephony.rate_file import ROW_TEXTS, RateRow
from telephony.rating import flatten
from telephony.stock_file import RowError

_PATIENCE = "SET LOCAL statement_timeout = '15min'"
_STAGE = """
    DROP TABLE IF EXISTS pg_temp.telephony_rate_stage;
    CREATE TEMPORARY TABLE telephony_rate_stage (
        row integer, prefix text COLLATE "C", destination text, connection_fee numeric(11, 6),
        per_minute numeric(11, 6), first_increment integer, next_increment integer, grace_seconds integer,
        minimum_charge numeric(11, 6), currency text, valid_from timestamptz
    ) ON COMMIT DROP
"""
_INDEX = "CREATE INDEX ON telephony_rate_stage (currency, prefix, valid_from)"
# Of a rate that stands there twice the first row counts.
_DOUBLE = """
    DELETE FROM telephony_rate_stage later USING telephony_rate_stage first
    WHERE (first.currency, first.prefix, first.valid_from) = (later.currency, later.prefix, later.valid_from)
        AND first.row < later.row
    RETURNING later.row, (
        later.destination, later.connection_fee, later.per_minute, later.first_increment, later.next_increment,
        later.grace_seconds, later.minimum_charge
    ) IS DISTINCT FROM (
        first.destination, first.connection_fee, first.per_minute, first.first_increment, first.next_increment,
        first.grace_seconds, first.minimum_charge
    )
"""
_DECKS = """
    SELECT currency, count(*), count(DISTINCT prefix), min(valid_from) FROM telephony_rate_stage
    GROUP BY currency ORDER BY currency
"""
_COMPARE = """
    SELECT count(*) FILTER (WHERE old.id IS NULL), count(*) FILTER (WHERE new.row IS NULL),
        count(*) FILTER (WHERE (
            new.destination, new.connection_fee, new.per_minute, new.first_increment, new.next_increment,
            new.grace_seconds, new.minimum_charge
        ) <> (
            old.destination, old.connection_fee, old.per_minute, old.first_increment, old.next_increment,
            old.grace_seconds, old.minimum_charge
        ))
    FROM (SELECT * FROM telephony_rate_stage WHERE currency = %(currency)s) AS new
    FULL JOIN (SELECT * FROM telephony_prefixrate WHERE version_id = %(version)s) AS old
        ON old.prefix = new.prefix AND old.valid_from = new.valid_from
"""
_STORE = """
    INSERT INTO telephony_prefixrate (
        version_id, prefix, destination, connection_fee, per_minute, first_increment, next_increment, grace_seconds,
        minimum_charge, valid_from
    )
    SELECT %(version)s, prefix, destination, connection_fee, per_minute, first_increment, next_increment,
        grace_seconds, minimum_charge, valid_from
    FROM telephony_rate_stage WHERE currency = %(currency)s ORDER BY prefix, valid_from
"""
_SORTED = "SELECT prefix, valid_from, id FROM telephony_prefixrate WHERE version_id = %s ORDER BY prefix, valid_from"
_RANGE_STAGE = """
    DROP TABLE IF EXISTS pg_temp.telephony_range_stage;
    CREATE TEMPORARY TABLE telephony_range_stage (low text COLLATE "C", valid_from timestamptz, rate bigint)
    ON COMMIT DROP
"""
_RANGES = """
    INSERT INTO telephony_raterange (
        version_id, low, valid_from, rate_id, connection_fee, per_minute, first_increment, next_increment,
        grace_seconds, minimum_charge
    )
    SELECT %s, stage.low, stage.valid_from, stage.rate, rate.connection_fee, rate.per_minute, rate.first_increment,
        rate.next_increment, rate.grace_seconds, rate.minimum_charge
    FROM telephony_range_stage stage LEFT JOIN telephony_prefixrate rate ON rate.id = stage.rate
    ORDER BY stage.low, stage.valid_from
"""


@dataclass(kw_only=True)
class LoadedDeck:
    """What came of a deck: its version, and by how many rates it differs from the version before.

    ``new`` is False when it differs by none, and the version before stays. A rate is that of a prefix from a moment on.
    """

    currency: str
    version: int
    new: bool
    rates: int
    prefixes: int
    added: int
    changed: int
    removed: int


@dataclass(kw_only=True)
class LoadedRates:
    """What came of a file: its decks, or which rows are wrong."""

    decks: list[LoadedDeck] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)


@transaction.atomic(savepoint=False)
def stage_rates(rows: Iterable[RateRow | RowError], *, currency: str = "") -> list[RowError]:
    """Lay rows of a file ready for ``store_rates``, and tell which are wrong. All are to be in ``currency``, if any."""
    errors = []
    with connection.cursor() as cursor:
        cursor.execute(_PATIENCE)
        cursor.execute(_STAGE)
        with cursor.copy("COPY telephony_rate_stage FROM STDIN") as copy:
            for row in rows:
                if isinstance(row, RowError):
                    errors.append(row)
                elif currency and row.currency != currency:
                    sentence = str(ROW_TEXTS["currency_of_other"]) % {"currency": currency}
                    errors.append(RowError(row.row, "currency", sentence))
                else:
                    copy.write_row(row)
        cursor.execute(_INDEX)
        cursor.execute("ANALYZE telephony_rate_stage")
        cursor.execute(_DOUBLE)
        errors += [RowError(row, "prefix", str(ROW_TEXTS["rate_again"])) for row, other in cursor.fetchall() if other]
    return sorted(errors, key=attrgetter("row"))


@transaction.atomic(savepoint=False)
def store_rates(
    *, actor: Actor, organization: Organization | None, decimals: int, file_name: str
) -> list[tuple[LoadedDeck, RateDeckVersion]]:
    """Make what lies ready the next version of the deck of each currency in it, unless it is as the last one."""
    with connection.cursor() as cursor:
        cursor.execute(_DECKS)
        found = cursor.fetchall()
    stored = []
    for currency, rates, prefixes, valid_from in found:
        deck = lock_deck(organization, currency)
        last = deck.versions.order_by("-number").first()
        added, removed, changed = _compare(currency, last)
        new = last is None or bool(added or removed or changed) or last.decimals != decimals
        if last is None or new:
            last = RateDeckVersion.objects.create(
                deck=deck,
                number=last.number + 1 if last else 1,
                decimals=decimals,
                valid_from=valid_from,
                rates=rates,
                prefixes=prefixes,
                file_name=file_name[:255],
                loaded_by=actor.user,
            )
            _store(currency, last)
        outcome = LoadedDeck(
            currency=currency,
            version=last.number,
            new=new,
            rates=rates,
            prefixes=prefixes,
            added=added,
            changed=changed,
            removed=removed,
        )
        stored.append((outcome, last))
    return stored


def lock_deck(organization: Organization | None, currency: str) -> RateDeck:
    """The deck of an organization, or the installation's own, which nobody else loads until the transaction ends."""
    RateDeck.objects.bulk_create([RateDeck(organization=organization, currency=currency)], ignore_conflicts=True)
    return RateDeck.objects.select_for_update(of=("self",), no_key=True).get(
        organization=organization, currency=currency
    )


def _compare(currency: str, last: RateDeckVersion | None) -> tuple[int, int, int]:
    with connection.cursor() as cursor:
        cursor.execute(_COMPARE, {"currency": currency, "version": last.pk if last else None})
        added, removed, changed = cursor.fetchone()
    return added, removed, changed


def _store(currency: str, version: RateDeckVersion) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_STORE, {"currency": currency, "version": version.pk})
        cursor.execute(_SORTED, [version.pk])
        entries = cursor.fetchall()
        cursor.execute(_RANGE_STAGE)
        with cursor.copy("COPY telephony_range_stage FROM STDIN") as copy:
            for low, valid_from, rate in flatten(entries, since=version.valid_from):
                copy.write_row((low, valid_from or "-infinity", rate))
        cursor.execute(_RANGES, [version.pk])
