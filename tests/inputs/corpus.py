"""The corpus of bad input: what is put into a field, and what has to come of it, whatever door it comes through."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "corpus"


@dataclass(frozen=True)
class Expected:
    """What comes of an input: it is ``stored``, or refused with a ``code``; ``empty`` is nothing at all."""

    stored: str | None = None
    code: str = ""
    empty: bool = False


@dataclass(frozen=True)
class Input:
    """One input of a field. ``cell`` and ``entries`` are what a cell of a file and a list of people make of it."""

    field: str
    row: int
    value: str
    expected: Expected
    cell: Expected | None
    entries: tuple[str, ...] | None

    def __str__(self) -> str:
        return f"row {self.row}: {ascii(self.value)[:80]}"


def inputs(field: str) -> list[Input]:
    """Every input for ``field``, in the order of the files."""
    return [one for path in sorted(FOLDER.glob("*.yaml")) for one in _inputs(path) if one.field == field]


def _inputs(path: Path) -> Iterator[Input]:
    corpus = yaml.safe_load(path.read_text(encoding="utf-8"))
    for entry in corpus["inputs"]:
        for field in corpus["fields"]:
            if field not in entry.get("not", []):
                yield _input(field, entry)


def _input(field: str, entry: dict[str, Any]) -> Input:
    value = entry.get("before", "") + entry["value"] * entry.get("times", 1) + entry.get("after", "")
    expected = _expected(entry, value)
    cell: Expected | None = expected
    match entry.get("cell"):
        case None:
            pass
        case "skip":
            cell = None
        case address:
            cell = Expected(stored=address)
    entries: tuple[str, ...] | None
    match entry.get("list"):
        case None:
            entries = () if expected.empty else (expected.stored or expected.code,)
        case "skip":
            entries = None
        case several:
            entries = tuple(several)
    return Input(field, entry["row"], value, expected, cell, entries)


def _expected(entry: dict[str, Any], value: str) -> Expected:
    if entry.get("empty"):
        return Expected(empty=True)
    if "refused" in entry:
        return Expected(code=entry["refused"])
    if entry.get("same"):
        return Expected(stored=unicodedata.normalize("NFC", value))
    stored = entry.get("stored", entry.get("path"))
    return Expected(stored=value if stored is True else stored)
