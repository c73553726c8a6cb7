"""A company's directory, exported as CSV: which column holds what of a person, and what each row says."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.column_names import tell_header
from members.directory_headers import is_password, is_somebody_elses, look_up, may_hold_address, same_name
from members.names import split_full_name
from skypemgr import csv_files
from skypemgr.characters import storable, trim
from skypemgr.csv_files import CsvFile, Reading, UnreadableFile, open_csv
from skypemgr.problems import Facts, Texts, tell

FIELDS = ("email", "skype_name", "first_name", "last_name", "job_title", "department", "language")

TEXTS: Texts = {
    **csv_files.TEXTS,
    "column_email_missing": _(
        "No column holds e-mail addresses. The columns are: %(headers)s. Call one of them E-mail."
    ),
    "column_email_unclear": _(
        "There is no line of column names, and more or less than one column holds e-mail addresses."
        " Put the names of the columns in the first line, one of them E-mail."
    ),
    "column_twice": _("The columns “%(first)s” and “%(second)s” stand for the same. Remove one of them."),
    "ignored": _("not used"),
    "password_never_used": _("passwords are never used"),
    "secondary": _("another column is used instead"),
}

type Entry = dict[str, Any]


def describe(code: str, facts: Facts) -> str:
    """The sentence of a problem or note of this module, or the reason of an ignored column."""
    return tell(TEXTS, code, facts)


class UnclearColumns(UnreadableFile):
    """A file whose columns don't say who is meant."""

    texts = TEXTS


@dataclass(frozen=True, slots=True)
class IgnoredColumn:
    """A column that is not read. ``column`` counts from 1; ``reason`` is a code of TEXTS."""

    name: str
    column: int
    reason: str


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """Which columns (from 0) hold which field; of several the first that is not empty counts.

    ``display_name`` holds whole names, last name first when ``reversed_name``. A person's first and last name
    come from it only when both are missing. ``unit_path`` says that the department is a path of units.
    """

    email: tuple[int, ...]
    skype_name: tuple[int, ...] = ()
    first_name: tuple[int, ...] = ()
    last_name: tuple[int, ...] = ()
    display_name: tuple[int, ...] = ()
    job_title: tuple[int, ...] = ()
    department: tuple[int, ...] = ()
    language: tuple[int, ...] = ()
    reversed_name: bool = False
    unit_path: bool = False
    ignored: tuple[IgnoredColumn, ...] = ()


def describe_column(column: Mapping[str, Any]) -> str:
    """What to call a column of ``as_json()``: its name, or "column 2" when it has none."""
    return column["name"] or gettext("column %(number)d") % {"number": column["column"]}


@dataclass(frozen=True, slots=True)
class DirectoryFacts:
    """How a file was read and what its columns were taken for."""

    reading: Reading
    columns: ColumnMap
    header: tuple[str, ...] | None

    def as_json(self) -> Entry:
        """``reading``'s facts, ``columns`` as field → [{name, column}], ``ignored`` as [{name, column, reason}]."""
        columns = {
            field: [{"name": self._name(at), "column": at + 1} for at in getattr(self.columns, field)]
            for field in (*FIELDS, "display_name")
        }
        ignored = [{"name": one.name, "column": one.column, "reason": one.reason} for one in self.columns.ignored]
        return {
            **self.reading.as_json(),
            "columns": {field: found for field, found in columns.items() if found},
            "ignored": ignored,
        }

    def _name(self, at: int) -> str:
        return _shown(self.header[at]) if self.header else ""


class DirectoryRow(NamedTuple):
    """A data row: ``values`` holds a string for each of FIELDS, as it stands in the file, trimmed."""

    number: int
    line: int
    values: dict[str, str]
    problems: list[Entry]
    notes: list[Entry]


class DirectoryFile:
    """A directory export that was understood; ``rows()`` reads it as it is asked for."""

    def __init__(self, csv: CsvFile, columns: ColumnMap) -> None:
        self._csv = csv
        self.columns = columns
        self.facts = DirectoryFacts(csv.reading, columns, csv.header)

    def rows(self) -> Iterator[DirectoryRow]:
        """Every data row. Values are not checked here: what an address or a name may be is known elsewhere."""
        columns = self.columns
        fields = [(field, getattr(columns, field)) for field in FIELDS]
        for number, line, cells, problems, notes in self._csv.rows():
            values = {field: _first_filled(cells, places) for field, places in fields}
            if GUEST in values["email"]:
                values["email"] = ""
            if columns.display_name and not values["first_name"] and not values["last_name"]:
                whole = _first_filled(cells, columns.display_name)
                values["first_name"], values["last_name"] = _split(whole, values["email"], columns.reversed_name)
            if columns.unit_path:
                values["department"] = _units(values["department"])
            yield DirectoryRow(number, line, values, problems, notes)


