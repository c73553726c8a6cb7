"""Formats that are tables: which column holds what, and what its cells mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from django.utils.translation import gettext_lazy as _

from members.column_names import ColumnNames, tell_header
from skypemgr import csv_files
from skypemgr.csv_files import Row, UnreadableFile, open_csv
from skypemgr.problems import Texts

from .rows import ROW_TEXTS, CallRow, Calls, Clock, Reader, UnreadRow, WrongCall, plain, read_row, wrong_row

TEXTS: Texts = {
    **csv_files.TEXTS,
    "call_headers": _("The file needs the columns %(needed)s. It has %(headers)s."),
}


class UnclearCalls(UnreadableFile):
    """A file whose columns don't say what was called."""

    texts = TEXTS


@dataclass(frozen=True)
class HeadedTable:
    """A format whose first line names its columns: ``names`` by field, those ``needed`` are not missing."""

    names: Mapping[str, str]
    needed: Sequence[str]
    reader: Reader

    def read(self, file: BinaryIO, clock: Clock) -> Calls:
        """Raises UnreadableFile."""
        known = ColumnNames(self.names)
        csv = open_csv(file, judge=known.judge)
        columns = {name: places[0] for name, places in known.columns(csv.header or ()).items()}
        if set(self.needed) - set(columns):
            needed = ", ".join(self.names[name].partition("|")[0].strip() for name in self.needed)
            raise UnclearCalls("call_headers", needed=needed, headers=tell_header(csv.header or ()))
        for row in csv.rows():
            yield _damaged(row) or read_row(
                row.number, {name: plain(row.cells[at]) for name, at in columns.items()}, clock, self.reader
            )


@dataclass(frozen=True)
class BareTable:
    """A format without names: ``layouts`` are the fields of its columns, by how many there are."""

    layouts: Mapping[int, Sequence[str]]
    reader: Reader

    def read(self, file: BinaryIO, clock: Clock) -> Calls:
        """Raises UnreadableFile."""
        for row in open_csv(file, judge=self._judge).rows():
            yield _damaged(row) or self._read(row, clock)

    def _judge(self, rows: Sequence[Sequence[str]]) -> tuple[int, int | None]:
        return max((len(cells) for cells in rows if len(cells) in self.layouts), default=0), None

    def _read(self, row: Row, clock: Clock) -> CallRow | UnreadRow:
        layout = self.layouts.get(len(row.cells))
        if layout is None:
            return wrong_row(row.number, WrongCall("", "call_columns", count=len(row.cells)))
        values = {name: plain(cell) for name, cell in zip(layout, row.cells, strict=True) if name}
        return read_row(row.number, values, clock, self.reader)


def _damaged(row: Row) -> UnreadRow | None:
    if not row.problems:
        return None
    problem = row.problems[0]
    code, facts = problem["code"], problem["facts"]
    return UnreadRow(row.number, "", csv_files.describe(code, facts), code, facts)


# Whatever can be wrong with a file, or with a row of it.
PROBLEM_TEXTS: Texts = {
    **TEXTS,
    **ROW_TEXTS,
    "call_import_stopped": _("Whoever started this may not import calls any more. What was imported before stays."),
}
