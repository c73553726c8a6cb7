"""Calls of the demo company, as a switch would have written them, and what they cost. Local mode only."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.core.exceptions import PermissionDenied

from members.access import Actor
from members.models import Member, Organization
from skypemgr.clock import database_now
from telephony.call_files import CallRow
from telephony.models import CallKey, RateDeck
from telephony.rate_file import RateRow
from telephony.services.calls import import_calls
from telephony.services.rates import load_rates

SOURCE = "demo"
# However large the company is, so many of those who came first make calls.
MOST_CALLERS = 2_000
DAYS = 90
# Prefix, destination, price of a minute, how often it is called, and a number there that nobody has.
PLACES = (
    ("33", "France", "0.0080", 40, "33199001234"),
    ("336", "France, mobile", "0.0290", 20, "33639981234"),
    ("46", "Sweden", "0.0110", 14, "46846500412"),
    ("467", "Sweden, mobile", "0.0340", 8, "46701740605"),
    ("44", "United Kingdom", "0.0120", 6, "442079460123"),
    ("34", "Spain", "0.0140", 5, "34912345678"),
    ("41", "Switzerland", "0.0210", 3, "41446681800"),
    ("1", "United States and Canada", "0.0160", 3, "14255550123"),
    ("55", "Brazil", "0.0480", 1, "551123456789"),
)
BEGAN = datetime(2020, 1, 1, tzinfo=UTC)


def add_calls(organization: Organization, number: int) -> int:
    """Let the company have made so many calls, at the least; gives how many there are.

    Raises PermissionDenied elsewhere.
    """
    if not settings.LOCAL:
        raise PermissionDenied
    there = CallKey.objects.filter(organization=organization, source=SOURCE).count()
    if number > there:
        _load_rates(organization.currency)
        rows = _calls(organization, there + 1, number)
        import_calls(actor=Actor.system(), organization=organization, rows=rows, source=SOURCE, format="skypemgr")
    return max(number, there)


def _load_rates(currency: str) -> None:
    """What calls cost, unless the installation knows it."""
    if RateDeck.objects.filter(organization=None, currency=currency).exists():
        return
    rows = [
        RateRow(row, prefix, place, Decimal(0), Decimal(price), 60, 1, 0, Decimal(0), currency, BEGAN)
        for row, (prefix, place, price, _often, _called) in enumerate(PLACES, 1)
    ]
    load_rates(actor=Actor.system(), rows=rows)


def _calls(organization: Organization, first: int, last: int) -> Iterator[CallRow]:
    callers = list(
        Member.objects.of(organization)
        .filter(state=Member.State.ACTIVE)
        .order_by("pk")
        .values_list("user__skype_name", flat=True)[:MOST_CALLERS]
    )
    today = database_now().date()
    often = [place[3] for place in PLACES]
    for row in range(first, last + 1):
        # The same calls every time.
        chance = random.Random(row)  # noqa: S311
        *_facts, called = chance.choices(PLACES, often)[0]
        yield _call(row, chance, chance.choice(callers), called, today)


def _call(row: int, chance: random.Random, caller: str, called: str, today: date) -> CallRow:
    """On a day of the last months, most of them at work."""
    day = today - timedelta(days=chance.randrange(1, DAYS))
    if day.weekday() > 4 and chance.random() < 0.9:
        day -= timedelta(days=2)
    started = datetime(day.year, day.month, day.day, 7, tzinfo=UTC) + timedelta(seconds=chance.randrange(39_600))
    answered = started + timedelta(seconds=chance.randrange(3, 25)) if chance.random() < 0.86 else None
    seconds = min(round(chance.lognormvariate(4.6, 1.0)), 7_200) if answered else 0
    ended = (answered or started) + timedelta(seconds=seconds or 20)
    return CallRow(
        row=row,
        external_id=f"demo-{row}",
        leg="",
        linked_id="",
        direction="outbound",
        account=caller,
        caller="",
        called=f"+{called}",
        started_at=started,
        answered_at=answered,
        ended_at=ended,
        duration=int((ended - started).total_seconds()),
        seconds=seconds,
        disposition="ANSWERED" if answered else "NO ANSWER",
    )
