"""The one place where CSV is read and written. It knows nothing of what the columns mean."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from skypemgr import text_files
from skypemgr.characters import storable
from skypemgr.problems import Facts, Texts, tell
from skypemgr.text_files import Encoding, UnreadableFile, choose_encoding, detect_encoding

__all__ = ["CsvFile", "Reading", "Row", "UnreadableFile", "describe", "is_like_a_formula", "open_csv", "write_csv_rows"]

CELL_LIMIT = 131_072
ROW_LIMIT = 1_000_000
# A spreadsheet exports a million empty lines at most; more of them would keep a page waiting.
FILE_LINES_LIMIT = 1_100_000
COLUMN_LIMIT = 1_000
SAMPLE_CHARACTERS = 64 * 1024
SAMPLE_ROWS = 200
# A cell may hold a few lines; one that holds this many has lost its closing quotation mark.
LINES_LIMIT = 20
DELIMITERS = (",", ";", "\t", "|")

TEXTS: Texts = {
    **text_files.TEXTS,
    "file_no_rows": _("The file has a line of column names but no rows."),
    "file_quote_open": _("A quotation mark on line %(line)d is never closed. Correct that line."),
    "file_cell_long": _("A cell on line %(line)d is far too long. A quotation mark may be missing there."),
    "file_row_long": _("The row on line %(line)d is far too long. A quotation mark may be missing there."),
    "file_many_columns": _("There are more than %(limit)d columns. Leave out those that are not needed."),
    "file_many_lines": _("There are more than %(limit)d lines. Delete those that are empty, or split the file."),
    "file_too_many_rows": _("There are more than %(limit)d rows. Split the file and take it in in parts."),
    "row_nul": _("The row holds NUL characters, which are no text. Type it again."),
    "row_damaged": _("A character of this row could not be read. Type it again."),
    "row_many_lines": _("The row goes on for %(lines)d lines. A quotation mark may be missing."),
    "row_more_cells": ngettext_lazy(
        "%(count)d cell beyond the last column was ignored.",
        "%(count)d cells beyond the last column were ignored.",
        "count",
    ),
}

type Entry = dict[str, Any]
# Gets the first rows as one delimiter cuts them; says how much of them is understood (0: nothing), and which
# of them is the line of column names, if any. What stands above that line is skipped.
type Judge = Callable[[Sequence[Sequence[str]]], tuple[int, int | None]]


def describe(code: str, facts: Facts) -> str:
    """The sentence of a problem or note of this module in the active language."""
    return tell(TEXTS, code, facts)


def describe_delimiter(delimiter: str) -> str:
    """What separates the cells, for "separated by …", in the active language."""
    names = {",": gettext("commas"), ";": gettext("semicolons"), "\t": gettext("tabs"), "|": gettext("vertical bars")}
    return names.get(delimiter) or gettext("“%(character)s”") % {"character": delimiter}


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file was read. Lines are counted from 1; ``header_line`` is 0 when there are no column names.

    ``certain`` is False when the encoding was told by the look of the words. ``skipped`` are the lines above
    the column names, such as Excel's ``sep=;``, PowerShell's ``#TYPE`` and Entra's ``version:v1.0``.
    """

    encoding: str
    certain: bool
    delimiter: str
    header_line: int
    first_line: int
    rows: int
    skipped: tuple[str, ...] = ()

    def as_json(self) -> Entry:
        return {**asdict(self), "skipped": list(self.skipped)}


class Row(NamedTuple):
    """A data row, counted from 1 (neither the header nor blank lines count), with a cell for every column.

    ``problems`` and ``notes`` are ``{"code", "facts"}``; ``line`` is where it begins in the file.
    """

    number: int
    line: int
    cells: list[str]
    problems: list[Entry]
    notes: list[Entry]


@dataclass(frozen=True, slots=True)
class _Dialect:
    delimiter: str
    quote: str = '"'
    skip_spaces: bool = False

    def reader(self, lines: Iterable[str]) -> Iterator[list[str]]:
        return csv.reader(
            lines, delimiter=self.delimiter, quotechar=self.quote, skipinitialspace=self.skip_spaces, strict=False
        )


