"""Reads workbooks as the standard says (ECMA-376), with none of the code that writes them."""

import io
import re
from datetime import date, timedelta
from decimal import Decimal
from xml.etree import ElementTree as ET
from zipfile import ZipFile

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_DAYS = {"14"}


def parsed(part: bytes) -> ET.Element:
    """A part of a workbook of ours; raises ParseError when it is not well-formed."""
    return ET.fromstring(part)  # noqa: S314


def sheets_of(content: bytes) -> list[bytes]:
    """The sheets, in the order in which the workbook lists them."""
    with ZipFile(io.BytesIO(content)) as archive:
        targets = {entry.get("Id"): entry.get("Target") for entry in parsed(archive.read("xl/_rels/workbook.xml.rels"))}
        book = parsed(archive.read("xl/workbook.xml"))
        keys = [dict(sheet.items()).popitem()[1] for sheet in book.iter(f"{_MAIN}sheet")]
        return [archive.read(f"xl/{targets[key]}") for key in keys]


def cells_of(content: bytes, sheet: int = 0) -> list[list[object]]:
    """The rows of a sheet; a cell that is left out between others is None."""
    days = {str(at) for at, style in enumerate(_formats(content)) if style.get("numFmtId") in _DAYS}
    found = []
    for row in parsed(sheets_of(content)[sheet]).iter(f"{_MAIN}row"):
        cells: list[object] = []
        for cell in row:
            at = _column(cell.get("r", ""))
            cells += [None] * (at - len(cells))
            cells.append(_value(cell, days))
        found.append(cells)
    return found


def quoted_of(content: bytes) -> set[str]:
    """The cells of the first sheet whose text stays text when somebody edits it."""
    quoted = {str(at) for at, style in enumerate(_formats(content)) if style.get("quotePrefix") == "1"}
    cells = parsed(sheets_of(content)[0]).iter(f"{_MAIN}c")
    return {cell.get("r", "") for cell in cells if cell.get("s") in quoted}


def _formats(content: bytes) -> ET.Element:
    with ZipFile(io.BytesIO(content)) as archive:
        formats = parsed(archive.read("xl/styles.xml")).find(f"{_MAIN}cellXfs")
    assert formats is not None
    return formats


def _value(cell: ET.Element, days: set[str]) -> object:
    if cell.get("t") == "inlineStr":
        text = "".join(part.text or "" for part in cell.iter(f"{_MAIN}t"))
        return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text)
    number = Decimal(cell.findtext(f"{_MAIN}v", ""))
    return date(1899, 12, 30) + timedelta(int(number)) if cell.get("s") in days else number


def _column(place: str) -> int:
    at = 0
    for letter in place.rstrip("0123456789"):
        at = at * 26 + ord(letter) - ord("A") + 1
    return at - 1
