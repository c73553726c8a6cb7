"""What can be said of an address without asking anybody: its form, and whether its parts agree.

Pure: no database, no clock, no network. Whoever validates says how to look up the cities of a postal code.
"""

from .address import FIELDS, Check, Civic, Draft, KnownCity, Level, Lookup, Message, Result, Status, content_hash
from .numbers import NUMBER_LAST
from .pipeline import VERSION, validate
from .texts import tell_message

__all__ = [
    "FIELDS",
    "NUMBER_LAST",
    "VERSION",
    "Check",
    "Civic",
    "Draft",
    "KnownCity",
    "Level",
    "Lookup",
    "Message",
    "Result",
    "Status",
    "content_hash",
    "tell_message",
    "validate",
]
