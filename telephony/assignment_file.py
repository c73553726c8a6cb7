"""A CSV file of who is to have which number: which column holds what, and what would come of each row."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.column_names import ColumnNames, tell_header
from members.directory_headers import look_up
from members.models import Member, Organization
from members.selectors.named import find_by_names
from skypemgr import csv_files
from skypemgr.characters import storable, trim
from skypemgr.csv_files import UnreadableFile, open_csv
from skypemgr.problems import Texts, tell
from telephony.address_errors import DisclaimerMissing
from telephony.assigning import Pairing, Sighted, look, obstacles
from telephony.countries import missing_disclaimer
from telephony.models import EmergencyAddress, PhoneNumber, Place
from telephony.models.emergency import name_key
from telephony.phone_numbers import NotANumber, read_phone_number

MOST_ROWS = 1_000
PERSON, NUMBER, ADDRESS, PLACE = COLUMNS = ("person", "number", "emergency_address", "place")
TEXTS: Texts = {
    **csv_files.TEXTS,
    "columns_unclear": _(
        "One column must say who, by e-mail address or Skype Name, and one which number. The columns are: %(headers)s."
        " Call them person and number."
    ),
    "column_twice": _("Two columns are called “%(header)s”, or mean the same. Remove one of them."),
    "person_missing": _("Nobody is named: write an e-mail address or a Skype Name."),
    "person_unknown": _("There is no member %(person)s."),
    "person_twice": _("The same person as in row %(row)d."),
    "number_twice": _("The same number as in row %(row)d."),
    "number_not_owned": _("Your organization has no number %(number)s."),
    "address_unknown": _("There is no emergency address “%(name)s”."),
    "place_unknown": _("There is no place “%(name)s” at that emergency address."),
}
# Beside the names that directories give to addresses and Skype Names.
_NAMES = {
    PERSON: "person | member | who | user | personne | membre | qui | medlem | vem",
    NUMBER: """
        number | phone number | phone | telephone | telephone number | e164 | assigned number | new number
        numéro | numéro de téléphone | téléphone | tél | nummer | telefonnummer | telefon | nytt nummer
    """,
    ADDRESS: """
        emergency address | emergency location | address | adresse d'urgence | adresse | nödadress | adress
    """,
    PLACE: "place | emplacement | lieu | plats",
}
_WHO = ("email", "skype_name", PERSON)


def _in_directories(header: str) -> str:
    known = look_up(header)
    return known[0] if known is not None and known[0] in _WHO else ""


_COLUMNS = ColumnNames(_NAMES, otherwise=_in_directories)


class UnclearAssignments(UnreadableFile):
    """A file whose columns don't say who gets which number."""

    texts = TEXTS


class Outcome(StrEnum):
    NEW = "new"
    SAME = "same"
    WRONG = "wrong"


@dataclass
class AssignmentRow:
    """A row of a file, what it names, and what would come of it.

    ``cells`` are as they stand there, by column. ``problems`` are (field, sentence), which keep the whole file out.
    """

    line: int
    cells: Mapping[str, str]
    member: Member | None = None
    number: PhoneNumber | None = None
    address: EmergencyAddress | None = None
    place: Place | None = None
    problems: list[tuple[str, str]] = field(default_factory=list)
    same: bool = False

    @property
    def outcome(self) -> Outcome:
        if self.problems:
            return Outcome.WRONG
        return Outcome.SAME if self.same else Outcome.NEW

    @property
    def pairing(self) -> Pairing | None:
        """Who is to get which number, as far as the row says it."""
        if self.member is None or self.number is None:
            return None
        return Pairing(self.member, self.number, self.address, self.place)

    @property
    def found_at(self) -> EmergencyAddress | None:
        """Where they would be found."""
        return self.address or (self.number.emergency_address if self.number is not None else None)

    def refuse(self, column: str, code: str, **facts: object) -> None:
        self.problems.append((column, tell(TEXTS, code, facts)))


