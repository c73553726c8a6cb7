"""Asterisk: ``cdr_csv`` (Master.csv), and ``cdr_custom`` as its sample has it. Times are the server's, or UTC."""

import re
from collections.abc import Mapping

from .rows import CallRow, Clock, WrongCall, read_seconds
from .tables import BareTable

# "" is what nobody asks for: context, caller, channels, application, AMA flags; later user field and peer account.
_BASE = (
    *("accountcode", "src", "dst", *[""] * 6, "start"),
    *("answer", "end", "duration", "billsec", "disposition", ""),
)
_NEWER = ("", "linkedid", "sequence")
# What is switched on in cdr.conf stands behind the rest: loguniqueid, loguserfield, newcdrcolumns.
_MASTER = {
    16: _BASE,
    17: (*_BASE, "uniqueid"),
    18: (*_BASE, "uniqueid", ""),
    19: (*_BASE, *_NEWER),
    20: (*_BASE, "uniqueid", *_NEWER),
    21: (*_BASE, "uniqueid", "", *_NEWER),
}
_CUSTOM = (
    *("", "src", "dst", *[""] * 5, "start", "answer", "end"),
    *("duration", "billsec", "disposition", "", "accountcode", "uniqueid", "", "sequence"),
)
# One channel's id is its name of the moment: 1794170442.0, behind the name of the system where that is set.
_UNIQUE = re.compile(r"(?:.*-)?[0-9]{9,11}\.[0-9]+")


def _read(row: int, cells: Mapping[str, str], clock: Clock) -> CallRow:
    started = clock.read("start", cells["start"])
    answered = cells["disposition"].upper() == "ANSWERED"
    if answered and not cells["answer"]:
        raise WrongCall("answer", "call_answered_when")
    return CallRow(
        row=row,
        external_id=_id_of(cells),
        leg=cells.get("sequence", ""),
        linked_id=cells.get("linkedid", ""),
        direction="",
        account=cells["accountcode"],
        caller=cells["src"],
        called=cells["dst"],
        started_at=started,
        answered_at=clock.read("answer", cells["answer"], after=started) if answered else None,
        ended_at=clock.read("end", cells["end"], after=started),
        duration=read_seconds("duration", cells["duration"]),
        seconds=read_seconds("billsec", cells["billsec"]) if answered else 0,
        disposition=cells["disposition"],
    )


def _id_of(cells: Mapping[str, str]) -> str:
    # A linked id is that of all calls that belong together; the sequence tells them apart.
    known = cells.get("uniqueid", cells.get("linkedid", ""))
    if known and not _UNIQUE.fullmatch(known):
        raise WrongCall("uniqueid", "call_shape")
    return known


MASTER = BareTable(_MASTER, _read)
CUSTOM = BareTable({len(_CUSTOM): _CUSTOM}, _read)
