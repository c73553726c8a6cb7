"""What every page of emergency addresses begins with."""

from django.http import Http404

from members.access import Capability
from members.decorators import OrganizationRequest
from telephony.decorators import voice_view
from telephony.models import EmergencyAddress, Place

address_view = voice_view(Capability.MANAGE_VOICE)


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