@dataclass(frozen=True)
class AssignmentFile:
    """A file that was understood, with every row, and the columns that nothing is known of.

    ``encoding`` is how it was read; ``guessed`` that this was told by the look of its words.
    """

    rows: list[AssignmentRow]
    ignored: list[str]
    encoding: str
    guessed: bool

    def of(self, outcome: Outcome) -> list[AssignmentRow]:
        return [row for row in self.rows if row.outcome == outcome]

    @property
    def new(self) -> list[AssignmentRow]:
        return self.of(Outcome.NEW)

    @property
    def same(self) -> list[AssignmentRow]:
        return self.of(Outcome.SAME)

    @property
    def wrong(self) -> list[AssignmentRow]:
        return self.of(Outcome.WRONG)

    @property
    def pairings(self) -> list[Pairing]:
        """What is to be given when nothing is wrong."""
        return [pairing for row in self.new if (pairing := row.pairing)]


def check_assignments(organization: Organization, file: BinaryIO, *, encoding: str = "") -> AssignmentFile:
    """Read a file and find everything that is wrong with every row; nobody gets a number yet.

    Numbers are written with their country, without its plus, or as they are dialed in the organization's country. The
    same few queries for one row and for a thousand. Raises UnreadableFile with what is wrong and what to do.
    """
    csv = open_csv(file, judge=_COLUMNS.judge, limit_rows=MOST_ROWS, encoding=encoding or None)
    header = csv.header or ()
    columns = _COLUMNS.columns(header)
    if NUMBER not in columns or not any(name in columns for name in _WHO):
        raise UnclearAssignments("columns_unclear", headers=tell_header(header))
    for name in (NUMBER, ADDRESS, PLACE):
        if len(columns.get(name, ())) > 1:
            raise UnclearAssignments("column_twice", header=storable(header[columns[name][1]]))
    columns[PERSON] = [at for name in _WHO for at in columns.pop(name, [])]
    rows = []
    for line, _line, cells, problems, _notes in csv.rows():
        found = {
            name: next((cell for at in columns.get(name, ()) if (cell := storable(trim(cells[at])))), "")
            for name in COLUMNS
        }
        told = [("row", csv_files.describe(entry["code"], entry["facts"])) for entry in problems]
        rows.append(AssignmentRow(line, found, problems=told))
    _find_people(organization, rows)
    _find_numbers(organization, rows)
    _find_addresses(organization, rows)
    _find_places(organization, rows)
    _check(organization, rows)
    known = {at for places in columns.values() for at in places}
    ignored = [storable(name) for at, name in enumerate(header) if at not in known and name.strip()]
    return AssignmentFile(rows, ignored, csv.reading.encoding, not csv.reading.certain)


def _find_people(organization: Organization, rows: Sequence[AssignmentRow]) -> None:
    named = find_by_names(organization, {row.cells[PERSON].lower() for row in rows if row.cells[PERSON]})
    people = Member.objects.of(organization).select_related("user").in_bulk([pk for pk, _state in named.values()])
    for row in rows:
        name = row.cells[PERSON]
        pk, _state = named.get(name.lower(), (0, ""))
        row.member = people.get(pk)
        if not name:
            row.refuse(PERSON, "person_missing")
        elif row.member is None:
            row.refuse(PERSON, "person_unknown", person=name[:320])


def _find_numbers(organization: Organization, rows: Sequence[AssignmentRow]) -> None:
    readings: dict[int, list[str]] = {}
    for row in rows:
        try:
            readings[row.line] = _read_number(organization, row.cells[NUMBER])
        except NotANumber as refusal:
            row.problems.append((NUMBER, str(refusal)))
    wanted = {number for some in readings.values() for number in some}
    own = PhoneNumber.objects.of(organization).filter(number__in=wanted).select_related("area", "emergency_address")
    owned = {number.number: number for number in own}
    for row in rows:
        if some := readings.get(row.line):
            row.number = next((owned[number] for number in some if number in owned), None)
            if row.number is None:
                row.refuse(NUMBER, "number_not_owned", number=some[0])


