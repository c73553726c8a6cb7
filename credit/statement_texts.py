"""The lines of a statement as people read them, on pages and in files."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext

from credit.causes import Cause, causes_of
from credit.models import Transfer
from credit.selectors.statements import Line
from members.access import Actor
from members.audit_texts import actor_text
from members.models import Member, Organization

Operation = Transfer.Operation


@dataclass(frozen=True)
class ShownLine:
    """A line with its words: what it was, with whom (None or a member, as they were called), who did it, its cause."""

    line: Line
    what: str
    member: Member | None
    name: str
    by: str
    cause: Cause | None


def show_lines(organization: Organization, lines: Sequence[Line], actor: Actor) -> list[ShownLine]:
    """Lines with the links that ``actor`` may follow."""
    causes = causes_of(organization, [line.transfer for line in lines], actor)
    return [
        ShownLine(
            line=line,
            what=what_of(line),
            member=line.other.member,
            name=_name_of(line),
            by=actor_text(line.transfer, line.transfer.recorded_at),
            cause=causes.get(line.transfer.pk),
        )
        for line in lines
    ]


def what_of(line: Line) -> str:
    """What happened, from the side of the account that the line is of."""
    transfer = line.transfer
    match transfer.operation:
        case Operation.PURCHASE:
            return gettext("Credit bought")
        case Operation.ALLOCATION:
            return gettext("Credit allocated") if line.change < 0 else gettext("Credit added")
        case Operation.SETTLEMENT:
            return gettext("Debt settled") if line.change < 0 else gettext("Credit owed")
        case _:
            return str(Operation(transfer.operation).label)


def file_header(*, with_member: bool) -> list[str]:
    """The column names of a statement as a file."""
    return [
        gettext("When"),
        gettext("What"),
        *([gettext("Member"), gettext("Skype Name")] if with_member else []),
        gettext("By"),
        gettext("Reason"),
        gettext("Amount"),
        gettext("Balance"),
        gettext("Currency"),
    ]


def file_rows(lines: Iterable[Line], currency: str, *, with_member: bool) -> list[list[object]]:
    """Lines as rows of a file that programs can read: ISO dates in the current time zone, amounts as decimals."""
    return [
        [
            timezone.localtime(line.transfer.recorded_at).isoformat(timespec="seconds"),
            what_of(line),
            *(_member_cells(line) if with_member else []),
            actor_text(line.transfer, line.transfer.recorded_at),
            line.transfer.reason,
            line.change,
            line.balance,
            currency,
        ]
        for line in lines
    ]


def _member_cells(line: Line) -> list[str]:
    member = line.other.member
    if member is None:
        return ["", ""]
    return [_name_of(line), member.user.skype_name]


def _name_of(line: Line) -> str:
    return line.other.member.name_at(line.transfer.recorded_at) if line.other.member else ""
