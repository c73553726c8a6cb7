"""A CSV file of rates: prefix, destination, what a minute and the connection cost, increments, and from when."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, BinaryIO, NamedTuple

from babel.core import get_global
from django.utils.translation import gettext_lazy as _

from members.column_names import ColumnNames, tell_header
from skypemgr import csv_files
from skypemgr.characters import drop_unseen, storable
from skypemgr.csv_files import CsvFile, UnreadableFile, open_csv
from skypemgr.problems import Texts
from telephony.models.rates import LONGEST_INCREMENT
from telephony.rating.prices import MINUTE, RATE_DECIMALS
from telephony.stock_file import RowError, WrongRow

TEXTS: Texts = {
    **csv_files.TEXTS,
    "rate_columns": _(
        "The file needs the columns prefix, destination, per_minute, currency and valid_from. It has %(headers)s."
    ),
}
ROW_TEXTS: Texts = {
    "prefix_shape": _("The prefix is the first digits of a number with its country, as 3319: at most 15, no 0 first."),
    "destination_missing": _("The destination is missing."),
    "destination_long": _("The destination has at most 100 characters."),
    "rate_amount": _(
        "Write an amount in plain digits with a point and at most six decimals, as 0.0574, below 100,000."
    ),
    "increment_shape": _("Write whole seconds, from 1 to 86400."),
    "grace_shape": _("Write whole seconds, from 0 to 86400."),
    "currency_unknown": _("Write the currency as a code of three letters, as EUR."),
    "currency_of_other": _("The organization pays in %(currency)s."),
    "date_shape": _("Write the date as 2026-01-31, or with a time and its zone, as 2026-01-31T08:00Z."),
    "rate_again": _("The prefix stands in the file before, from the same day on, with something else."),
}
COLUMNS = ("prefix", "destination", "per_minute", "currency", "valid_from")
INCREMENTS = ("first_increment", "next_increment")
_COLUMNS = ColumnNames(
    {name: name for name in (*COLUMNS, *INCREMENTS, "connection_fee", "grace_seconds", "minimum_charge")}
)


class UnclearRates(UnreadableFile):
    """A file whose columns don't say what calls cost."""

    texts = TEXTS


class WrongRate(WrongRow):
    """What is wrong in a row of rates."""

    texts = ROW_TEXTS


class RateRow(NamedTuple):
    """A row as it goes into a deck: amounts are of a minute or a call, increments and grace are seconds."""

    row: int
    prefix: str
    destination: str
    connection_fee: Decimal
    per_minute: Decimal
    first_increment: int
    next_increment: int
    grace_seconds: int
    minimum_charge: Decimal
    currency: str
    valid_from: datetime


@dataclass(frozen=True)
class RateFile:
    """A file that was understood; ``rows()`` reads it as it is asked for."""

    csv: CsvFile
    columns: dict[str, int]

    def rows(self) -> Iterator[RateRow | RowError]:
        """Every data row, or each thing that is wrong with it."""
        for number, _line, cells, problems, _notes in self.csv.rows():
            if problems:
                yield RowError(number, "", csv_files.describe(problems[0]["code"], problems[0]["facts"]))
                continue
            yield from _read(number, {name: cells[at].strip() for name, at in self.columns.items()})


def open_rates(file: BinaryIO) -> RateFile:
    """Understand a file of rates in one pass; its rows follow in a second one. Raises UnreadableFile."""
    csv = open_csv(file, judge=_COLUMNS.judge)
    header = csv.header or ()
    columns = {name: places[0] for name, places in _COLUMNS.columns(header).items()}
    if set(COLUMNS) - set(columns):
        raise UnclearRates("rate_columns", headers=tell_header(header))
    return RateFile(csv, columns)


def _read(row: int, values: Mapping[str, str]) -> Iterator[RateRow | RowError]:
    found: dict[str, Any] = {}
    wrong = []
    for name, read in _READERS.items():
        try:
            found[name] = read(name, values.get(name, ""))
        except WrongRate as problem:
            wrong.append(RowError(row, name, str(problem)))
    if wrong:
        yield from wrong
    else:
        yield RateRow(row, *found.values())


_PREFIX = re.compile(r"\+?([1-9][0-9]{0,14})")
_AMOUNT = re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,20})?")
_SECONDS = re.compile(r"[0-9]{1,5}")
_DAY = r"(?:19[7-9][0-9]|2[01][0-9]{2})-[0-9]{2}-[0-9]{2}"
_MOMENT = re.compile(rf"{_DAY}(?P<time>[T ][0-9]{{2}}:[0-9]{{2}}(?::[0-9]{{2}})?(?:Z|[+-][0-9]{{2}}:?[0-9]{{2}}))?")


def _read_prefix(name: str, text: str) -> str:
    found = _PREFIX.fullmatch(text)
    if found is None:
        raise WrongRate(name, "prefix_shape")
    return found[1]


def _read_destination(name: str, text: str) -> str:
    destination = " ".join(drop_unseen(storable(text)).split())
    if not destination:
        raise WrongRate(name, "destination_missing")
    if len(destination) > 100:
        raise WrongRate(name, "destination_long")
    return destination


def _read_amount(name: str, text: str) -> Decimal:
    if not text and name != "per_minute":
        return Decimal(0)
    if not _AMOUNT.fullmatch(text) or text.rstrip("0").partition(".")[2][RATE_DECIMALS:]:
        raise WrongRate(name, "rate_amount")
    return Decimal(text)


def _read_increment(name: str, text: str) -> int:
    return _seconds(name, text or str(MINUTE), 1, "increment_shape")


def _read_grace(name: str, text: str) -> int:
    return _seconds(name, text or "0", 0, "grace_shape")


def _seconds(name: str, text: str, fewest: int, code: str) -> int:
    if not _SECONDS.fullmatch(text) or not fewest <= int(text) <= LONGEST_INCREMENT:
        raise WrongRate(name, code)
    return int(text)


def _read_currency(name: str, text: str) -> str:
    currency = text.upper()
    if currency not in get_global("all_currencies"):
        raise WrongRate(name, "currency_unknown")
    return currency


def _read_moment(name: str, text: str) -> datetime:
    """A day begins at 00:00 UTC."""
    found = _MOMENT.fullmatch(text)
    try:
        if found is not None:
            moment = datetime.fromisoformat(text)
            return moment.astimezone(UTC) if found["time"] else moment.replace(tzinfo=UTC)
    except ValueError:
        pass
    raise WrongRate(name, "date_shape")


# As RateRow has them.
_READERS: dict[str, Callable[[str, str], Any]] = {
    "prefix": _read_prefix,
    "destination": _read_destination,
    "connection_fee": _read_amount,
    "per_minute": _read_amount,
    "first_increment": _read_increment,
    "next_increment": _read_increment,
    "grace_seconds": _read_grace,
    "minimum_charge": _read_amount,
    "currency": _read_currency,
    "valid_from": _read_moment,
}
