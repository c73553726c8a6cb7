"""Room for calls: for those of a feed, and for those of the months to come before anybody needs it."""

from collections.abc import Iterable

from django.db import transaction

from skypemgr.clock import database_now
from telephony.call_files import CallRow
from telephony.calls.partitions import make_months, missing_months, months_of
from telephony.calls.rollups import following_month

MONTHS_AHEAD = 3


@transaction.atomic(durable=True)
def make_room(calls: Iterable[CallRow]) -> None:
    """Make room for calls, before anything else is locked."""
    if months := missing_months(months_of(call.started_at for call in calls)):
        make_months(months)


@transaction.atomic(durable=True)
def make_room_ahead() -> int:
    """Make room for the calls of this month and of those that follow; gives for how many there was none."""
    months = months_of([database_now()])
    for _month in range(MONTHS_AHEAD):
        months.append(following_month(months[-1]))
    missing = missing_months(months)
    if missing:
        make_months(missing)
    return len(missing)
