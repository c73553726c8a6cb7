"""Formats that name their columns: Kamailio's ``acc_cdrs``, Twilio's log, the PSTN export of Teams, and our own."""

from collections.abc import Mapping
from datetime import datetime

from .rows import CallRow, Clock, WrongCall, read_seconds
from .tables import HeadedTable


def _kamailio(row: int, cells: Mapping[str, str], clock: Clock) -> CallRow:
    # A call begins for it when it was answered; without the column there are only such.
    answered = cells.get("sip_code", "200") == "200"
    tags = [cells[name] for name in ("from_tag", "to_tag") if cells.get(name)]
    call_id = cells["callid"]
    return _between(
        row,
        cells,
        clock,
        answered=answered,
        external_id="|".join([call_id, *tags]) if call_id else "",
        linked_id=call_id,
        account=cells["src_user"],
        caller=cells["src_user"],
        called=cells["dst_user"],
        disposition=cells.get("sip_code", ""),
    )


def _twilio(row: int, cells: Mapping[str, str], clock: Clock) -> CallRow:
    return _between(
        row,
        cells,
        clock,
        answered=cells["status"] == "completed",
        external_id=cells["sid"],
        linked_id=cells.get("parent", ""),
        direction=_direction(cells.get("direction", "")),
        caller=cells["caller"],
        called=cells["called"],
        disposition=cells["status"],
    )


def _teams(row: int, cells: Mapping[str, str], clock: Clock) -> CallRow:
    # It tells calls that were connected, and charges those out of a conference to it.
    kind = cells["type"]
    return _between(
        row,
        cells,
        clock,
        answered=True,
        external_id=cells["id"],
        linked_id=cells.get("call", ""),
        direction="inbound" if kind.endswith("_in") else "outbound",
        account=cells.get("upn", ""),
        caller=cells.get("caller", ""),
        called=cells["called"] or cells.get("dialed", ""),
        disposition=kind,
    )


def _between(
    row: int,
    cells: Mapping[str, str],
    clock: Clock,
    *,
    answered: bool,
    external_id: str,
    linked_id: str,
    caller: str,
    called: str,
    disposition: str,
    direction: str = "",
    account: str = "",
) -> CallRow:
    """A call of which is known when it began and ended, and how long it was."""
    started = clock.read("start", cells["start"])
    seconds = read_seconds("duration", cells["duration"] or "0")
    return CallRow(
        row=row,
        external_id=external_id,
        leg="",
        linked_id=linked_id,
        direction=direction,
        account=account,
        caller=caller,
        called=called,
        started_at=started,
        answered_at=started if answered else None,
        ended_at=clock.read("end", cells["end"], after=started),
        duration=seconds,
        seconds=seconds if answered else 0,
        disposition=disposition,
    )


def _own(row: int, cells: Mapping[str, str], clock: Clock) -> CallRow:
    started = clock.read("started_at", cells["started_at"])
    answered: datetime | None = None
    if cells["answered_at"]:
        answered = clock.read("answered_at", cells["answered_at"], after=started)
    ended = clock.read("ended_at", cells["ended_at"], after=answered or started)
    if cells.get("seconds"):
        seconds = read_seconds("seconds", cells["seconds"])
    else:
        seconds = max(int((ended - answered).total_seconds()), 0) if answered else 0
    return CallRow(
        row=row,
        external_id=cells["id"],
        leg=cells.get("leg", ""),
        linked_id=cells.get("linked_id", ""),
        direction=_direction(cells.get("direction", "")),
        account=cells.get("account", ""),
        caller=cells.get("from", ""),
        called=cells["to"],
        started_at=started,
        answered_at=answered,
        ended_at=ended,
        duration=max(int((ended - started).total_seconds()), 0),
        seconds=seconds if answered else 0,
        disposition=cells.get("disposition", ""),
    )


def _direction(text: str) -> str:
    """outbound-api, outbound-dial, trunking-originating are outbound."""
    begun = text.lower().partition("-")[0]
    if begun not in ("inbound", "outbound", "trunking", ""):
        raise WrongCall("direction", "call_shape")
    return {"trunking": "inbound" if text.endswith("terminating") else "outbound"}.get(begun, begun)


KAMAILIO = HeadedTable(
    {
        "start": "start_time",
        "end": "end_time",
        "duration": "duration",
        "callid": "callid | call_id",
        "from_tag": "from_tag",
        "to_tag": "to_tag",
        "src_user": "src_user",
        "dst_user": "dst_user | dst_ouser",
        "sip_code": "sip_code",
    },
    ("start", "end", "duration", "callid", "src_user", "dst_user"),
    _kamailio,
)
TWILIO = HeadedTable(
    {
        "sid": "Call SID | sid",
        "parent": "Parent Call SID",
        "caller": "From",
        "called": "To",
        "status": "Status",
        "direction": "Direction",
        "start": "Start Time",
        "end": "End Time",
        "duration": "Duration",
    },
    ("sid", "caller", "called", "status", "start", "end", "duration"),
    _twilio,
)
TEAMS = HeadedTable(
    {
        "id": "UsageId | Usage ID",
        "call": "Call ID",
        "upn": "UPN",
        "caller": "Caller ID",
        "type": "Call Type",
        "dialed": "Destination Dialed",
        "called": "Destination Number",
        "start": "Start Time",
        "end": "End Time",
        "duration": "Duration Seconds",
    },
    ("id", "type", "called", "start", "end", "duration"),
    _teams,
)
OWN = HeadedTable(
    {
        name: name
        for name in (
            *("id", "leg", "linked_id", "direction", "account", "from", "to", "started_at", "answered_at", "ended_at"),
            *("seconds", "disposition"),
        )
    },
    ("id", "to", "started_at", "answered_at", "ended_at"),
    _own,
)
