"""A CSV file of numbers for the stock: number, country, region, city, type, and what they cost where they cost."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import BinaryIO, NamedTuple

from django.utils.translation import gettext_lazy as _

from members.column_names import ColumnNames, tell_header
from skypemgr import csv_files
from skypemgr.characters import drop_unseen, storable
from skypemgr.csv_files import CsvFile, UnreadableFile, open_csv
from skypemgr.money import NotAnAmount, read_amount
from skypemgr.problems import Problem, Texts
from telephony.models import NumberArea
from telephony.phone_numbers import check_type, read_phone_number

TEXTS: Texts = {
    **csv_files.TEXTS,
    "stock_columns": _("The file needs the columns number, country, region, city and type. It has %(headers)s."),
}
ROW_TEXTS: Texts = {
    "country_shape": _("The country is a code of two letters, as FR."),
    "type_unknown": _("The type is user, service or toll_free."),
    "place_long": _("The region and the city have at most 100 characters."),
    "city_missing": _("The city is missing."),
    "price_without_currency": _("A monthly price needs its currency, as EUR, and a currency its price."),
    "number_again": _("The number stands in the file before, with something else."),
    "number_of_other": _("The number is owned, and stays in the country and of the type that it has."),
}
COLUMNS = ("number", "country", "region", "city", "type")
PRICE = ("monthly_price", "currency")
_COLUMNS = ColumnNames({name: name for name in (*COLUMNS, *PRICE)})


class UnclearStock(UnreadableFile):
    """A file whose columns don't say what its numbers are."""

    texts = TEXTS


class WrongRow(Problem):
    """What is wrong in a row, beside its number."""

    texts = ROW_TEXTS

    def __init__(self, field: str, code: str) -> None:
        super().__init__(code)
        self.field = field


class StockRow(NamedTuple):
    """A row as it goes into the stock."""

    row: int
    number: str
    country: str
    region: str
    city: str
    type: str
    monthly_price: Decimal | None
    currency: str


class RowError(NamedTuple):
    """What keeps a row out: the field, and a sentence."""

    row: int
    field: str
    message: str


@dataclass(frozen=True)
class StockFile:
    """A file that was understood; ``rows()`` reads it as it is asked for."""

    csv: CsvFile
    columns: dict[str, int]

    def rows(self) -> Iterator[StockRow | RowError]:
        """Every data row, or what is wrong with it."""
        for number, _line, cells, problems, _notes in self.csv.rows():
            if problems:
                yield RowError(number, "", csv_files.describe(problems[0]["code"], problems[0]["facts"]))
                continue
            values = {name: cells[at] for name, at in self.columns.items()}
            try:
                yield _checked(number, values)
            except Problem as problem:
                yield RowError(number, problem.field or "number", str(problem))
            except NotAnAmount as refusal:
                yield RowError(number, "monthly_price", str(refusal))


def open_stock(file: BinaryIO) -> StockFile:
    """Understand a file of numbers in one pass; its rows follow in a second one. Raises UnreadableFile."""
    csv = open_csv(file, judge=_COLUMNS.judge)
    header = csv.header or ()
    columns = {name: places[0] for name, places in _COLUMNS.columns(header).items()}
    if set(COLUMNS) - set(columns):
        raise UnclearStock("stock_columns", headers=tell_header(header))
    return StockFile(csv, columns)


_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def _checked(row: int, values: dict[str, str]) -> StockRow:
    """Raises Problem and NotAnAmount with what is wrong."""
    country = values["country"].strip().upper()
    if not re.fullmatch("[A-Z]{2}", country):
        raise WrongRow("country", "country_shape")
    type_ = values["type"].strip().lower()
    if type_ not in NumberArea.Type.values:
        raise WrongRow("type", "type_unknown")
    written = values["number"]
    number = written if _E164.fullmatch(written) else read_phone_number(written, country=country)
    check_type(number, country=country, toll_free=type_ == NumberArea.Type.TOLL_FREE)
    region, city = (" ".join(drop_unseen(storable(values[name])).split()) for name in ("region", "city"))
    if max(len(region), len(city)) > 100:
        raise WrongRow("city", "place_long")
    if type_ == NumberArea.Type.USER and not city:
        raise WrongRow("city", "city_missing")
    return StockRow(row, number, country, region, city, type_, *_price(values))


def _price(values: dict[str, str]) -> tuple[Decimal | None, str]:
    price, currency = (values.get(name, "").strip() for name in PRICE)
    currency = currency.upper()
    if bool(price) != bool(currency) or (currency and not re.fullmatch("[A-Z]{3}", currency)):
        raise WrongRow("monthly_price", "price_without_currency")
    return (read_amount(price, currency), currency) if price else (None, "")
