"""What is told about a row of a batch: its problems and notes as sentences, its outcome as a lamp and a word."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from members import addresses, directory, names
from members.models import Batch, BatchRow
from skypemgr.csv_files import describe_delimiter
from skypemgr.problems import Texts, tell

TEXTS: Texts = {
    **names.TEXTS,
    **addresses.TEXTS,
    **directory.TEXTS,
    "already_member": _("Already a member. Nothing will be done."),
    "has_left": _("Has left. Nothing will be done. To add this person anew, leave the Skype Name out of the file."),
    "already_invited": _("Already invited. Nothing will be done."),
    "same_as_row": _("Same e-mail address as row %(row)d. It will be skipped."),
    "department_deep": _("Departments nest at most %(depth)d levels deep."),
    "department_new": _("and the department"),
    "language_unknown": _("“%(text)s” is none of our languages. Letters come in that of the organization."),
    "conflict": _("Somebody else changed this at the same moment. Try the row again."),
}

OUTCOMES = {
    BatchRow.Outcome.READY: ("success", _("Create account")),
    BatchRow.Outcome.PROBLEM: ("danger", _("Needs a correction")),
    BatchRow.Outcome.SKIPPED: ("off", _("Skipped")),
    BatchRow.Outcome.LEFT_OUT: ("off", _("Left out")),
    BatchRow.Outcome.DONE: ("success", _("Created")),
    BatchRow.Outcome.FAILED: ("danger", _("Failed")),
}

# What a row that was not carried out says once the batch has ended.
ENDED = {
    BatchRow.Outcome.READY: ("waiting", _("Waiting")),
    BatchRow.Outcome.PROBLEM: ("danger", _("Not created")),
}


def sentence(entry: dict[str, Any]) -> str:
    """A stored problem or note in the active language."""
    return tell(TEXTS, entry["code"], entry["facts"])


def sentences(row: BatchRow, field: str | None = None) -> list[str]:
    """Everything that is told about a row, or about one field of it: problems first, then notes."""
    # That a department comes with the account is said where the account is; alone it explains nothing.
    entries = [entry for entry in [*row.problems, *row.notes] if field or entry["code"] != "department_new"]
    return [sentence(entry) for entry in entries if field is None or entry.get("field") == field]


@dataclass(frozen=True)
class HowRead:
    """How the file of a batch was read, in the active language; ``ignored`` columns with the reason of each.

    ``certain`` unless the encoding was told by the look of the words; ``chosen`` when somebody chose it; then, too,
    the file can be ``readable_again`` in another.
    """

    encoding: str
    certain: bool
    chosen: bool
    readable_again: bool
    delimiter: str
    has_header: bool
    ignored: list[tuple[str, str]]


def how_read(batch: Batch) -> HowRead | None:
    """How the file of a batch was read; None when it had none."""
    facts = batch.facts
    if "encoding" not in facts:
        return None
    return HowRead(
        encoding=facts["encoding"],
        certain=facts["certain"] or bool(facts.get("read_as")),
        chosen=bool(facts.get("read_as")),
        readable_again=batch.state == Batch.State.DRAFT and batch.pieces.exists(),
        delimiter=describe_delimiter(facts["delimiter"]),
        has_header=bool(facts["header_line"]),
        ignored=[
            (directory.describe_column(column), directory.describe(column["reason"], {}))
            for column in facts.get("ignored", [])
        ],
    )
