"""What every page of emergency addresses begins with."""

from collections.abc import Iterable

from django.contrib import messages
from django.http import Http404
from django.utils.translation import gettext

from members.access import Capability
from members.decorators import OrganizationRequest
from telephony.areas import warned_of
from telephony.decorators import voice_view
from telephony.models import EmergencyAddress, NumberArea, Place

address_view = voice_view(Capability.MANAGE_VOICE)


def warn_of_areas(request: OrganizationRequest, pairs: Iterable[tuple[NumberArea, EmergencyAddress | None]]) -> None:
    """Say which addresses lie outside the areas of numbers, where a country warns of that."""
    for area, address in warned_of((area, address) for area, address in pairs if address is not None):
        text = gettext("Numbers of {city} are used at “{address}”, which lies elsewhere. Look whether that is right.")
        messages.warning(request, text.format(city=area.city, address=address.name))


def find_address(request: OrganizationRequest, pk: int) -> EmergencyAddress:
    """The live address of a key in the organization of a request. Raises Http404."""
    found = find_any_address(request, pk)
    if found.retired_at is not None:
        raise Http404
    return found


def find_any_address(request: OrganizationRequest, pk: int) -> EmergencyAddress:
    """The same, retired or not."""
    addresses = EmergencyAddress.objects.filter(organization=request.organization)
    found = addresses.select_related("current", "organization").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def find_place(request: OrganizationRequest, pk: int, place_pk: int) -> Place:
    """A place that was not removed, at a live address. Raises Http404."""
    address = find_address(request, pk)
    found = Place.objects.filter(address=address, pk=place_pk, removed_at=None).first()
    if found is None:
        raise Http404
    found.address = address
    return found
