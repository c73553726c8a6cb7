"""What will happen to each row of a file of amounts, and what is wrong with it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from credit import amounts_file
from credit.amounts_file import AmountRow
from members.models import Batch, BatchRow, Member, Organization
from members.selectors.named import find_by_names
from skypemgr.forms import REASON_TEXTS, ReasonProblem, read_reason
from skypemgr.money import NotAnAmount, read_amount
from skypemgr.problems import Texts, tell

type Entry = dict[str, Any]

BY_FILE = "allocate_amounts"
# Each takes a statement of its own.
MOST_REASONS = 100
# Of an amount that can't be read.
MOST_KEPT = 100
TEXTS: Texts = {
    **amounts_file.TEXTS,
    **REASON_TEXTS,
    "person_missing": _("Nobody is named: write an e-mail address or a Skype Name."),
    "person_unknown": _("There is no member %(person)s."),
    "person_left": _("%(person)s has left, and gets no credit any more."),
    "person_twice": _("The same person as in row %(row)d."),
    "reasons_many": _("There are more than %(limit)d different reasons in this file. Use fewer."),
}


def sentence(row: BatchRow, problem: Mapping[str, Any], currency: str) -> str:
    """A problem of a row in the active language."""
    if problem["code"] == "amount":
        # Told anew each time, since its words are those of the field in the language of whoever reads.
        try:
            read_amount(row.data["amount"], currency)
        except NotAnAmount as refusal:
            return str(refusal)
    return tell(TEXTS, problem["code"], problem["facts"])


def check_amounts(organization: Organization, batch: Batch, rows: Sequence[AmountRow]) -> list[BatchRow]:
    """Rows, not saved, that say who gets how much, with every problem of every row at once."""
    members = find_by_names(organization, {row.person.lower() for row in rows if row.person})
    seen: dict[int, int] = {}
    reasons: set[str] = set()
    return [_checked(organization, batch, row, members, seen, reasons) for row in rows]


def _checked(
    organization: Organization,
    batch: Batch,
    row: AmountRow,
    members: Mapping[str, tuple[int, str]],
    seen: dict[int, int],
    reasons: set[str],
) -> BatchRow:
    problems: list[Entry] = [{"field": None, **problem} for problem in row.problems]
    # What is too long is no amount, nor may it become one.
    amount = row.amount if len(row.amount) <= MOST_KEPT else f"{row.amount[:MOST_KEPT]}…"
    data = {"person": row.person[:320], "amount": amount, "reason": row.reason[:400]}
    member, state = members.get(row.person.lower(), (None, ""))
    if not row.person:
        problems.append(_problem("person", "person_missing"))
    elif member is None:
        problems.append(_problem("person", "person_unknown", person=data["person"]))
    elif state == Member.State.LEFT:
        problems.append(_problem("person", "person_left", person=data["person"]))
    elif (first := seen.setdefault(member, row.number)) != row.number:
        problems.append(_problem("person", "person_twice", row=first))
    try:
        data["amount"] = f"{read_amount(row.amount, organization.currency):.4f}"
    except NotAnAmount:
        problems.append(_problem("amount", "amount"))
    try:
        data["reason"] = read_reason(row.reason)
        reasons.add(data["reason"])
        if len(reasons) > MOST_REASONS:
            problems.append(_problem("reason", "reasons_many", limit=MOST_REASONS))
    except ReasonProblem as problem:
        problems.append({"field": "reason", **problem.as_json()})
    return BatchRow(
        organization_id=organization.pk,
        batch_id=batch.pk,
        number=row.number,
        data=data,
        outcome=BatchRow.Outcome.PROBLEM if problems else BatchRow.Outcome.READY,
        problems=problems,
        notes=[],
        member_id=member,
    )


def _problem(field: str, code: str, **facts: object) -> Entry:
    return {"field": field, "code": code, "facts": facts}
