"""What a call is that a switch told of: whose, to where, and whether anything is to be paid for it."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from members.models import Organization
from telephony.call_files import CallRow
from telephony.models import Call
from telephony.rating import Called, Kind, read_called

from .matching import Directory, country_of_number, is_premium_number

OUTBOUND, INBOUND = Call.Direction.OUTBOUND.value, Call.Direction.INBOUND.value
Outcome = Call.Outcome


class StagedCall(NamedTuple):
    """A call as it is staged, column by column. ``free_by``: why nothing is to be paid, "" when a rate is to say."""

    row: int
    external_id: str
    leg: str
    at: datetime
    answered_at: datetime | None
    ended_at: datetime
    duration: int
    seconds: int
    direction: str
    account: str
    caller: str
    called: str
    digits: str
    country: str
    free_by: str
    plan: str
    member: int | None
    department: int | None


class _Party(NamedTuple):
    member: int | None
    direction: str
    internal: bool


def read_staged(
    organization: Organization, rows: Sequence[CallRow], *, members: Sequence[int | None] | None = None
) -> list[StagedCall]:
    """What each of some calls is, by a handful of queries for all of them.

    ``members`` says of each whose it is, where that is known; None: whoever it names.
    """
    directory = Directory(organization)
    directory.know_accounts({text for row in rows for text in (row.account.lower(), row.called.lower())})
    callers = [_read(row.caller, organization.country) for row in rows]
    directory.know_numbers({caller.digits for caller in callers})
    dialed = [_read(row.called, directory.country_of(caller.digits)) for row, caller in zip(rows, callers, strict=True)]
    directory.know_numbers({called.digits for called in dialed})
    parties = [
        _party(directory, row, caller.digits, called, member)
        for row, caller, called, member in zip(rows, callers, dialed, members or [None] * len(rows), strict=True)
    ]
    directory.know_members({party.member for party in parties if party.member is not None})
    return [_staged(directory, row, called, party) for row, called, party in zip(rows, dialed, parties, strict=True)]


def _party(directory: Directory, row: CallRow, caller: str, called: Called, member: int | None) -> _Party:
    at = row.started_at
    named = member or (directory.accounts.get(row.account.lower()) if row.account else None)
    makes, gets = directory.holder(caller, at), directory.holder(called.digits, at)
    from_inside, to_inside = directory.owned(caller, at), directory.owned(called.digits, at)
    if called.kind == Kind.UNREADABLE:
        # A colleague who is called by name.
        gets = directory.accounts.get(row.called.lower())
        to_inside = gets is not None
    came_in = row.direction == INBOUND or (
        not row.direction and not from_inside and to_inside and named in (None, gets)
    )
    if came_in and not from_inside:
        return _Party(member or gets or named, INBOUND, internal=False)
    return _Party(named or makes, OUTBOUND, internal=to_inside)


def _staged(directory: Directory, row: CallRow, called: Called, party: _Party) -> StagedCall:
    free_by, country, plan = _free_by(called, party), "", ""
    if not free_by:
        country = country_of_number(called.digits) if called.digits else ""
        plan = directory.plan_of(party.member, country, row.answered_at) if row.answered_at else ""
        if plan and is_premium_number(called.digits):
            plan = ""
    return StagedCall(
        row=row.row,
        external_id=row.external_id,
        leg=row.leg,
        at=row.started_at,
        answered_at=row.answered_at,
        ended_at=row.ended_at,
        duration=row.duration,
        seconds=row.seconds,
        direction=party.direction,
        account=row.account,
        caller=row.caller,
        called=row.called,
        digits=called.digits,
        country=country,
        free_by=free_by,
        plan=plan,
        member=party.member,
        department=directory.department_of(party.member, row.started_at),
    )


def _free_by(called: Called, party: _Party) -> str:
    if party.member is None:
        return Outcome.UNASSIGNED.value
    if party.direction == INBOUND:
        return Outcome.INBOUND.value
    if called.kind in (Kind.EMERGENCY, Kind.SHORT):
        return str(called.kind.value)
    return Outcome.INTERNAL.value if party.internal else ""


@lru_cache(maxsize=100_000)
def _read(text: str, country: str) -> Called:
    return read_called(text, country=country)
