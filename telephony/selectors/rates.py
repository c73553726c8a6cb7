"""Rate decks as they are looked at: what a number costs, what a version changes, and which countries have no rate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import phonenumbers
from django.db import connection
from django.db.models import F, OuterRef, Q, Subquery
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy, pgettext_lazy

from members.places import country_name
from skypemgr.lists import Ordering, Page, count_up_to, keyset_page, read_text
from telephony.models import PrefixRate, RateDeck, RateDeckVersion
from telephony.rating import Deck, DeckEntry

BY_PREFIX = Ordering("prefix", ("prefix", "valid_from", "id"))
AT_ONCE = 50


@dataclass(frozen=True)
class DeckRow:
    """A deck with the version that was loaded last."""

    deck: RateDeck
    last: RateDeckVersion


def list_decks() -> list[DeckRow]:
    """The installation's decks, then those of organizations, by currency."""
    newest = RateDeckVersion.objects.filter(deck=OuterRef("pk")).order_by("-number")
    decks = RateDeck.objects.select_related("organization").annotate(last=Subquery(newest.values("pk")[:1]))
    found = list(decks.order_by(F("organization__slug").asc(nulls_first=True), "currency")[:500])
    versions = RateDeckVersion.objects.select_related("loaded_by").in_bulk([deck.last for deck in found if deck.last])
    return [DeckRow(deck, versions[deck.last]) for deck in found if deck.last]


def version_at(deck: RateDeck, moment: datetime) -> RateDeckVersion | None:
    """The version by which calls are rated that are answered at ``moment``."""
    return deck.versions.filter(valid_from__lte=moment).order_by("-number").first()


def page_of_rates(version: RateDeckVersion, query: QueryDict) -> Page[PrefixRate]:
    """The rates of a version by prefix, or those of a destination, or by which a number would be found."""
    rates = version.prefix_rates.all()
    if search := read_text(query):
        digits = "".join(character for character in search if character.isdecimal())
        found = Q(destination__icontains=search)
        if digits:
            found |= Q(prefix__startswith=digits) | Q(prefix__in=_prefixes(digits))
        rates = rates.filter(found)
    total = count_up_to(rates)
    text = ngettext_lazy("{shown} of {total} rate", "{shown} of {total} rates")
    return keyset_page(rates, order=BY_PREFIX, query=query, text=text % total.number, total=total)


def deck_for(version: RateDeckVersion, digits: str) -> Deck:
    """As much of a deck as the price of calls to one number needs."""
    rates = version.prefix_rates.filter(prefix__in=_prefixes(digits))
    entries = [
        DeckEntry(
            prefix=one.prefix,
            destination=one.destination,
            rate=one.rate,
            valid_from=one.valid_from,
            key=one.pk,
        )
        for one in rates
    ]
    return Deck(entries, currency=version.deck.currency, decimals=version.decimals)


def _prefixes(digits: str) -> list[str]:
    return [digits[:length] for length in range(1, min(len(digits), 15) + 1)]


class Difference(StrEnum):
    """How a prefix differs between two versions."""

    DEARER = "dearer"
    CHEAPER = "cheaper"
    OTHER = "other"
    ADDED = "added"
    REMOVED = "removed"


DIFFERENCES: Mapping[Difference, str | Promise] = {
    Difference.DEARER: pgettext_lazy("rates", "Dearer"),
    Difference.CHEAPER: pgettext_lazy("rates", "Cheaper"),
    Difference.OTHER: pgettext_lazy("rates", "Billed otherwise"),
    Difference.ADDED: pgettext_lazy("rates", "New"),
    Difference.REMOVED: pgettext_lazy("rates", "Gone"),
}


@dataclass(frozen=True)
class DifferentPrefix:
    """A prefix that two versions price otherwise; what it has in one of them, None where it has nothing."""

    prefix: str
    kind: Difference
    destination: str
    old_minute: Decimal | None
    new_minute: Decimal | None
    old_fee: Decimal | None
    new_fee: Decimal | None

    @property
    def label(self) -> str | Promise:
        return DIFFERENCES[self.kind]


@dataclass(frozen=True)
class Comparison:
    """How many prefixes differ in which way, and some of them in their order."""

    counts: Mapping[Difference, int]
    rows: Sequence[DifferentPrefix]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def labeled(self) -> list[tuple[str | Promise, int]]:
        return [(DIFFERENCES[kind], number) for kind, number in self.counts.items()]