class CsvFile:
    """A CSV file that was looked through: ``reading`` says how, ``header`` and ``sample`` show what it holds."""

    def __init__(
        self,
        file: BinaryIO | Path,
        *,
        reading: Reading,
        header: tuple[str, ...] | None,
        sample: list[list[str]],
        encoding: Encoding,
        dialect: _Dialect,
    ) -> None:
        self._file, self._encoding, self._dialect = file, encoding, dialect
        self.reading, self.header, self.sample = reading, header, sample
        self.width = len(header) if header is not None else max(map(len, sample))

    def rows(self) -> Iterator[Row]:
        """Every data row, read as it is asked for: the file is never in memory as a whole."""
        undo = self._dialect.quote != "'"
        raw_rows = _raw_rows(self._file, self._encoding, self._dialect, self.reading.first_line)
        for number, (line, lines, cells, text) in enumerate(raw_rows, 1):
            yield self._row(number, line, lines, cells, undo=undo, flawed="\x00" in text or "\ufffd" in text)

    def _row(self, number: int, line: int, lines: int, cells: list[str], *, undo: bool, flawed: bool) -> Row:
        problems: list[Entry] = []
        notes: list[Entry] = []
        if flawed:
            if any("\x00" in cell for cell in cells):
                problems.append({"code": "row_nul", "facts": {}})
                cells = [cell.replace("\x00", "\ufffd") for cell in cells]
            else:
                problems.append({"code": "row_damaged", "facts": {}})
        if lines > LINES_LIMIT:
            problems.append({"code": "row_many_lines", "facts": {"lines": lines}})
        if undo:
            cells = [restore(cell) if cell[:1] == "'" else cell for cell in cells]
        if len(cells) != self.width:
            if surplus := sum(1 for cell in cells[self.width :] if cell.strip()):
                notes.append({"code": "row_more_cells", "facts": {"count": surplus}})
            cells = cells[: self.width] + [""] * (self.width - len(cells))
        return Row(number, line, cells, problems, notes)


# Reading


