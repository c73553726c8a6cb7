"""Streets that are named by a number, and the ending it takes in English (USPS Publication 28, 235)."""

import re

_TYPES = (
    r"avenue|ave?|street|str?|road|rd|drive|dr|lane|ln|place|pl|court|ct|boulevard|blvd|way|terrace|ter|circle|cir|"
    r"parkway|pkwy"
)
_DIRECTIONS = r"(?:(?:north|south|east|west|northeast|northwest|southeast|southwest|n|s|e|w|ne|nw|se|sw)\.?\s+)?"
_NUMBERED = re.compile(rf"^({_DIRECTIONS})(\d{{1,3}})(?:st|nd|rd|th)?(\s+(?:{_TYPES})\b\.?.*)?$", re.IGNORECASE)


def ordinal(number: int) -> str:
    """A number with its English ending: 1st, 2nd, 3rd, 4th, 11th, 112th, 121st."""
    ending = "th" if 11 <= number % 100 <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def with_ordinal(street: str) -> str:
    """A street with the right ending after a number that names it: "5 Avenue" gives "5th Avenue"."""
    found = _NUMBERED.match(street)
    if not found or int(found[2]) == 0:
        return street
    ended = street[found.end(2) :][:2].lower()
    right = ordinal(int(found[2]))
    if ended and right.lower().endswith(ended) and ended.isalpha():
        return street
    return f"{found[1]}{right}{found[3] or ''}"