# Of several rates of a prefix, the last.
_SIDE = """
    SELECT DISTINCT ON (prefix) * FROM telephony_prefixrate
    WHERE version_id = %({version})s ORDER BY prefix, valid_from DESC
"""
_DIFFERENCES = """
    WITH compared AS (
        SELECT coalesce(new.prefix, old.prefix) AS prefix, coalesce(new.destination, old.destination) AS destination,
            old.per_minute AS old_minute, new.per_minute AS new_minute,
            old.connection_fee AS old_fee, new.connection_fee AS new_fee,
            CASE WHEN old.id IS NULL THEN 'added' WHEN new.id IS NULL THEN 'removed'
                WHEN (new.per_minute, new.connection_fee, new.minimum_charge)
                    = (old.per_minute, old.connection_fee, old.minimum_charge) THEN
                    CASE WHEN (new.first_increment, new.next_increment, new.grace_seconds)
                        <> (old.first_increment, old.next_increment, old.grace_seconds) THEN 'other' END
                WHEN new.per_minute >= old.per_minute AND new.connection_fee >= old.connection_fee
                    AND new.minimum_charge >= old.minimum_charge THEN 'dearer'
                WHEN new.per_minute <= old.per_minute AND new.connection_fee <= old.connection_fee
                    AND new.minimum_charge <= old.minimum_charge THEN 'cheaper'
                ELSE 'other' END AS kind
        FROM ({old}) AS old
        FULL JOIN ({new}) AS new ON new.prefix = old.prefix
    )
"""
_COUNTS = "{differences} SELECT kind, count(*) FROM compared WHERE kind IS NOT NULL GROUP BY kind"
_ROWS = """
    {differences}
    SELECT prefix, kind, destination, old_minute, new_minute, old_fee, new_fee FROM compared
    WHERE kind IS NOT NULL AND (%(kind)s = '' OR kind = %(kind)s) AND prefix COLLATE "C" > %(after)s
    ORDER BY prefix COLLATE "C" LIMIT %(limit)s
"""


def compare_versions(
    old: RateDeckVersion | None,
    new: RateDeckVersion,
    *,
    kind: Difference | None = None,
    after: str = "",
    limit: int | None = AT_ONCE,
) -> Comparison:
    """What prefixes cost in the end by ``new`` that they did not by ``old``; without one, all are new.

    ``rows`` are those of one ``kind`` or all, in their order, ``limit`` of them (None: all) beyond the prefix
    ``after``.
    """
    asked: dict[str, Any] = {
        "old": old and old.pk,
        "new": new.pk,
        "kind": kind or "",
        "after": after,
        "limit": limit,
    }
    differences = _DIFFERENCES.format(old=_SIDE.format(version="old"), new=_SIDE.format(version="new"))
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS.format(differences=differences), asked)
        counts = {Difference(found): number for found, number in cursor.fetchall()}
        cursor.execute(_ROWS.format(differences=differences), asked)
        rows = [DifferentPrefix(prefix, Difference(found), *rest) for prefix, found, *rest in cursor.fetchall()]
    return Comparison({one: counts[one] for one in Difference if one in counts}, rows)


@dataclass(frozen=True)
class Uncovered:
    """A country code that a version has no rate for, or ``partly`` only for some of the numbers behind it."""

    code: str
    countries: str
    partly: bool


_COVERAGE = """
    SELECT code, EXISTS (
        SELECT FROM telephony_prefixrate
        WHERE version_id = %(version)s AND prefix > code COLLATE "C" AND prefix < (code || ':') COLLATE "C"
    )
    FROM unnest(%(codes)s::text[]) AS code
    WHERE NOT EXISTS (
        SELECT FROM telephony_prefixrate
        WHERE version_id = %(version)s AND prefix IN (code, left(code, 1), left(code, 2))
    )
    ORDER BY code COLLATE "C"
"""
# How many countries of a code are named.
_NAMED = 3


def uncovered_by(version: RateDeckVersion) -> list[Uncovered]:
    """The country codes of the world (ITU-T E.164) that a version leaves without a rate, in their order."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    with connection.cursor() as cursor:
        cursor.execute(_COVERAGE, {"version": version.pk, "codes": [str(code) for code in regions]})
        return [Uncovered(code, _countries(regions[int(code)]), partly) for code, partly in cursor.fetchall()]


def _countries(regions: Sequence[str]) -> str:
    names = [country_name(region) for region in regions if region != "001"]
    if not names:
        return str(_("International networks"))
    return ", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")
