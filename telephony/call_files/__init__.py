"""Files of calls as switches and carriers write them: each call as a typed row, or what is wrong with it.

Nothing here asks the database: who called, what it costs and whether it is known already comes later.
"""

from typing import BinaryIO, Protocol

from . import asterisk, freeswitch, headed
from .rows import CallRow, Calls, Clock, UnreadRow, clock_of
from .tables import PROBLEM_TEXTS

__all__ = ["FORMATS", "PROBLEM_TEXTS", "CallFormat", "CallRow", "Calls", "Clock", "UnreadRow", "clock_of", "read_calls"]


class CallFormat(Protocol):
    def read(self, file: BinaryIO, clock: Clock) -> Calls: ...


FORMATS: dict[str, CallFormat] = {
    "asterisk": asterisk.MASTER,
    "asterisk-custom": asterisk.CUSTOM,
    "freeswitch-csv": freeswitch.CSV,
    "freeswitch-json": freeswitch.JSON,
    "kamailio": headed.KAMAILIO,
    "twilio": headed.TWILIO,
    "teams": headed.TEAMS,
    "skypemgr": headed.OWN,
}


def read_calls(file: BinaryIO, *, named: str, clock: Clock | None = None) -> Calls:
    """Every call of a file, as it is read; moments without a zone are those of ``clock``, UTC unless given.

    ``named`` is one of FORMATS. Raises UnreadableFile for a file that is not of that format.
    """
    return FORMATS[named].read(file, clock or Clock())
