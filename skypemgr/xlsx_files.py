"""Workbooks written row by row, for spreadsheets (ECMA-376). It knows nothing of what the columns mean."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from tempfile import TemporaryFile
from typing import Any

import xlsxwriter

from skypemgr.csv_files import is_like_a_formula

# What Excel can hold: rows of a sheet, and characters of a cell. What is more goes on in a sheet of its own.
ROWS_OF_A_SHEET = 1_048_576
CHARACTERS_OF_A_CELL = 32_767
# Sent on at a time.
PIECE = 64 * 1024
COLUMN_WIDTH = 18
# What a spreadsheet shows as a day in the way of its reader: the fourteenth of the formats that it knows by itself.
DAY = 14


def write_xlsx_rows(header: Iterable[Any], rows: Iterable[Iterable[Any]]) -> Iterator[bytes]:
    """A workbook piece by piece: the column names in each sheet's first line, which stays in sight, then the rows.

    Numbers and days are what they are, None is an empty cell, everything else its text, never a formula. Sheets are
    called by their number; there is a second one when the first is full. It is made on disk before the first piece
    comes, so a file of a million rows takes no more memory than one of ten.
    """
    with TemporaryFile() as file:
        with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
            sheets = _Sheets(book, [str(name) for name in header])
            for row in rows:
                sheets.write(row)
        file.seek(0)
        while piece := file.read(PIECE):
            yield piece


class _Sheets:
    """The sheets of a workbook, one begun when the one before is full."""

    def __init__(self, book: xlsxwriter.Workbook, names: list[str]) -> None:
        self.book, self.names, self.number = book, names, 0
        self.heading = book.add_format({"bold": True})
        self.day = book.add_format({"num_format": DAY})
        # Stays text when somebody edits it.
        self.quoted = book.add_format({"quote_prefix": True})
        self._begin()

    def write(self, row: Iterable[Any]) -> None:
        if self.line == ROWS_OF_A_SHEET:
            self._begin()
        for column, value in enumerate(row):
            if value is not None and value != "":
                self._write(column, value)
        self.line += 1

    def _begin(self) -> None:
        self.number += 1
        self.sheet = self.book.add_worksheet(str(self.number))
        self.sheet.freeze_panes(1, 0)
        self.sheet.set_column(0, max(0, len(self.names) - 1), COLUMN_WIDTH)
        for column, name in enumerate(self.names):
            self.sheet.write_string(0, column, name, self.heading)
        self.line = 1

    def _write(self, column: int, value: Any) -> None:
        if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
            self.sheet.write_number(self.line, column, value)
        elif isinstance(value, date) and not isinstance(value, datetime):
            self.sheet.write_datetime(self.line, column, value, self.day)
        else:
            text = str(value)[:CHARACTERS_OF_A_CELL]
            self.sheet.write_string(self.line, column, text, self.quoted if is_like_a_formula(text) else None)
