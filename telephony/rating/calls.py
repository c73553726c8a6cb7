"""What one call costs, and why: the order in which what could make it free is asked, and then the decks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from .decks import Deck, DeckEntry
from .dialed import Called, Kind
from .prices import MOST_DECIMALS, billed_seconds, charge, explain

FREE = Decimal(0).scaleb(-MOST_DECIMALS)


class Outcome(StrEnum):
    UNANSWERED = "unanswered"
    EMERGENCY = "emergency"
    SHORT = "short"
    INTERNAL = "internal"
    COVERED = "covered"
    RATED = "rated"
    UNRATED = "unrated"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredCall:
    """A call as it is to be rated; ``answered_at`` None: nobody answered.

    ``internal``: to a member or a number of the same organization. ``covered_by``: the code of the product whose
    minutes it is part of, or "".
    """

    called: Called
    answered_at: datetime | None
    seconds: int
    internal: bool = False
    covered_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRating:
    """What came of it. ``cost`` is None for a call that has no rate, which is never free for that.

    ``trace`` explains the price in JSON: prefix, destination, key of the rate, seconds billed, fee and the formula.
    """

    outcome: Outcome
    cost: Decimal | None = FREE
    covered_by: str = ""
    billed_seconds: int = 0
    entry: DeckEntry | None = None
    trace: Mapping[str, object] = field(default_factory=dict)


def rate_call(call: AnsweredCall, decks: Sequence[Deck]) -> CallRating:
    """What a call costs by the first of ``decks`` that has a rate for it: an organization's own stands first.

    Raises ValueError for a call of less than no seconds.
    """
    if call.seconds < 0:
        raise ValueError("A call does not last less than no time.")
    if call.answered_at is None:
        return CallRating(outcome=Outcome.UNANSWERED)
    if call.called.kind in (Kind.EMERGENCY, Kind.SHORT):
        return CallRating(outcome=Outcome(call.called.kind))
    if call.internal:
        return CallRating(outcome=Outcome.INTERNAL)
    if call.covered_by:
        return CallRating(outcome=Outcome.COVERED, covered_by=call.covered_by)
    for deck in decks:
        if entry := deck.find(call.called.digits, call.answered_at):
            return _rated(call.seconds, deck, entry)
    return CallRating(outcome=Outcome.UNRATED, cost=None)


def _rated(seconds: int, deck: Deck, entry: DeckEntry) -> CallRating:
    billed, cost = billed_seconds(entry.rate, seconds), charge(entry.rate, seconds, decimals=deck.decimals)
    return CallRating(
        outcome=Outcome.RATED,
        cost=cost,
        billed_seconds=billed,
        entry=entry,
        trace={
            "prefix": entry.prefix,
            "destination": entry.destination,
            "rate": entry.key,
            "billed_seconds": billed,
            "connection_fee": f"{entry.rate.connection_fee:f}",
            "per_minute": f"{entry.rate.per_minute:f}",
            "currency": deck.currency,
            "formula": explain(entry.rate, seconds, decimals=deck.decimals),
        },
    )
