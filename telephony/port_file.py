"""The numbers of a port order, as people paste them or as a file has them: one column ``PhoneNumber`` (domain §3.5)."""

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.column_names import ColumnNames, tell_header
from skypemgr import csv_files
from skypemgr.characters import storable, trim
from skypemgr.csv_files import UnreadableFile, open_csv
from skypemgr.problems import Texts
from telephony.models import NumberArea
from telephony.phone_numbers import NotANumber, check_type, read_phone_number
from telephony.port_errors import NoNumbers, NumbersWrong, TooManyNumbers

MOST_NUMBERS = 999
TEXTS: Texts = {
    **csv_files.TEXTS,
    "port_column": _("The file needs one column, PhoneNumber. It has %(headers)s."),
}
_COLUMNS = ColumnNames({"number": "PhoneNumber | phone number | number | numéro | numéro de téléphone | telefonnummer"})


class UnclearNumbers(UnreadableFile):
    """A file that has no column of numbers, or several."""

    texts = TEXTS


def numbers_of_file(file: BinaryIO) -> list[str]:
    """The numbers of a file as they stand there. Raises UnreadableFile with what is wrong and what to do."""
    # One more than there may be, so that it is told how many there may be.
    csv = open_csv(file, judge=_COLUMNS.judge, limit_rows=MOST_NUMBERS * 10)
    header = csv.header or ()
    columns = [at for at, name in enumerate(header) if _COLUMNS.field_of(name)]
    if len(columns) != 1 or len([name for name in header if name.strip()]) != 1:
        raise UnclearNumbers("port_column", headers=tell_header(header))
    return [storable(trim(cells[columns[0]])) for _number, _line, cells, _problems, _notes in csv.rows()]


def read_numbers(written: Iterable[str], *, country: str, kind: str) -> list[str]:
    """The numbers of a country in E.164, each once and in their order, from how they are written.

    Raises NoNumbers, TooManyNumbers, and NumbersWrong with every one that isn't such a number.
    """
    found: dict[str, None] = {}
    problems = []
    for place, text in _with_places(written):
        try:
            number = read_phone_number(text, country=country)
            check_type(number, country=country, toll_free=kind == NumberArea.Type.TOLL_FREE)
        except NotANumber as problem:
            problems.append(gettext("Line {number}: {problem}").format(number=place, problem=problem))
        else:
            found[number] = None
    if problems:
        raise NumbersWrong(number=len(problems), problems=problems)
    if not found:
        raise NoNumbers
    if len(found) > MOST_NUMBERS:
        raise TooManyNumbers(most=MOST_NUMBERS, number=len(found))
    return list(found)


def _with_places(written: Iterable[str]) -> Iterator[tuple[int, str]]:
    return ((place, text) for place, text in enumerate(written, 1) if text.strip())