def open_directory(
    file: BinaryIO | Path,
    *,
    limit_rows: int | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> DirectoryFile:
    """Understand a directory export in one pass over ``file``; its rows follow in a second one.

    Raises UnreadableFile (UnclearColumns among them) with what is wrong and what to do.
    """
    csv = open_csv(file, judge=_judge, limit_rows=limit_rows, encoding=encoding, delimiter=delimiter)
    return DirectoryFile(csv, map_columns(csv.header, csv.sample))


def map_columns(header: Sequence[str] | None, sample: Sequence[Sequence[str]]) -> ColumnMap:
    """What the columns hold, by their names, and by the ``sample`` of rows where names are not enough.

    Raises UnclearColumns when two columns say the same differently, or none holds addresses.
    """
    if header is None:
        found = _columns_of_addresses(sample)
        if len(found) != 1:
            raise UnclearColumns("column_email_unclear")
        width = max(map(len, sample))
        return ColumnMap(
            email=(found[0],),
            ignored=tuple(IgnoredColumn("", at + 1, "ignored") for at in range(width) if at != found[0]),
        )
    return _Mapper(header, sample).map()


class _Mapper:
    def __init__(self, header: Sequence[str], sample: Sequence[Sequence[str]]) -> None:
        self.header, self.sample = header, sample
        self.reasons = dict.fromkeys(range(len(header)), "ignored")
        self.found: dict[str, dict[int, list[int]]] = {}
        for at, name in enumerate(header):
            if is_password(name):
                self.reasons[at] = "password_never_used"
            elif known := look_up(name):
                self.found.setdefault(known[0], {}).setdefault(known[1], []).append(at)

    def map(self) -> ColumnMap:
        chosen = {field: self._by_rank(field) for field in self.found}
        self._place_name(chosen)
        email = self._email(chosen)
        department = chosen.get("department", {})
        first_of = {field: tuple(ranks.values())[:1] for field, ranks in chosen.items()}
        used = {
            "email": email,
            "skype_name": first_of.get("skype_name", ()),
            "first_name": tuple(chosen.get("first_name", {}).values()),
            "last_name": tuple(chosen.get("last_name", {}).values()),
            "display_name": first_of.get("display_name", ()) or first_of.get("reversed_name", ()),
            "job_title": first_of.get("job_title", ()),
            "department": first_of.get("department", ()),
            "language": first_of.get("language", ()),
        }
        taken = {at for places in used.values() for at in places}
        for ranks in self.found.values():
            for at in (at for places in ranks.values() for at in places):
                self.reasons[at] = "secondary"
        return ColumnMap(
            **used,
            reversed_name=not first_of.get("display_name") and bool(first_of.get("reversed_name")),
            unit_path=next(iter(department), 0) == UNIT_PATH_RANK,
            ignored=tuple(
                IgnoredColumn(_shown(self.header[at]), at + 1, reason)
                for at, reason in self.reasons.items()
                if at not in taken and (self.header[at].strip() or any(_cell(row, at) for row in self.sample))
            ),
        )

    def _by_rank(self, field: str) -> dict[int, int]:
        """The column to use of each rank, the most telling rank first."""
        return {rank: self._one_of(places) for rank, places in sorted(self.found[field].items())}

    def _one_of(self, places: Sequence[int]) -> int:
        # Two names for one thing (AD exports EmailAddress and mail) are fine as long as they say the same.
        best = max(places, key=lambda at: sum(bool(_cell(row, at)) for row in self.sample))
        for at in places:
            if at == best:
                continue
            called_the_same = same_name(self.header[at], self.header[best])
            pairs = ((_cell(row, at).casefold(), _cell(row, best).casefold()) for row in self.sample)
            if called_the_same or any(one and other and one != other for one, other in pairs):
                first, second = sorted((at, best))
                raise UnclearColumns(
                    "column_twice", first=_shown(self.header[first]), second=_shown(self.header[second])
                )
        return best

    @staticmethod
    def _place_name(chosen: dict[str, dict[int, int]]) -> None:
        """French "Nom" is the last name beside "Prénom", Italian "Nome" the first beside "Cognome"; else the whole."""
        name = chosen.pop("name", None)
        if name is None:
            return
        if "first_name" in chosen and "last_name" not in chosen:
            chosen["last_name"] = name
        elif "last_name" in chosen and "first_name" not in chosen:
            chosen["first_name"] = name
        elif "first_name" not in chosen:
            chosen.setdefault("display_name", name)

    def _email(self, chosen: dict[str, dict[int, int]]) -> tuple[int, ...]:
        ranks = chosen.pop("email", {})
        principal = ranks.pop(PRINCIPAL_RANK, None)
        if principal is not None and _share_of_addresses(self.sample, principal) < 0.5:
            # A principal name is a user name unless it looks like an address.
            chosen.setdefault("skype_name", {0: principal})
            principal = None
        email = tuple(at for at in (*ranks.values(), principal) if at is not None)
        if email:
            return email
        for rank, at in list(chosen.get("skype_name", {}).items()):
            if _share_of_addresses(self.sample, at) >= NEARLY_ALL:
                del chosen["skype_name"][rank]
                return (at,)
        unknown = [at for at in _columns_of_addresses(self.sample) if self.reasons.get(at) == "ignored"]
        unknown = [at for at in unknown if at < len(self.header) and look_up(self.header[at]) is None]
        if self.found:
            unknown = [at for at in unknown if may_hold_address(self.header[at])]
        if len(unknown) == 1 and not is_somebody_elses(self.header[unknown[0]]):
            return (unknown[0],)
        raise UnclearColumns("column_email_missing", headers=tell_header(self.header))


# Entra gives guests a principal name that no letter reaches; their address is in a column of its own.
GUEST = "#EXT#"
PRINCIPAL_RANK = 1
UNIT_PATH_RANK = 2
NEARLY_ALL = 0.8
_ADDRESS = re.compile(r"(?:[^<>@]*<)?\s*(?:mailto:)?[^\s@,;|<>]+@[^\s@,;|<>]+\.[^\s@,;|<>]+\s*>?", re.IGNORECASE)


def _judge(rows: Sequence[Sequence[str]]) -> tuple[int, int | None]:
    """How much of the first rows is understood, and which of them is the line of column names."""
    understood, header_at = 0, None
    for at, cells in enumerate(rows[:10]):
        # Column names stand above the first address.
        if any(map(_is_like_an_address, cells)):
            break
        known = [found[0] for cell in cells if (found := look_up(cell))]
        if len(known) > understood and (at == 0 or len(known) > 1 or "email" in known):
            understood, header_at = len(known), at
    if header_at is not None:
        return understood + 1, header_at
    addresses = _columns_of_addresses(rows)
    if any(map(_is_like_an_address, rows[0])):
        return bool(addresses), None
    # Names in a language we don't know, or a file without any address.
    return bool(addresses), 0


def _columns_of_addresses(rows: Sequence[Sequence[str]]) -> list[int]:
    width = max(map(len, rows), default=0)
    found = [at for at in range(width) if _share_of_addresses(rows, at) >= NEARLY_ALL]
    if not found and len(rows) > 1:
        found = [at for at in range(width) if _share_of_addresses(rows[1:], at) >= NEARLY_ALL]
    return found


def _share_of_addresses(rows: Sequence[Sequence[str]], at: int) -> float:
    filled = [cell for row in rows if (cell := _cell(row, at))]
    if len(filled) * 2 < len(rows):
        return 0.0
    return sum(map(_is_like_an_address, filled)) / len(filled)


def _is_like_an_address(cell: str) -> bool:
    return "@" in cell and len(cell) < 400 and _ADDRESS.fullmatch(cell.strip()) is not None


def _cell(row: Sequence[str], at: int) -> str:
    return row[at].strip() if at < len(row) else ""


def _first_filled(cells: Sequence[str], places: Sequence[int]) -> str:
    for at in places:
        if value := trim(cells[at]):
            return value
    return ""


def _split(whole: str, address: str, reversed_name: bool) -> tuple[str, str]:
    if reversed_name and "," not in whole and " " in whole:
        last, _space, first = whole.partition(" ")
        whole = f"{last}, {first}"
    return split_full_name(whole, address=address)


def _units(path: str) -> str:
    """Google's "/Études/Bois" and Active Directory's "OU=Bois,OU=Études,DC=…" as "Études / Bois"."""
    if units := re.findall(r"\bOU=((?:[^,\\]|\\.)+)", path, re.IGNORECASE):
        return " / ".join(reversed([trim(re.sub(r"\\(.)", r"\1", unit)) for unit in units]))
    return " / ".join(name for unit in path.split("/") if (name := trim(unit)))


def _shown(name: str) -> str:
    return " ".join(storable(name).split())[:80]
