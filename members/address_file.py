"""A CSV file of new addresses: which column holds the old one, which the new one, and what each row says."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

from django.utils.translation import gettext_lazy as _

from members.column_names import ColumnNames
from members.directory_headers import look_up
from skypemgr import csv_files
from skypemgr.characters import storable, trim
from skypemgr.csv_files import CsvFile, UnreadableFile, open_csv
from skypemgr.problems import Texts

TEXTS: Texts = {
    **csv_files.TEXTS,
    "addresses_unclear": _(
        "One column must hold the old addresses, and one the new ones. Call them Old address and New address."
    ),
    "new_columns": _("Two columns hold new addresses. Remove one of them."),
}
# Beside the names that directories give to addresses, which are those people were invited at.
_NAMES = {
    "old": """
        old address | old e-mail | old e-mail address | old mail | old | from | before | current address | invited at
        ancienne adresse | ancienne adresse e-mail | ancien e-mail | ancien | ancienne | de | avant | adresse actuelle
        gammal adress | gammal e-post | gammal e-postadress | gammal | från | före | nuvarande adress
    """,
    "new": """
        new address | new e-mail | new e-mail address | new mail | new | to | after | correct address
        nouvelle adresse | nouvelle adresse e-mail | nouvel e-mail | nouveau | nouvelle | à | après | adresse correcte
        ny adress | ny e-post | ny e-postadress | ny | till | efter | rätt adress
    """,
}


def _in_directories(header: str) -> str:
    known = look_up(header)
    return "email" if known is not None and known[0] == "email" else ""


_COLUMNS = ColumnNames(_NAMES, otherwise=_in_directories)


class UnclearAddresses(UnreadableFile):
    """A file whose columns don't say which address takes the place of which."""

    texts = TEXTS


class AddressRow(NamedTuple):
    """A data row as it stands in the file, trimmed. ``problems`` are those of reading it, ``{"code", "facts"}``."""

    number: int
    old: str
    new: str
    problems: Sequence[dict[str, Any]] = ()


@dataclass(frozen=True)
class AddressFile:
    """A file that was understood; ``rows()`` reads it as it is asked for."""

    csv: CsvFile
    old: Sequence[int]
    new: int

    def rows(self) -> Iterator[AddressRow]:
        """Every data row. What stands in it is not checked here."""
        for number, _line, cells, problems, _notes in self.csv.rows():
            old = next((cell for at in self.old if (cell := storable(trim(cells[at])))), "")
            yield AddressRow(number, old, storable(trim(cells[self.new])), problems)


def open_addresses(file: BinaryIO, *, limit_rows: int, encoding: str = "") -> AddressFile:
    """Understand a file of old and new addresses in one pass; its rows follow in a second one.

    Without names of columns, the first one with addresses holds the old ones, and the second the new ones.
    ``encoding``, a key of ``text_files.ENCODINGS``, overrules what would be detected. Raises UnreadableFile
    (UnclearAddresses among them) with what is wrong and what to do.
    """
    csv = open_csv(file, judge=_judge, limit_rows=limit_rows, encoding=encoding or None)
    if csv.header is None:
        columns = _columns_of_addresses(csv.sample)
        if len(columns) != 2:
            raise UnclearAddresses("addresses_unclear")
        return AddressFile(csv, columns[:1], columns[1])
    found = _COLUMNS.columns(csv.header)
    old = found.get("old") or found.get("email")
    if not old or "new" not in found:
        raise UnclearAddresses("addresses_unclear")
    if len(found["new"]) > 1:
        raise UnclearAddresses("new_columns")
    return AddressFile(csv, old, found["new"][0])


def _judge(rows: Sequence[Sequence[str]]) -> tuple[int, int | None]:
    """As ``ColumnNames.judge``; a file without any names is understood by its addresses."""
    understood, header_at = _COLUMNS.judge(rows)
    return (understood, header_at) if understood else (len(_columns_of_addresses(rows)), None)


def _columns_of_addresses(rows: Sequence[Sequence[str]]) -> list[int]:
    return sorted({at for cells in rows for at, cell in enumerate(cells) if "@" in cell})
