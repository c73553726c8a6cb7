"""What can be chosen where numbers are assigned: free numbers, addresses by their city, places. Never all there is."""

from collections.abc import Collection, Sequence

import phonenumbers

from members.folding import fold
from members.models import Organization
from telephony.models import EmergencyAddress, NumberArea, PhoneNumber, Place
from telephony.models.numbers import PhoneNumberQuerySet
from telephony.selectors.number_search import of_digits
from telephony.selectors.numbers import owned_areas

MOST_NUMBERS, MOST_ADDRESSES, MOST_PLACES = 30, 10, 500
# Where they are offered to each of several people.
MOST_PLACES_EACH = 100


def free_numbers(organization: Organization, search: str, most: int) -> list[PhoneNumber]:
    """Numbers for people that can be assigned now, by number: those of the organization's own country first.

    ``search`` is any digits of them, or a part of their city.
    """
    areas = [area for area in owned_areas(organization) if area.type == NumberArea.Type.USER]
    numbers = PhoneNumber.objects.of(organization).unassigned().assignable()
    if (of_number := of_digits(search)) is not None:
        numbers = numbers.filter(of_number)
    elif search:
        areas = [area for area in areas if fold(search) in fold(area.city)]
    home = [area for area in areas if area.country == organization.country]
    found: list[PhoneNumber] = []
    if home:
        code = phonenumbers.country_code_for_region(organization.country)
        found = _first(numbers.filter(number__startswith=f"+{code}"), home, most)
    away = [area for area in areas if area.country != organization.country]
    return found + (_first(numbers, away, most - len(found)) if away and len(found) < most else [])


def _first(numbers: PhoneNumberQuerySet, areas: Sequence[NumberArea], most: int) -> list[PhoneNumber]:
    chosen = numbers.filter(area__in=[area.pk for area in areas]).select_related("area", "emergency_address")
    return list(chosen.order_by("number", "id")[:most])


def named_numbers(organization: Organization, numbers: Collection[str]) -> dict[str, PhoneNumber]:
    """Numbers of an organization by what they are in E.164, free or not; others are left out."""
    own = PhoneNumber.objects.of(organization).select_related("area", "emergency_address")
    return {number.number: number for number in own.filter(number__in=numbers)} if numbers else {}


def found_addresses(
    organization: Organization, search: str, countries: Collection[str], keep: Collection[int] = ()
) -> list[EmergencyAddress]:
    """Addresses in some countries in which a city, a street or a name is found, by name; ``keep`` come first."""
    live = EmergencyAddress.objects.live().filter(organization=organization).select_related("current")
    kept = list(live.filter(pk__in=keep).order_by("sort_key", "pk")) if keep else []
    matching = live.filter(country__in=countries).exclude(pk__in=[address.pk for address in kept])
    for word in fold(search).split():
        matching = matching.filter(search_text__contains=word)
    return kept + list(matching.order_by("sort_key", "pk")[:MOST_ADDRESSES])


def places_at(addresses: Sequence[EmergencyAddress], most: int) -> list[Place]:
    """The first places of some addresses, by address and name."""
    live = Place.objects.filter(address__in=addresses, removed_at=None).select_related("address")
    return list(live.order_by("address__sort_key", "name_key")[:most])
