"""What uses emergency addresses and places. Whoever lets something use them says here how it is found.

A use takes ``emergency.use_address`` first, which waits for whoever retires the address, and is waited for.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from telephony.models import EmergencyAddress, Place


@dataclass(frozen=True)
class Use:
    """One thing that uses an address: a number or a person, by ``name``, with the page ``url`` and ``place``, or ""."""

    kind: str
    name: str
    url: str = ""
    place: str = ""


@dataclass(frozen=True, kw_only=True)
class UseFinder:
    """How one kind of uses is found. ``count`` and ``count_at`` give numbers by key, without those that have none."""

    key: str
    list: Callable[[EmergencyAddress, int], list[Use]]
    count: Callable[[Collection[int]], Mapping[int, int]]
    count_at: Callable[[Collection[int]], Mapping[int, int]]


_FINDERS: dict[str, UseFinder] = {}


def add_finder(finder: UseFinder) -> None:
    """Called once at start-up, for each kind of uses."""
    _FINDERS[finder.key] = finder


def count_uses(addresses: Collection[EmergencyAddress]) -> dict[int, int]:
    """How many numbers and people use each of some addresses, by key."""
    return _sum([finder.count([address.pk for address in addresses]) for finder in _FINDERS.values()])


def count_uses_of_places(places: Collection[Place]) -> dict[int, int]:
    """How many people are at each of some places, by key."""
    return _sum([finder.count_at([place.pk for place in places]) for finder in _FINDERS.values()])


def list_uses(address: EmergencyAddress, most: int) -> list[Use]:
    """What uses an address, ``most`` of each kind."""
    return [use for finder in _FINDERS.values() for use in finder.list(address, most)]


def _sum(counted: list[Mapping[int, int]]) -> dict[int, int]:
    found: dict[int, int] = {}
    for numbers in counted:
        for key, number in numbers.items():
            found[key] = found.get(key, 0) + number
    return found
