"""Numbers by whatever somebody types of them."""

from django.db.models import Q

from telephony.phone_numbers import digits_of

# Fewer digits behind a zero are looked for as they stand.
_LEAST_AT_HOME = 6


def of_digits(search: str, column: str = "number") -> Q | None:
    """Where a number has the digits of ``search``, in any part of it; None where that is no part of a number.

    What has a letter is a name or a city. A number as it is dialed at home, 01 40 00 00 01, is found as well.
    """
    digits = digits_of(search)
    if not digits or any(character.isalpha() for character in search):
        return None
    found = Q(**{f"{column}__contains": digits})
    at_home = digits.lstrip("0")
    if at_home != digits and len(at_home) >= _LEAST_AT_HOME:
        found |= Q(**{f"{column}__contains": at_home})
    return found
