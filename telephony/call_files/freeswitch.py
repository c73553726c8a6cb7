"""FreeSWITCH: ``mod_cdr_csv`` by its templates that begin as ``example``, and ``mod_json_cdr``, a line for a call."""

import json
import re
from collections.abc import Mapping
from typing import Any, BinaryIO
from urllib.parse import unquote

from .rows import CallRow, Calls, Clock, UnreadRow, WrongCall, plain, read_epoch, read_row, read_seconds, wrong_row
from .tables import BareTable

_EXAMPLE = (
    *("", "caller_id_number", "destination_number", "", "start_stamp", "answer_stamp"),
    *("end_stamp", "duration", "billsec", "hangup_cause", "uuid", "bleg_uuid", "accountcode"),
)
# Templates are free text; those that come with it go on differently: example, linksys and snom.
_WIDTHS = (13, 15, 17, 20)
ANSWERED = "NORMAL_CLEARING"
# A line holds one call; what is longer is none.
LONGEST_LINE = 1_000_000
_DIRECTIONS = {"inbound", "outbound"}


def _read_csv(row: int, cells: Mapping[str, str], clock: Clock) -> CallRow:
    if not re.match(r"\d{4}-\d\d-\d\d", cells["start_stamp"]) or not re.search(r"[A-Z]", cells["hangup_cause"]):
        raise WrongCall("", "call_shape")
    started = clock.read("start_stamp", cells["start_stamp"])
    seconds = read_seconds("billsec", cells["billsec"])
    answered = cells["hangup_cause"] == ANSWERED and seconds > 0
    return CallRow(
        row=row,
        external_id=cells["uuid"],
        leg="",
        linked_id=cells["bleg_uuid"],
        direction="",
        account=cells["accountcode"],
        caller=cells["caller_id_number"],
        called=cells["destination_number"],
        started_at=started,
        answered_at=clock.read("answer_stamp", cells["answer_stamp"], after=started) if answered else None,
        ended_at=clock.read("end_stamp", cells["end_stamp"], after=started),
        duration=read_seconds("duration", cells["duration"]),
        seconds=seconds if answered else 0,
        disposition=cells["hangup_cause"],
    )


CSV = BareTable({width: (*_EXAMPLE, *[""] * (width - len(_EXAMPLE))) for width in _WIDTHS}, _read_csv)


class JsonLines:
    """Calls as JSON, one on each line. Values are encoded as in addresses unless the module was told otherwise."""

    def read(self, file: BinaryIO, clock: Clock) -> Calls:
        file.seek(0)
        number = 0
        while line := file.readline(LONGEST_LINE):
            line = line.removeprefix(b"\xef\xbb\xbf") if not number else line
            if line.strip():
                number += 1
                yield _read_line(number, line, clock)


def _read_line(number: int, line: bytes, clock: Clock) -> CallRow | UnreadRow:
    try:
        found = json.loads(line)
        profile = _first(found.get("callflow")).get("caller_profile") or {}
        values = {name: _decoded(value) for name, value in found["variables"].items() if value is not None}
        values |= {f"profile_{name}": _decoded(value) for name, value in profile.items() if value is not None}
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        return wrong_row(number, WrongCall("", "call_shape"))
    return read_row(number, values, clock, _read_json)


def _decoded(value: object) -> str:
    return plain(unquote(str(value)))


def _first(flow: Any) -> dict[str, Any]:
    # One may stand alone where there is no list.
    found = flow[0] if isinstance(flow, list) and flow else flow
    return found if isinstance(found, dict) else {}


def _read_json(row: int, values: Mapping[str, str], clock: Clock) -> CallRow:
    started, ended = (read_epoch(name, values.get(name, "")) for name in ("start_epoch", "end_epoch"))
    if started is None or ended is None:
        raise WrongCall("start_epoch" if started is None else "end_epoch", "call_moment_missing")
    seconds = read_seconds("billsec", values.get("billsec", "0"))
    answered = values.get("hangup_cause") == ANSWERED and seconds > 0
    answered_at = read_epoch("answer_epoch", values.get("answer_epoch", ""))
    if answered and answered_at is None:
        raise WrongCall("answer_epoch", "call_answered_when")
    direction = values.get("direction", "")
    return CallRow(
        row=row,
        external_id=values.get("uuid", ""),
        leg="",
        linked_id=values.get("bridge_uuid", ""),
        direction=direction if direction in _DIRECTIONS else "",
        account=values.get("accountcode") or values.get("profile_username", ""),
        caller=values.get("profile_caller_id_number") or values.get("caller_id_number", ""),
        called=values.get("profile_destination_number") or values.get("destination_number", ""),
        started_at=started,
        answered_at=answered_at if answered else None,
        ended_at=ended,
        duration=read_seconds("duration", values.get("duration", "0")),
        seconds=seconds if answered else 0,
        disposition=values.get("hangup_cause", ""),
    )


JSON = JsonLines()
