"""Workbooks written row by row, for spreadsheets (ECMA-376). It knows nothing of what the columns mean.

Such a file is a ZIP archive of XML. Each part is sent as soon as it is made, so a file of a million rows takes no more
memory than one of ten. Text is text, whatever it begins with: no cell of ours is ever a formula.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from io import RawIOBase
from itertools import chain, islice
from typing import IO, Any
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

from skypemgr.csv_files import is_like_a_formula

# What Excel can hold: rows of a sheet, and characters of a cell. What is more goes on in a sheet of its own.
ROWS_OF_A_SHEET = 1_048_576
CHARACTERS_OF_A_CELL = 32_767
# Sent on when there is so much of it.
PIECE = 64 * 1024

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
# The sheets, of which there are as many as rows need, are what every part is by default.
_CONTENT_TYPES = (
    f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
    f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Default Extension="xml" ContentType="{_TYPE}.worksheet+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/></Types>'
)
_RELATIONSHIPS = (
    f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
)
# As cells name them: plain, a column's name, a day, text that stays text when somebody edits it.
_PLAIN, _HEADER, _DAY, _QUOTED = range(4)
_STYLES = (
    f'{_XML}<styleSheet xmlns="{_MAIN}">'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
    '<xf numFmtId="14" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0" quotePrefix="1"/></cellXfs></styleSheet>'
)
_SHEET_BEGINS = (
    f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
    '<sheetFormatPr defaultColWidth="18" defaultRowHeight="15"/><sheetData>'
)
_SHEET_ENDS = "</sheetData></worksheet>"
# The day before the first one that Excel knows, moved by the leap day it believes 1900 to have had.
_DAY_NONE = date(1899, 12, 30)
# What XML can't hold, and what would be read as one of those by its number.
_NOT_XML = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


def write_xlsx_rows(header: Iterable[Any], rows: Iterable[Iterable[Any]]) -> Iterator[bytes]:
    """A workbook piece by piece: the column names in each sheet's first line, which stays in sight, then the rows.

    Numbers and days are what they are, None is an empty cell, everything else its text. Sheets are called by their
    number; there is a second one when the first is full.
    """
    names = list(header)
    left = iter(rows)
    sent = _Sent()
    with ZipFile(sent, "w", ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _CONTENT_TYPES)
        archive.writestr("_rels/.rels", _RELATIONSHIPS)
        archive.writestr("xl/styles.xml", _STYLES)
        number = 0
        following: Sequence[Iterable[Any]] = []
        while following or not number:
            number += 1
            with archive.open(f"xl/worksheets/sheet{number}.xml", "w") as part:
                lines = chain(following, islice(left, ROWS_OF_A_SHEET - 1 - len(following)))
                yield from _written(part, names, lines, sent)
            following = list(islice(left, 1))
        archive.writestr("xl/workbook.xml", _workbook(number))
        archive.writestr("xl/_rels/workbook.xml.rels", _workbook_relationships(number))
    yield sent.take()


def _written(part: IO[bytes], names: Sequence[Any], lines: Iterable[Iterable[Any]], sent: "_Sent") -> Iterator[bytes]:
    """Write a sheet, and give what can be sent of it."""
    columns = [_letters(at) for at in range(len(names))]
    part.write(_SHEET_BEGINS.encode())
    cells = "".join(_text(f"{column}1", _HEADER, str(name)) for column, name in zip(columns, names, strict=True))
    part.write(f'<row r="1">{cells}</row>'.encode("utf-8", "replace"))
    for number, line in enumerate(lines, 2):
        cells = "".join(_cell(f"{column}{number}", value) for column, value in zip(columns, line, strict=True))
        part.write(f'<row r="{number}">{cells}</row>'.encode("utf-8", "replace"))
        if sent.size > PIECE:
            yield sent.take()
    part.write(_SHEET_ENDS.encode())


def _cell(place: str, value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return f'<c r="{place}"><v>{value}</v></c>'
    if isinstance(value, date) and not isinstance(value, datetime):
        return f'<c r="{place}" s="{_DAY}"><v>{(value - _DAY_NONE).days}</v></c>'
    text = str(value)
    return _text(place, _QUOTED if is_like_a_formula(text) else _PLAIN, text)


def _text(place: str, style: int, text: str) -> str:
    text = _NOT_XML.sub(lambda found: f"_x{ord(found[0]):04X}_", text[:CHARACTERS_OF_A_CELL])
    return f'<c r="{place}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def _letters(at: int) -> str:
    """What spreadsheets call a column, counted from 0: A to Z, then AA."""
    return (_letters(at // 26 - 1) if at >= 26 else "") + chr(ord("A") + at % 26)


def _workbook(sheets: int) -> str:
    entries = "".join(
        f'<sheet name="{number}" sheetId="{number}" r:id="rId{number}"/>' for number in range(1, sheets + 1)
    )
    return f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{entries}</sheets></workbook>'


def _workbook_relationships(sheets: int) -> str:
    entries = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number in range(1, sheets + 1)
    )
    styles = f'<Relationship Id="rId{sheets + 1}" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{entries}{styles}</Relationships>'


class _Sent(RawIOBase):
    """Takes what the archive writes, until it is sent. Nobody can go back in it, so the archive never tries."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self.size += len(piece)
        return len(piece)

    def take(self) -> bytes:
        whole = b"".join(self._pieces)
        self._pieces.clear()
        self.size = 0
        return whole