def open_csv(
    file: BinaryIO | Path,
    *,
    judge: Judge,
    limit_rows: int | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> CsvFile:
    """Look through ``file`` to its end and say how it is to be read; its rows follow with ``rows()``.

    ``encoding`` (a key of ``text_files.ENCODINGS``) and ``delimiter`` overrule what would be detected. Raises
    UnreadableFile when it is no CSV, when a quotation mark is never closed, when there is no row, and as soon as
    there are more than ``limit_rows``.
    """
    with _opened(file) as binary:
        known = choose_encoding(binary, encoding) if encoding else detect_encoding(binary)
    lines, told = _first_lines(file, known)
    if not any(line.strip(_NOTHING) for line in lines):
        raise UnreadableCsv("file_empty")
    skipped = _lines_to_skip(lines)
    candidates = (delimiter,) if delimiter else (*told, *DELIMITERS)
    dialect, rows, header_at = _choose_dialect(lines[skipped:], judge, candidates)
    if not rows:
        # Nothing but blank lines, or a first row without an end: reading on tells which.
        for _row in _raw_rows(file, known, dialect, skipped + 1):
            break
        raise UnreadableCsv("file_empty")
    first = rows[header_at or 0]
    header_line = skipped + first[0] if header_at is not None else 0
    data = rows[header_at + 1 :] if header_at is not None else rows
    first_line = skipped + first[0] if header_at is None else skipped + first[0] + first[1]
    count = 0
    for _row in _raw_rows(file, known, dialect, first_line):
        count += 1
        if limit_rows is not None and count > limit_rows:
            raise UnreadableCsv("file_too_many_rows", limit=limit_rows)
    if not count:
        raise UnreadableCsv("file_no_rows")
    above = lines[: (header_line or first_line) - 1]
    return CsvFile(
        file,
        reading=Reading(
            encoding=known.name,
            certain=known.certain,
            delimiter=dialect.delimiter,
            header_line=header_line,
            first_line=first_line,
            rows=count,
            skipped=tuple(storable(line.strip()[:200]) for line in above if line.strip()),
        ),
        header=tuple(first[2]) if header_at is not None else None,
        sample=[cells for _line, _lines, cells in data] or [[]],
        encoding=known,
        dialect=dialect,
    )


class UnreadableCsv(UnreadableFile):
    """A text file whose rows can't be told apart."""

    texts = TEXTS


@contextmanager
def _opened(file: BinaryIO | Path) -> Iterator[BinaryIO]:
    if isinstance(file, Path):
        with file.open("rb") as binary:
            yield binary
    else:
        file.seek(0)
        yield file


@contextmanager
def _text(file: BinaryIO | Path, encoding: Encoding) -> Iterator[io.TextIOWrapper]:
    with _opened(file) as binary:
        # newline="" keeps \r\n, \n and \r as they are and breaks lines at each of them.
        text = io.TextIOWrapper(binary, encoding=encoding.codec, errors=encoding.errors, newline="")
        try:
            yield text
        except UnicodeError:
            raise UnreadableFile("file_damaged", encoding=encoding.name) from None
        finally:
            # The file is its owner's to close.
            text.detach()


# Of this alone spreadsheets make the rows of an empty sheet.
_NOTHING = "".join(DELIMITERS) + ' \r\n"\ufeff\x1a'
# Not what can't separate, because it quotes, ends lines, stands in words or addresses, or is no text.
_SEPARATOR_LINE = re.compile(r'"?sep=([ \t]|[^\w\s"\'@.\x00-\x1f\x7f-\x9f\ufffd])"?\s*', re.IGNORECASE)
_SKIPPED_LINE = re.compile(r'"?(?:#TYPE\b.*|version:\s*v?\d[\d.]*"?[,;\t|\s]*|sep=."?[,;\t|\s]*)', re.IGNORECASE)


def _first_lines(file: BinaryIO | Path, encoding: Encoding) -> tuple[list[str], str]:
    """The first lines of the file, and the delimiter that its first one names, if it does."""
    with _text(file, encoding) as text:
        lines: list[str] = []
        size = 0
        while size < SAMPLE_CHARACTERS and len(lines) < 4 * SAMPLE_ROWS:
            line = text.readline(ROW_LIMIT)
            if not line:
                break
            lines.append(line)
            size += len(line)
    told = _SEPARATOR_LINE.fullmatch(lines[0]) if lines else None
    return lines, told[1] if told else ""


def _lines_to_skip(lines: Sequence[str]) -> int:
    count = 0
    for number, line in enumerate(lines[:10], 1):
        if _SKIPPED_LINE.fullmatch(line.rstrip("\r\n")):
            count = number
        elif line.strip():
            break
    return count


type _SampleRow = tuple[int, int, list[str]]


def _choose_dialect(
    lines: Sequence[str], judge: Judge, delimiters: Iterable[str]
) -> tuple[_Dialect, list[_SampleRow], int | None]:
    """The dialect in which most is understood and the rows are most alike; its rows; which is the header."""
    best: tuple[tuple[float, ...], _Dialect, list[_SampleRow], int | None] | None = None
    for candidate in delimiters:
        dialect = _Dialect(candidate)
        rows = _sample(lines, dialect)
        if refined := _refine(dialect, rows, lines):
            dialect, rows = refined, _sample(lines, refined)
        if any(len(cells) > COLUMN_LIMIT for _line, _lines, cells in rows):
            continue
        understood, header_at = judge([cells for _line, _lines, cells in rows]) if rows else (0, None)
        score = (understood, *_alikeness(rows[header_at or 0 :]))
        if best is None or score > best[0]:
            best = score, dialect, rows, header_at
    if best is None:
        raise UnreadableCsv("file_many_columns", limit=COLUMN_LIMIT)
    return best[1:]


def _sample(lines: Sequence[str], dialect: _Dialect) -> list[_SampleRow]:
    rows: list[_SampleRow] = []
    try:
        for line, count, cells, _text in _split(_Lines(io.StringIO("".join(lines), newline="")), dialect):
            rows.append((line, count, cells))
            if len(rows) == SAMPLE_ROWS:
                break
    except UnreadableCsv:
        # The sample ends within a row, or this is not the delimiter.
        pass
    return rows


def _refine(dialect: _Dialect, rows: Sequence[_SampleRow], lines: Sequence[str]) -> _Dialect | None:
    """``dialect`` with single quotes, or with spaces before its quotes, when the rows are written so."""
    if not rows:
        return None
    first = rows[0][2]
    if len(first) > 1 and all(len(cell) > 1 and cell[0] == cell[-1] == "'" for cell in first if cell):
        return _Dialect(dialect.delimiter, quote="'")
    spaced = re.compile(rf'[^"]*{re.escape(dialect.delimiter)} +"')
    if any(spaced.match(lines[line - 1]) for line, _lines, _cells in rows):
        return _Dialect(dialect.delimiter, skip_spaces=True)
    return None


def _alikeness(rows: Sequence[_SampleRow]) -> tuple[float, ...]:
    widths = Counter(len(cells) for _line, _lines, cells in rows)
    if not widths:
        return 0, 0, 0
    width, alike = widths.most_common(1)[0]
    later = [cell for _line, _lines, cells in rows for cell in cells[1:]]
    # "Berg, Anna" is a name with a comma more often than two cells.
    spaced = sum(cell.startswith(" ") for cell in later) / max(len(later), 1)
    return width > 1, alike / len(rows) - spaced / 2, width


class _Lines:
    """Feeds lines to the reader, and notices a row that has no end."""

    def __init__(self, text: io.TextIOBase) -> None:
        self._readline = text.readline
        self.number = 0
        self.begin_row()

    def skip(self, count: int) -> None:
        for _line in range(count):
            self._readline(ROW_LIMIT)
        self.number += count
        self.begin_row()

    def begin_row(self) -> None:
        self.first = self.number + 1
        self.text = ""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._readline(ROW_LIMIT + 1)
        if not line:
            # Asked for more within a row: only a quotation mark that is still open does that.
            if self.text:
                raise UnreadableCsv("file_quote_open", line=self.first)
            raise StopIteration
        self.number += 1
        if self.number > FILE_LINES_LIMIT:
            raise UnreadableCsv("file_many_lines", limit=FILE_LINES_LIMIT)
        self.text += line
        if len(self.text) > ROW_LIMIT:
            raise UnreadableCsv("file_row_long", line=self.first)
        return line


type _RawRow = tuple[int, int, list[str], str]


def _split(lines: _Lines, dialect: _Dialect) -> Iterator[_RawRow]:
    """First line, number of lines, cells and text of every row that is not blank."""
    try:
        for cells in dialect.reader(lines):
            if not _is_blank(cells):
                yield lines.first, lines.number - lines.first + 1, cells, lines.text
            lines.begin_row()
    except csv.Error:
        raise UnreadableCsv("file_cell_long", line=lines.first) from None


def _raw_rows(file: BinaryIO | Path, encoding: Encoding, dialect: _Dialect, first_line: int) -> Iterator[_RawRow]:
    with _text(file, encoding) as text:
        lines = _Lines(text)
        lines.skip(first_line - 1)
        yield from _split(lines, dialect)


def _is_blank(cells: Sequence[str]) -> bool:
    # DOS ended its files with \x1a.
    return not any(map(str.strip, cells)) or (len(cells) == 1 and not cells[0].strip("\x1a\ufeff \t"))


# Writing

# What a spreadsheet would run: = + - @ and their wide forms, also behind spaces and quotation marks; and what
# some of them skip before looking. Apostrophes in front change nothing, else ``restore`` would take one too many.
_FORMULA = re.compile(r"[\s'\"]*[\t\r\n\x00=+\-@＝＋－＠﹢﹣﹦﹫]")


def is_like_a_formula(cell: str) -> bool:
    """Whether a spreadsheet could take a text for a formula."""
    return _FORMULA.match(cell) is not None


def defuse(cell: str) -> str:
    """``cell`` with an apostrophe in front if a spreadsheet could take it for a formula; ``restore`` undoes it."""
    return f"'{cell}" if is_like_a_formula(cell) else cell


def restore(cell: str) -> str:
    """What ``defuse`` was given.

    The apostrophe goes only where ``defuse`` would have put it, so for every text ``restore(defuse(text))`` is
    that text: what begins with an apostrophe and a formula by itself gets a second one when it is written.
    """
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell, 1) else cell


def write_csv_rows(header: Iterable[Any], rows: Iterable[Iterable[Any]]) -> Iterator[bytes]:
    """A CSV file piece by piece: UTF-8 with a byte order mark, commas, CRLF, formulas in text defused.

    Numbers are written as they are, None as an empty cell, everything else as its text.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    buffer.write("\ufeff")
    writer.writerow([_written(cell) for cell in header])
    for row in rows:
        writer.writerow([_written(cell) for cell in row])
        if buffer.tell() > SAMPLE_CHARACTERS:
            yield buffer.getvalue().encode("utf-8", "replace")
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode("utf-8", "replace")


def _written(cell: Any) -> Any:
    if cell is None or isinstance(cell, (int, float, Decimal)):
        return cell
    return defuse(str(cell))
