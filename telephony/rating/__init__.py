"""What a call costs: the longest prefix of the number called, billed by increments, exact, rounded up once.

Nothing here knows the database or Django. ``rate_call`` prices one call and says why; ``telephony.call_rating`` does
the same to many by SQL, from what ``flatten`` makes of a deck.
"""

from .calls import AnsweredCall, CallRating, Outcome, rate_call
from .decks import Deck, DeckEntry
from .dialed import Called, Kind, read_called
from .prices import MOST_DECIMALS, Rate, billed_seconds, charge, explain
from .ranges import Range, flatten

__all__ = [
    "MOST_DECIMALS",
    "AnsweredCall",
    "CallRating",
    "Called",
    "Deck",
    "DeckEntry",
    "Kind",
    "Outcome",
    "Range",
    "Rate",
    "billed_seconds",
    "charge",
    "explain",
    "flatten",
    "rate_call",
    "read_called",
]
