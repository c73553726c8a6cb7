"""A CSV file of emergency addresses: which column holds what, and what would come of each row."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.column_names import ColumnNames, tell_header
from members.models import Organization
from members.names import NameProblem
from skypemgr import csv_files
from skypemgr.characters import storable, trim
from skypemgr.csv_files import CsvFile, UnreadableFile, open_csv
from skypemgr.problems import Texts
from telephony.emergency import check_address_name, civic_of
from telephony.models import EmergencyAddress
from telephony.models.emergency import name_key
from telephony.postcodes import cities_of
from telephony.validation import FIELDS, Civic, Level, Result, tell_message, validate

MOST_ROWS = 1_000
TEXTS: Texts = {
    **csv_files.TEXTS,
    "columns_unclear": _(
        "The columns name, country, street, city and postal_code are needed. The columns are: %(headers)s."
    ),
}
_NEEDED = ("name", "country", "street")
_NAMES = {
    "name": "name | address name | nom | nom de l'adresse | namn | adressnamn | label",
    "country": "country | country code | pays | land | countryorregion",
    "company_name": "company name | company | entreprise | société | företag | companyname",
    "house_number": "house number | number | street number | numéro | n° | husnummer | nummer | housenumber",
    "street": "street | street name | address | rue | voie | adresse | gata | gatuadress | adress | streetname",
    "city": "city | town | locality | ville | commune | ort | stad | postort",
    "region": "region | state | state or region | province | région | état | département | län | stateorprovince",
    "postal_code": "postal code | postcode | zip | zip code | code postal | postnummer | postalcode",
    "latitude": "latitude | lat",
    "longitude": "longitude | long | lng | lon",
}


_COLUMNS = ColumnNames(_NAMES)


class UnclearAddresses(UnreadableFile):
    """A file whose columns don't say what is where."""

    texts = TEXTS


class Outcome(StrEnum):
    NEW = "new"
    SAME = "same"
    WRONG = "wrong"


@dataclass(frozen=True)
class AddressRow:
    """A row of a file and what would come of it; ``problems`` are (field, sentence), which keep it out."""

    number: int
    name: str
    result: Result | None
    outcome: Outcome
    problems: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class AddressFile:
    """A file that was understood, with every row, and the columns that nothing is known of."""

    rows: list[AddressRow]
    ignored: list[str]

    def of(self, outcome: Outcome) -> list[AddressRow]:
        return [row for row in self.rows if row.outcome == outcome]

    @property
    def new(self) -> list[AddressRow]:
        return self.of(Outcome.NEW)

    @property
    def same(self) -> list[AddressRow]:
        return self.of(Outcome.SAME)

    @property
    def wrong(self) -> list[AddressRow]:
        return self.of(Outcome.WRONG)


def check_addresses(organization: Organization, file: BinaryIO, *, encoding: str = "") -> AddressFile:
    """Read a file and validate every row. Raises UnreadableFile with what is wrong and what to do."""
    csv = open_csv(file, judge=_COLUMNS.judge, limit_rows=MOST_ROWS, encoding=encoding or None)
    header = csv.header or ()
    columns = {at: known for at, name in enumerate(header) if (known := _COLUMNS.field_of(name))}
    if any(name not in columns.values() for name in _NEEDED):
        raise UnclearAddresses("columns_unclear", headers=tell_header(header))
    ignored = [storable(name) for at, name in enumerate(header) if at not in columns and name.strip()]
    return AddressFile(list(_checked(organization, _cells(csv, columns))), ignored)


type Cells = tuple[int, dict[str, str], list[tuple[str, str]]]


def _cells(csv: CsvFile, columns: dict[int, str]) -> Iterator[Cells]:
    for number, _line, cells, problems, _notes in csv.rows():
        found: dict[str, str] = {}
        for at, name in columns.items():
            found[name] = found.get(name) or storable(trim(cells[at]))
        yield number, found, [("row", csv_files.describe(entry["code"], entry["facts"])) for entry in problems]


def _checked(organization: Organization, rows: Iterator[Cells]) -> Iterator[AddressRow]:
    every = list(rows)
    keys = {name_key(fields.get("name", "")) for _number, fields, _problems in every}
    live = EmergencyAddress.objects.live().filter(organization=organization, name_key__in=keys)
    there = {address.name_key: address for address in live.select_related("current")}
    seen: set[str] = set()
    for number, fields, problems in every:
        if problems:
            yield AddressRow(number, fields.get("name", ""), None, Outcome.WRONG, problems)
        else:
            yield _check(number, fields, there, seen)


def _check(number: int, fields: dict[str, str], there: dict[str, EmergencyAddress], seen: set[str]) -> AddressRow:
    problems: list[tuple[str, str]] = []
    name = fields.get("name", "")
    try:
        name = check_address_name(name)
    except NameProblem as problem:
        problems.append(("name", str(problem)))
    result = validate(Civic.of({key: fields.get(key, "") for key in FIELDS}), cities=cities_of)
    problems += [(message.field, tell_message(message)) for message in result.messages if message.level == Level.ERROR]
    key = name_key(name)
    same = there.get(key)
    if same is not None and civic_of(same) == result.normalized:
        return AddressRow(number, name, result, Outcome.SAME)
    if same is not None or key in seen:
        problems.append(("name", gettext("“%(name)s” is already used.") % {"name": name}))
    seen.add(key)
    return AddressRow(number, name, result, Outcome.WRONG if problems else Outcome.NEW, problems)
