"""A call as every format gives it, and what can be wrong with one."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from skypemgr.characters import storable
from skypemgr.problems import Problem, Texts
from telephony.stock_file import RowError

ROW_TEXTS: Texts = {
    "call_id_missing": _("The call has no id, by which it would be known when it comes again."),
    "call_text_long": _("The text has more than %(most)d characters."),
    "call_moment_missing": _("The time is missing."),
    "call_moment_shape": _("“%(text)s” is not a time. Write it as 2026-01-31 08:00."),
    "call_moment_skipped": _("The clock skipped %(text)s in the time zone %(zone)s. Choose the time zone of the file."),
    "call_moment_early": _("There were no calls in %(year)d."),
    "call_seconds_shape": _("“%(text)s” is not a number of seconds, from 0 to 2,592,000."),
    "call_ends_early": _("The call ends before it begins."),
    "call_answered_when": _("The call was answered, and nothing says when."),
    "call_shape": _("The row is not one of this format."),
    "call_columns": _("Columns in this row: %(count)d. Nothing says what they hold."),
}
# Thirty days: no switch lets a call go on for longer.
MOST_SECONDS = 2_592_000
FIRST_YEAR = 2000
LONGEST_ID = 255
LONGEST_TEXT = 255


class WrongCall(Problem):
    """What is wrong with a call, in a field."""

    texts = ROW_TEXTS

    def __init__(self, field: str, code: str, **facts: object) -> None:
        super().__init__(code, **facts)
        self.field = field


class CallRow(NamedTuple):
    """A call as a switch tells it; what nothing says is "".

    It is known by its source, ``external_id`` and ``leg``. ``direction`` is outbound or inbound, ``account`` whom the
    switch says that it is of, ``caller`` and ``called`` are as they were dialed. Moments are in UTC; ``answered_at`` is
    None where nobody answered. ``duration`` and ``seconds``, those to be billed, are whole seconds.
    """

    row: int
    external_id: str
    leg: str
    linked_id: str
    direction: str
    account: str
    caller: str
    called: str
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime
    duration: int
    seconds: int
    disposition: str


class UnreadRow(RowError):
    """A row that is no call: what keeps it out as a sentence, and as a code and facts to be told again later."""

    code: str
    facts: Mapping[str, Any]

    def __new__(cls, row: int, field: str, message: str, code: str, facts: Mapping[str, Any]) -> "UnreadRow":
        unread = super().__new__(cls, row, field, message)
        unread.code, unread.facts = code, facts
        return unread


type Calls = Iterator[CallRow | UnreadRow]


@dataclass(frozen=True)
class Clock:
    """How moments without a zone are read: as the clocks of ``zone`` show them."""

    zone: tzinfo = UTC

    def read(self, field: str, text: str, *, after: datetime | None = None) -> datetime:
        """A moment in UTC; of two that a clock shows alike, the first not before ``after``. Raises WrongCall."""
        if not text:
            raise WrongCall(field, "call_moment_missing")
        moment = _moment(field, text)
        if moment.tzinfo is None:
            moment = self._in_zone(field, moment, after)
        if moment.year < FIRST_YEAR:
            raise WrongCall(field, "call_moment_early", year=moment.year)
        return moment

    def _in_zone(self, field: str, shown: datetime, after: datetime | None) -> datetime:
        if self.zone is UTC:
            return shown.replace(tzinfo=UTC)
        moment = shown.replace(tzinfo=self.zone).astimezone(UTC)
        if moment.astimezone(self.zone).replace(tzinfo=None) != shown:
            raise WrongCall(field, "call_moment_skipped", text=shown.isoformat(" "), zone=str(self.zone))
        if after is not None and moment < after:
            moment = shown.replace(tzinfo=self.zone, fold=1).astimezone(UTC)
        return moment


def clock_of(zone: str) -> Clock:
    """The clock of a time zone by its name. Raises ZoneInfoNotFoundError and ValueError, as ZoneInfo does."""
    return Clock(UTC if zone == "UTC" else ZoneInfo(zone))


_ISO = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:(\.\d{1,6})\d*)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)


def _moment(field: str, text: str) -> datetime:
    found = _ISO.fullmatch(text)
    try:
        if found is not None:
            moment = datetime.fromisoformat("".join((found[1], "T", found[2], found[3] or "", found[4] or "")))
        else:
            # As mail has it: Tue, 31 Aug 2010 20:36:28 +0000
            moment = parsedate_to_datetime(text)
        return moment if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise WrongCall(field, "call_moment_shape", text=text[:80]) from None


def read_epoch(field: str, text: str) -> datetime | None:
    """Seconds since 1970 as a moment; None for 0 and "", by which switches say never. Raises WrongCall."""
    if text in ("", "0"):
        return None
    if not re.fullmatch(r"[0-9]{9,11}", text):
        raise WrongCall(field, "call_moment_shape", text=text[:80])
    moment = datetime.fromtimestamp(int(text), UTC)
    if moment.year < FIRST_YEAR:
        raise WrongCall(field, "call_moment_early", year=moment.year)
    return moment


_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")


def read_seconds(field: str, text: str) -> int:
    """Whole seconds; a part of one counts as one. Raises WrongCall."""
    if text.isascii() and text.isdigit() and len(text) < 10:
        seconds = int(text)
    elif _SECONDS.fullmatch(text):
        seconds = math.ceil(Decimal(text))
    else:
        raise WrongCall(field, "call_seconds_shape", text=text[:80])
    if seconds > MOST_SECONDS:
        raise WrongCall(field, "call_seconds_shape", text=text[:80])
    return seconds


def checked(call: CallRow) -> CallRow:
    """A call that agrees with itself. Raises WrongCall."""
    if not call.external_id:
        raise WrongCall("id", "call_id_missing")
    for field, text in (("id", call.external_id), ("leg", call.leg), ("linked_id", call.linked_id)):
        if len(text) > LONGEST_ID:
            raise WrongCall(field, "call_text_long", most=LONGEST_ID)
    for field, text in (("account", call.account), ("from", call.caller), ("to", call.called)):
        if len(text) > LONGEST_TEXT:
            raise WrongCall(field, "call_text_long", most=LONGEST_TEXT)
    if call.ended_at < (call.answered_at or call.started_at) or (call.answered_at or call.started_at) < call.started_at:
        raise WrongCall("end", "call_ends_early")
    return call


type Reader = Callable[[int, Mapping[str, str], Clock], CallRow]


def read_row(row: int, values: Mapping[str, str], clock: Clock, reader: Reader) -> CallRow | UnreadRow:
    """What ``reader`` makes of the cells of a row, by the names of their columns, or what is wrong with them."""
    try:
        return checked(reader(row, values, clock))
    except WrongCall as problem:
        return wrong_row(row, problem)


def wrong_row(row: int, problem: WrongCall) -> UnreadRow:
    return UnreadRow(row, problem.field or "", str(problem), problem.code, problem.facts)


def plain(text: str) -> str:
    """A text as it can be stored."""
    # Most are in ASCII, which is quickly seen.
    return (text if text.isascii() and "\0" not in text else storable(text)).strip()
