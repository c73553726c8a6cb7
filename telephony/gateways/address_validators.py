"""Who says whether an address is right. Offline at first; a provider that is asked over the network fits in here."""

from collections.abc import Collection
from typing import Protocol

from telephony.postcodes import cities_of
from telephony.validation import Civic, Result, validate


class AddressValidator(Protocol):
    """Checks an address before it is saved. Never claims that an emergency service knows it."""

    def validate(self, typed: Civic, *, keep: Collection[str] = ()) -> Result:
        """What came of it; ``keep`` names fields where what was typed is wanted, and not a correction."""
        ...


class OfflineValidator:
    """Form and consistency, by rules and by the postal codes that are loaded."""

    def validate(self, typed: Civic, *, keep: Collection[str] = ()) -> Result:
        return validate(typed, cities=cities_of, keep=keep)


def address_validator() -> AddressValidator:
    """The validator of this installation."""
    return OfflineValidator()
