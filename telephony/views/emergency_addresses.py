"""Emergency addresses: the list, one of them with its places and versions, and what can be done with it."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.access import Capability
from members.decorators import OrganizationRequest
from members.downloads import download
from members.models import Organization
from members.places import country_name
from skypemgr.forms import form_errors, told_refusals
from skypemgr.lists import change_query
from telephony.address_uses import count_uses, count_uses_of_places, list_uses
from telephony.countries import missing_disclaimer
from telephony.emergency import CITY_FIRST, civic_of, civic_of_version, line_of, lines_of
from telephony.forms.emergency_addresses import PlaceForm
from telephony.models import EmergencyAddress, Place
from telephony.selectors.emergency_addresses import (
    LAMPS,
    AddressesQuery,
    rows_of,
    waiting_disclaimers,
)
from telephony.services.emergency_addresses import retire_emergency_address
from telephony.services.places import PARTS, add_place, change_place, remove_place
from telephony.views.door import address_view, find_address, find_any_address, find_place

MOST_USES = 50
MOST_VERSIONS = 20


@address_view
@require_safe
def address_list(request: OrganizationRequest) -> HttpResponse:
    """Where people can be found."""
    asked = AddressesQuery.read(request.organization, request.GET)
    page = asked.page()
    context = {
        "section": "voice",
        "subsection": "emergency_addresses",
        "asked": asked,
        "page": page,
        "rows": rows_of(page.rows),
        "waiting": waiting_disclaimers(request.organization),
        "export_url": reverse("emergency:address_export", args=[request.organization.slug]) + change_query(request.GET),
    }
    return render(request, "telephony/address_list.html", context)


@address_view
@require_safe
def address_export(request: OrganizationRequest) -> HttpResponseBase:
    """The same as a file, whose columns the upload understands."""
    asked = AddressesQuery.read(request.organization, request.GET)
    header = ["name", "country", "company_name", "house_number", "street", "city", "region", "postal_code"]
    return download(
        request,
        Capability.MANAGE_VOICE,
        name="emergency-addresses",
        header=[*header, "status", "version", "used_by", "validated_at"],
        chunks=asked.chunks(),
        make=lambda addresses: [_export_row(row.address, row.uses, header) for row in rows_of(addresses)],
    )


def _export_row(address: EmergencyAddress, uses: int, header: Sequence[str]) -> list[Any]:
    version = address.current
    assert version is not None
    fields = {"name": address.name, **civic_of(address).as_dict()}
    at = timezone.localtime(version.created_at).isoformat(sep=" ", timespec="seconds")
    return [*(fields[name] for name in header), version.status, version.number, uses, at]


@address_view
@require_safe
def address_detail(request: OrganizationRequest, pk: int) -> HttpResponse:
    return _show_address(request, find_any_address(request, pk))


@address_view
@require_http_methods(["GET", "HEAD", "POST"])
def address_retire(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Ask once more, then offer the address no more; refused while it is used."""
    address = find_address(request, pk)
    if request.method == "POST":
        page = reverse("emergency:address_detail", args=[request.organization.slug, pk])
        with told_refusals(request):
            retire_emergency_address(actor=request.actor, organization=request.organization, address=address)
            messages.success(request, gettext("{name} is retired.").format(name=address.name))
            page = reverse("emergency:address_list", args=[request.organization.slug])
        return redirect(page)
    context = {
        "section": "voice",
        "subsection": "emergency_addresses",
        "address": address,
        "uses": list_uses(address, MOST_USES),
        "used_by": count_uses([address]).get(address.pk, 0),
        "trail": _trail(request.organization, address),
    }
    return render(request, "telephony/address_retire.html", context)


@address_view
@require_POST
def place_add(request: OrganizationRequest, pk: int) -> HttpResponse:
    address = find_address(request, pk)
    form = PlaceForm(request.POST)
    if form.is_valid():
        with form_errors(form):
            place = add_place(
                actor=request.actor, organization=request.organization, address=address, **form.cleaned_data
            )
            messages.success(request, gettext("The place {name} is added.").format(name=place.name))
            return redirect("emergency:address_detail", request.organization.slug, pk)
    return _show_address(request, address, form)


@address_view
@require_http_methods(["GET", "HEAD", "POST"])
def place_change(request: OrganizationRequest, pk: int, place_pk: int) -> HttpResponse:
    place = find_place(request, pk, place_pk)
    initial = {name: getattr(place, name) for name in ("name", *PARTS)}
    form = PlaceForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        with form_errors(form):
            change_place(actor=request.actor, organization=request.organization, place=place, **form.cleaned_data)
            messages.success(request, gettext("The place is saved."))
            return redirect("emergency:address_detail", request.organization.slug, pk)
    context = {
        "section": "voice",
        "subsection": "emergency_addresses",
        "place": place,
        "form": form,
        "used_by": count_uses_of_places([place]).get(place.pk, 0),
        "trail": _trail(request.organization, place.address),
    }
    return render(request, "telephony/place_form.html", context, status=422 if form.errors else 200)


@address_view
@require_POST
def place_remove(request: OrganizationRequest, pk: int, place_pk: int) -> HttpResponse:
    place = find_place(request, pk, place_pk)
    with told_refusals(request):
        remove_place(actor=request.actor, organization=request.organization, place=place)
        messages.success(request, gettext("The place {name} is removed.").format(name=place.name))
    return redirect("emergency:address_detail", request.organization.slug, pk)


def _trail(organization: Organization, address: EmergencyAddress | None = None) -> list[tuple[str, str]]:
    trail = [(gettext("Emergency addresses"), reverse("emergency:address_list", args=[organization.slug]))]
    if address:
        trail.append((address.name, reverse("emergency:address_detail", args=[organization.slug, address.pk])))
    return trail


def _show_address(
    request: OrganizationRequest, address: EmergencyAddress, form: PlaceForm | None = None
) -> HttpResponse:
    places = list(Place.objects.filter(address=address, removed_at=None).order_by("name_key", "pk")[:1000])
    used = count_uses_of_places(places)
    version = address.current
    assert version is not None
    context = {
        "section": "voice",
        "subsection": "emergency_addresses",
        "address": address,
        "version": version,
        "lamp": LAMPS[version.status],
        "lines": lines_of(civic_of(address)),
        "country": country_name(address.country),
        "region": "" if address.country in CITY_FIRST else version.region,
        "places": [(place, used.get(place.pk, 0)) for place in places],
        "versions": [
            (version, line_of(civic_of_version(address.country, version)))
            for version in address.versions.select_related("made_by__user").order_by("-number")[:MOST_VERSIONS]
        ],
        "uses": list_uses(address, MOST_USES),
        "used_by": count_uses([address]).get(address.pk, 0),
        "form": form or PlaceForm(),
        "disclaimer": missing_disclaimer(request.organization, address.country),
        "trail": _trail(request.organization),
    }
    return render(request, "telephony/address_detail.html", context, status=422 if form else 200)