def _read_number(organization: Organization, text: str) -> list[str]:
    """What a text may mean, in E.164, the likeliest first: spreadsheets drop the plus. Raises NotANumber."""
    text = text.removeprefix("'").removeprefix("tel:")
    written = [(text, "")]
    if not text.startswith("+"):
        written += [(text, organization.country), (f"+{text}", "")]
    found, refusals = list[str](), list[NotANumber]()
    for number, country in written:
        try:
            found.append(read_phone_number(number, country=country))
        except NotANumber as refusal:
            refusals.append(refusal)
    if not found:
        raise refusals[0]
    return list(dict.fromkeys(found))


def _find_addresses(organization: Organization, rows: Sequence[AssignmentRow]) -> None:
    keys = {name_key(row.cells[ADDRESS]) for row in rows if row.cells[ADDRESS]}
    live = EmergencyAddress.objects.live().filter(organization=organization, name_key__in=keys)
    found = {address.name_key: address for address in live}
    for row in rows:
        if name := row.cells[ADDRESS]:
            row.address = found.get(name_key(name))
            if row.address is None:
                row.refuse(ADDRESS, "address_unknown", name=name[:100])


def _find_places(organization: Organization, rows: Sequence[AssignmentRow]) -> None:
    named = [(row, address, row.cells[PLACE]) for row in rows if row.cells[PLACE] and (address := row.found_at)]
    places = Place.objects.filter(
        Q(name_key__in={name_key(name) for _row, _address, name in named}),
        organization=organization,
        address__in={address.pk for _row, address, _name in named},
        removed_at=None,
    )
    found = {(place.address_id, place.name_key): place for place in places}
    for row, address, name in named:
        # Of an address that isn't known, nothing can be said of its places.
        if row.address is not None or not row.cells[ADDRESS]:
            row.place = found.get((address.pk, name_key(name)))
            if row.place is None:
                row.refuse(PLACE, "place_unknown", name=name[:100])


def _check(organization: Organization, rows: Sequence[AssignmentRow]) -> None:
    """Have rows tell what the applying of them would refuse, and which are so already."""
    sighted = look(organization, [pairing for row in rows if (pairing := row.pairing)])
    seen: dict[tuple[str, int], int] = {}
    missing = _missing_disclaimers(organization, rows)
    for row in rows:
        for column, found in ((PERSON, row.member), (NUMBER, row.number)):
            if found is not None and (first := seen.setdefault((column, found.pk), row.line)) != row.line:
                row.refuse(column, f"{column}_twice", row=first)
        if row.pairing is None or row.problems:
            continue
        row.same = _has_it(sighted, row)
        if not row.same:
            row.problems += [(_column_of(refusal.field), str(refusal)) for refusal in obstacles(sighted, row.pairing)]
            row.problems += _told_missing(missing, row)


def _has_it(sighted: Sighted, row: AssignmentRow) -> bool:
    """Whether somebody has exactly that: what the row leaves open is as it is."""
    assert row.member is not None
    assert row.number is not None
    has = sighted.having.get(row.member.pk)
    if has is None or has.number_id != row.number.pk:
        return False
    return (not row.cells[ADDRESS] or has.emergency_address == row.address) and (
        not row.cells[PLACE] or has.place == row.place
    )


def _missing_disclaimers(organization: Organization, rows: Sequence[AssignmentRow]) -> dict[str, str]:
    """What has yet to be accepted, told, by country; of those that addresses of the file are in."""
    countries = {address.country for row in rows if (address := row.found_at)}
    return {
        country: str(DisclaimerMissing(country=country))
        for country in sorted(countries)
        if missing_disclaimer(organization, country) is not None
    }


def _told_missing(missing: Mapping[str, str], row: AssignmentRow) -> Iterator[tuple[str, str]]:
    address = row.found_at
    if address is not None and address.country in missing:
        yield ADDRESS, missing[address.country]


def _column_of(name: str | None) -> str:
    """The column that a refusal of services is about."""
    return PERSON if name == "member" else name or "row"
