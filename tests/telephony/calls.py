"""Feeds of calls in our own format, and an organization whose calls have a price."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO

from members.access import Actor
from members.models import Organization
from telephony.call_files import CallRow, read_calls
from telephony.calls.feeding import ImportedCalls
from telephony.models import DayUsage
from telephony.rate_file import RateRow
from telephony.services.calls import import_calls
from telephony.services.rates import load_rates
from telephony.stock_file import RowError

SYSTEM = Actor.system()
COLUMNS = ("id", "leg", "direction", "account", "from", "to", "started_at", "answered_at", "ended_at", "seconds")
START = datetime(2026, 10, 15, 9, 0, tzinfo=UTC)
# A minute to each costs so much; each minute that has begun.
PRICES = {"33": "0.020000", "34": "0.050000", "3467": "0.200000", "46": "0.030000"}
NAMES = {"33": "France", "34": "Spain", "3467": "Spain, mobile", "46": "Sweden", "81": "Japan"}


def with_rates(prices: Mapping[str, str] = PRICES, *, currency: str = "EUR") -> None:
    """Load what calls cost for everybody."""
    began = datetime(2020, 1, 1, tzinfo=UTC)
    rows = [
        RateRow(row, prefix, NAMES[prefix], Decimal(0), Decimal(price), 60, 60, 0, Decimal(0), currency, began)
        for row, (prefix, price) in enumerate(prices.items(), 1)
    ]
    assert not load_rates(actor=SYSTEM, rows=rows).errors


def a_call(number: int, **facts: object) -> dict[str, str]:
    """A call of a minute to Spain, a minute after the one before; ``facts`` say what is otherwise."""
    at = facts.pop("at", START + timedelta(minutes=number))
    assert isinstance(at, datetime)
    seconds = int(str(facts.pop("seconds", 60)))
    answered = bool(facts.pop("answered", True))
    call = {
        "id": f"call-{number}",
        "to": "+34912345678",
        "started_at": at.isoformat(),
        "answered_at": at.isoformat() if answered else "",
        "ended_at": (at + timedelta(seconds=seconds)).isoformat(),
        "seconds": str(seconds if answered else 0),
    }
    return call | {name.removesuffix("_"): str(value) for name, value in facts.items()}


def feed(calls: Iterable[Mapping[str, str]]) -> bytes:
    """A file of calls in our own format."""
    lines = [",".join(COLUMNS), *(",".join(call.get(column, "") for column in COLUMNS) for call in calls)]
    return "\n".join(lines).encode()


def read(calls: Iterable[Mapping[str, str]]) -> list[CallRow | RowError]:
    """Calls as they are read from a file."""
    return list(read_calls(BytesIO(feed(calls)), named="skypemgr"))


def imported(
    organization: Organization, calls: Iterable[Mapping[str, str]], *, source: str = "pbx", actor: Actor | None = None
) -> ImportedCalls:
    """Import calls, and give what came of it."""
    return import_calls(
        actor=actor or SYSTEM,
        organization=organization,
        rows=read(calls),
        source=source,
        format="skypemgr",
    )


def wrong_sums(organization: Organization) -> None:
    """Sums of a day on which there were no calls."""
    DayUsage.objects.create(
        organization=organization, day=START.date(), calls=1, answered=1, seconds=60, charge=Decimal(1)
    )
