"""A file of amounts as commands take it: given at once, or shown as it would be."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from credit.amounts import sentence
from credit.errors import InsufficientCredit
from credit.selectors.allocations import check_file, forecast_of_rows
from credit.services.amounts import allocate_file
from members.access import Actor
from members.errors import RowsNeedCorrection
from members.management.base import Refused
from members.management.files import NAMED, opened
from members.models import BatchRow, Organization

MOST_TOLD = 50


def give_by_file(
    organization: Organization, actor: Actor, path: Path, *, encoding: str | None, key: UUID
) -> dict[str, Any]:
    """Give everybody in a file theirs; what ``--json`` prints of it. Raises Refused, with every wrong row."""
    codec = NAMED.get(encoding or "", "")
    with opened(path) as file:
        try:
            batch = allocate_file(
                actor=actor,
                organization=organization,
                content=file,
                file_name=path.name,
                key=key,
                encoding=codec,
            )
        except RowsNeedCorrection as refusal:
            rows = check_file(organization, file, encoding=codec)
            told = forecast_of_rows(organization, rows)
            raise _not_right(organization, rows, told.wallet) from refusal
        except InsufficientCredit as refusal:
            raise _not_covered(refusal) from refusal
    facts = batch.facts
    return {"members": facts["members"], "sum": Decimal(facts["sum"]), "wallet": Decimal(facts["wallet"]), "errors": []}


def preview_file(organization: Organization, path: Path, *, encoding: str | None) -> dict[str, Any]:
    """Who in a file would get how much now, and what is wrong with it. Raises Refused where nobody would get any."""
    with opened(path) as file:
        rows = check_file(organization, file, encoding=NAMED.get(encoding or "", ""))
    told = forecast_of_rows(organization, rows)
    if told.wrong:
        raise _not_right(organization, rows, told.wallet)
    if not told.is_covered:
        refusal = InsufficientCredit(account=0, balance=told.wallet, wanted=told.total, currency=organization.currency)
        raise _not_covered(refusal)
    return {
        "members": 0,
        "sum": told.total,
        "wallet": told.wallet,
        "errors": [],
        "would_get": told.ready,
        "shares": [
            {
                "row": row.number,
                "person": row.data["person"],
                "amount": Decimal(row.data["amount"]),
                "reason": row.data["reason"],
            }
            for row in rows
        ],
    }


def _not_covered(refusal: InsufficientCredit) -> Refused:
    told = {"members": 0, "sum": refusal.wanted, "wallet": refusal.balance, "errors": [], "error": str(refusal)}
    return Refused(str(refusal), told)


def _not_right(organization: Organization, rows: list[BatchRow], wallet: Decimal) -> Refused:
    errors = list(_errors(rows, organization.currency))
    wrong = len({error["row"] for error in errors})
    lines = [f"Nobody got any: {wrong} of {len(rows)} rows need a correction."]
    lines += [f"Row {error['row']}, {error['field']}: {error['message']}" for error in errors[:MOST_TOLD]]
    if len(errors) > MOST_TOLD:
        lines.append(f"… and {len(errors) - MOST_TOLD} more; --json lists them all.")
    reason = "\n".join(lines)
    return Refused(reason, {"members": 0, "wallet": wallet, "errors": errors, "error": lines[0]})


def _errors(rows: Iterable[BatchRow], currency: str) -> Iterator[dict[str, Any]]:
    for row in rows:
        for problem in row.problems:
            message = sentence(row, problem, currency)
            yield {"row": row.number, "field": problem["field"] or "row", "message": message}
