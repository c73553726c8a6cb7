"""A CSV file of amounts: which column says who, how much and why, and what each row says."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

from django.utils.translation import gettext_lazy as _

from members.column_names import ColumnNames, tell_header
from members.directory_headers import look_up
from skypemgr import csv_files
from skypemgr.characters import storable, trim
from skypemgr.csv_files import CsvFile, UnreadableFile, open_csv
from skypemgr.problems import Texts

TEXTS: Texts = {
    **csv_files.TEXTS,
    "columns_unclear": _(
        "One column must say who, by e-mail address or Skype Name, and one how much. The columns are: %(headers)s."
        " Call them E-mail and Amount."
    ),
    "amount_twice": _("Two columns say how much. Remove one of them."),
}
# Beside the names that directories give to addresses and Skype Names.
_NAMES = {
    "person": """
        person | member | who | recipient | personne | membre | qui | bénéficiaire | destinataire | medlem | vem
        mottagare
    """,
    "amount": """
        amount | credit | skype credit | sum | montant | crédit | crédit skype | somme | belopp | kredit | skype-kredit
        summa | betrag | bedrag | importe | importo
    """,
    "reason": """
        reason | why | note | comment | remark | motif | raison | pourquoi | commentaire | libellé | remarque | orsak
        anledning | skäl | kommentar | anmärkning
    """,
}
_WHO = ("email", "skype_name", "person")


def _in_directories(header: str) -> str:
    known = look_up(header)
    return known[0] if known is not None and known[0] in _WHO else ""


_COLUMNS = ColumnNames(_NAMES, otherwise=_in_directories)


class UnclearAmounts(UnreadableFile):
    """A file whose columns don't say who gets how much."""

    texts = TEXTS


class AmountRow(NamedTuple):
    """A data row as it stands in the file, trimmed but for the amount.

    ``problems`` are those of reading it, ``{"code", "facts"}``.
    """

    number: int
    person: str
    amount: str
    reason: str
    problems: list[dict[str, Any]]


@dataclass(frozen=True)
class AmountsFile:
    """A file that was understood; ``rows()`` reads it as it is asked for."""

    csv: CsvFile
    columns: dict[str, list[int]]

    def rows(self) -> Iterator[AmountRow]:
        """Every data row. What stands in it is not checked here."""
        who = [at for field in _WHO for at in self.columns.get(field, [])]
        for number, _line, cells, problems, _notes in self.csv.rows():
            person, reason = (
                next((cell for at in places if (cell := storable(trim(cells[at])))), "")
                for places in (who, self.columns.get("reason", []))
            )
            # As it stands there: which spaces an amount may have is said where amounts are read.
            amount = storable(cells[self.columns["amount"][0]])
            yield AmountRow(number, person, amount, reason, problems)


def open_amounts(file: BinaryIO, *, limit_rows: int, encoding: str = "") -> AmountsFile:
    """Understand a file of amounts in one pass; its rows follow in a second one.

    ``encoding``, a key of ``text_files.ENCODINGS``, overrules what would be detected.

    Raises UnreadableFile (UnclearAmounts among them) with what is wrong and what to do.
    """
    csv = open_csv(file, judge=_COLUMNS.judge, limit_rows=limit_rows, encoding=encoding or None)
    header = csv.header or ()
    columns = _COLUMNS.columns(header)
    if "amount" not in columns or not any(field in columns for field in _WHO):
        raise UnclearAmounts("columns_unclear", headers=tell_header(header))
    if len(columns["amount"]) > 1:
        raise UnclearAmounts("amount_twice")
    return AmountsFile(csv, columns)
