"""The form by which numbers are assigned: what it offers, and what stands in the way of it, person by person."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext

from members.decorators import OrganizationRequest
from members.models import Member, Organization
from members.places import country_name
from skypemgr.characters import storable
from skypemgr.errors import DomainError
from skypemgr.forms import Explained
from skypemgr.lists import LARGEST_ID, read_number, read_text
from telephony.assigning import Pairing, check_pairing, keep_address, look
from telephony.countries import countries_with_places
from telephony.forms.assignments import AssignForm, PlacesForm, number_field
from telephony.models import EmergencyAddress, NumberAssignment, PhoneNumber
from telephony.selectors.assignable import (
    MOST_NUMBERS,
    MOST_PLACES,
    MOST_PLACES_EACH,
    found_addresses,
    free_numbers,
    named_numbers,
    places_at,
)
from telephony.selectors.voice_users import unaccepted_countries

# What the buttons that only search are called.
SEARCH = "search"


def is_search(request: OrganizationRequest) -> bool:
    """Whether a form was sent to look for something, with nothing to save yet."""
    return SEARCH in request.POST


def assign_form(
    request: OrganizationRequest, people: Sequence[Member], *, has: NumberAssignment | None = None
) -> AssignForm:
    """The form for some people, as it was sent or with a number proposed for each; ``has`` is what one of them has.

    It is bound when it was sent to be saved.
    """
    organization, sent, placed = request.organization, request.POST, countries_with_places()
    keys = [number_field(people, member) for member in people]
    chosen = named_numbers(organization, {storable(sent[key]) for key in keys if sent.get(key)})
    free = free_numbers(organization, read_text(sent, "find"), MOST_NUMBERS + len(people))
    offered = [*chosen.values(), *(number for number in free if number.number not in chosen)]
    proposed = _proposed(keys, sent, chosen, [number for number in free if number.number not in chosen])
    used = list(proposed.values()) or offered
    addresses = _addresses(organization, sent, used, has)
    initial: dict[str, Any] = {key: number.number for key, number in proposed.items()}
    if sent:
        initial = {**initial, **{name: sent[name] for name in sent if name not in initial}, "notify": "notify" in sent}
    else:
        initial |= _where_now(used, addresses, has)
    return AssignForm(
        sent if sent and not is_search(request) else None,
        people=people,
        numbers=offered,
        changing=has is not None,
        addresses=addresses,
        places=places_at([*addresses, *_own_addresses(used)], MOST_PLACES if len(people) == 1 else MOST_PLACES_EACH),
        place_needed=any(number.area.country in placed for number in used),
        own=_own_told(used) if not _stays(used, has) else None,
        initial=initial,
    )


def places_form(request: OrganizationRequest, has: NumberAssignment, country: str) -> PlacesForm:
    """The form by which somebody is found elsewhere."""
    sent = request.POST
    keep = _keys(sent) if sent else [has.emergency_address_id]
    addresses = found_addresses(request.organization, read_text(sent, "city"), {country}, keep)
    initial: dict[str, Any] = {"emergency_address": has.emergency_address_id, "place": has.place_id}
    if sent:
        initial = {name: sent[name] for name in sent}
    bound = sent if sent and not is_search(request) else None
    return PlacesForm(
        bound,
        addresses=addresses,
        places=places_at(addresses, MOST_PLACES),
        place_needed=country in countries_with_places(),
        initial=initial,
    )


def check_rows(
    organization: Organization, form: AssignForm, pairings: Sequence[Pairing], *, changing: bool = False
) -> bool:
    """Whether nothing stands in the way of anybody; else it is told next to each of them."""
    sighted = look(organization, pairings)
    for pairing in pairings:
        told = keep_address(sighted, pairing) if changing else pairing
        address = told.address or pairing.number.emergency_address
        if not form.check_place(address, pairing.place, form.field_about(pairing.member, "place")):
            continue
        try:
            check_pairing(sighted, told, changing=changing)
        except DomainError as error:
            form.add_error(form.field_about(pairing.member, error.field), str(error))
    return not form.errors


def missing_disclaimers(organization: Organization, form: AssignForm) -> list[tuple[str, str]]:
    """Codes and names of the countries of the numbers that are chosen which can't be used yet."""
    chosen = {str(number.value()) for _member, number, _where in form.rows()}
    countries = {number.area.country for number in form.numbers.values() if number.number in chosen}
    return [(code, country_name(code)) for code in sorted(countries & unaccepted_countries(organization))]


def _proposed(
    keys: Sequence[str], sent: Mapping[str, str], chosen: Mapping[str, PhoneNumber], free: Sequence[PhoneNumber]
) -> dict[str, PhoneNumber]:
    """A number for each of some fields: the one that was chosen, else the next free one."""
    rest = iter(free)
    found = {}
    for key in keys:
        number = chosen.get(sent.get(key, "")) or next(rest, None)
        if number is not None:
            found[key] = number
    return found


def _addresses(
    organization: Organization, sent: Any, used: Sequence[PhoneNumber], has: NumberAssignment | None
) -> list[EmergencyAddress]:
    countries = {number.area.country for number in used}
    keep = _keys(sent)
    if has is not None and _stays(used, has):
        # Whoever changes their number stays where they are found, unless another address is chosen.
        keep += [has.emergency_address_id, *(address.pk for address in _own_addresses(used))]
    return found_addresses(organization, read_text(sent, "city"), countries, keep)


def _keys(sent: Any) -> list[int]:
    names = [name for name in sent if name == "emergency_address" or name.startswith("address_")]
    return [key for name in names if 0 < (key := read_number(sent, name)) < LARGEST_ID]


def _own_addresses(numbers: Sequence[PhoneNumber]) -> list[EmergencyAddress]:
    return [number.emergency_address for number in numbers if number.emergency_address is not None]


def _own_told(numbers: Sequence[PhoneNumber]) -> Explained | None:
    """The choice of the address that numbers come with, if one does."""
    own = [number for number in numbers if number.emergency_address is not None]
    if not own:
        return None
    # Another number may be chosen without the page being made again.
    return Explained(gettext("The address of the number"), gettext("It stands beside the number."))


def _stays(used: Sequence[PhoneNumber], has: NumberAssignment | None) -> bool:
    """Whether a number that is to be changed for another can be used where its holder is found now."""
    return has is not None and any(number.area.country == has.emergency_address.country for number in used)


def _where_now(
    used: Sequence[PhoneNumber], addresses: Sequence[EmergencyAddress], has: NumberAssignment | None
) -> dict[str, Any]:
    """Which address is ticked at first: where somebody is found already, or the only one, if none comes with it."""
    if has is not None and _stays(used, has):
        return {"emergency_address": has.emergency_address_id, "place": has.place_id}
    if len(addresses) == 1 and not _own_addresses(used):
        return {"emergency_address": addresses[0].pk}
    return {}
