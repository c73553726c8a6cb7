"""New numbers: country, city and quantity; several reservations side by side; what is ticked is acquired."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.middleware import HtmxDetails

from members.access import Capability
from members.decorators import OrganizationRequest
from skypemgr.forms import form_errors, told_refusals
from skypemgr.lists import read_choice
from skypemgr.templatetags.look import clock, count
from telephony.countries import missing_disclaimer, rule_of
from telephony.decorators import voice_view
from telephony.errors import ReservationOver
from telephony.forms.numbers import AcquireForm, ReserveForm, WhereForm
from telephony.models import EmergencyAddress, NumberArea, Reservation
from telephony.quotas import quota_of
from telephony.selectors.reservations import (
    AreaInStock,
    Held,
    areas_in_stock,
    countries_of_stock,
    has_overdue,
    list_held,
)
from telephony.services.reservation_work import expire_some
from telephony.services.reservations import acquire_numbers, cancel_reservation, reserve_numbers
from telephony.views.door import warn_of_areas

VOICE = Capability.MANAGE_VOICE
HERE = {"section": "voice", "subsection": "numbers"}


@dataclass(frozen=True)
class Where:
    """The type and the country that are asked for, the countries that have any, and the areas of that one."""

    type: str
    country: str
    countries: Sequence[str]
    areas: Sequence[AreaInStock]

    @classmethod
    def read(cls, request: OrganizationRequest) -> "Where":
        type_, country, countries = _asked(request)
        return cls(type_, country, countries, areas_in_stock(country, type_))

    @property
    def form(self) -> WhereForm:
        return WhereForm(initial={"type": self.type, "country": self.country}, countries=self.countries)

    def reserve_form(self, data: Any = None) -> ReserveForm:
        return ReserveForm(data, areas=self.areas) if data else ReserveForm(areas=self.areas, initial={"quantity": 1})


@voice_view(VOICE)
@require_http_methods(["GET", "HEAD", "POST"])
def numbers_add(request: OrganizationRequest) -> HttpResponse:
    """Choose where; POST reserves numbers there."""
    if request.method != "POST":
        return _show(request)
    where = Where.read(request)
    form = where.reserve_form(request.POST)
    if form.is_valid():
        with form_errors(form):
            [area] = [one.area for one in where.areas if one.area.pk == form.cleaned_data["area"]]
            reservation = reserve_numbers(
                actor=request.actor,
                organization=request.organization,
                area=area,
                quantity=form.cleaned_data["quantity"],
                key=form.cleaned_data["key"],
            )
            _tell(request, reservation)
            return redirect(f"{request.path}?type={area.type}&country={area.country}")
    return _show(request, where=where, reserve_form=form)


def _tell(request: OrganizationRequest, reservation: Reservation) -> None:
    until = clock(reservation.expires_at)
    kept = ngettext(
        "{number} number is kept for you until {time}.",
        "{number} numbers are kept for you until {time}.",
        reservation.got,
    ).format(number=count(reservation.got), time=until)
    if reservation.got < reservation.asked:
        messages.warning(request, gettext("No more than that are free: {kept}").format(kept=kept))
    else:
        messages.success(request, kept)


@voice_view(VOICE)
@require_POST
def numbers_acquire(request: OrganizationRequest) -> HttpResponse:
    """Acquire the numbers that are ticked; the rest is free at once."""
    form = _acquire_form(request, list_held(request.organization), request.POST)
    if form.is_valid():
        with form_errors(form):
            acquired = acquire_numbers(
                actor=request.actor,
                organization=request.organization,
                reservations=_reservations(request),
                numbers=request.POST.getlist("number"),
                addresses=form.addresses,
                read=form.read,
                key=form.cleaned_data["key"],
            )
            text = ngettext("{number} number is yours.", "{number} numbers are yours.", len(acquired))
            messages.success(request, text.format(number=count(len(acquired))))
            warn_of_areas(request, ((number.area, number.emergency_address) for number in acquired))
            return redirect("telephony:number_list", request.organization.slug)
    if isinstance(getattr(form, "refusal", None), ReservationOver):
        # Its boxes are gone with it.
        messages.error(request, str(form.refusal))  # type: ignore[attr-defined]
        return redirect("telephony:numbers_add", request.organization.slug)
    return _show(request, acquire_form=form)


def _reservations(request: OrganizationRequest) -> list[Reservation]:
    keys = [int(key) for key in request.POST.getlist("reservation") if key.isascii() and key.isdigit()]
    return [
        get_object_or_404(Reservation, organization=request.organization, pk=key) for key in keys if len(str(key)) < 19
    ]


@voice_view(VOICE)
@require_POST
def reservation_cancel(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Let the numbers of one reservation go."""
    reservation = get_object_or_404(Reservation, organization=request.organization, pk=pk)
    with told_refusals(request):
        cancel_reservation(actor=request.actor, organization=request.organization, reservation=reservation)
        messages.success(request, gettext("These numbers are free again."))
    return redirect("telephony:numbers_add", request.organization.slug)


def _show(
    request: OrganizationRequest,
    *,
    where: Where | None = None,
    reserve_form: ReserveForm | None = None,
    acquire_form: AcquireForm | None = None,
) -> HttpResponse:
    organization, where = request.organization, where or Where.read(request)
    if has_overdue(organization):
        # Whoever is shown that it is over has seen it.
        expire_some(organization=organization)
    held = list_held(organization)
    refused = reserve_form or acquire_form
    ticked = set(request.POST.getlist("number")) if acquire_form else None
    context: dict[str, Any] = {
        **HERE,
        "where_form": where.form,
        "reserve_form": reserve_form or where.reserve_form(),
        "held": held,
        "ticked": ticked,
        "acquire_form": acquire_form or _acquire_form(request, held),
        "first": held[0] if held else None,
        "number": sum(len(one.numbers) for one in held),
        "price": sum(one.price for one in held),
        "quota": quota_of(organization),
    }
    fragment = "#where" if HtmxDetails(request) and request.method == "GET" else ""
    return render(request, f"telephony/numbers_add.html{fragment}", context, status=422 if refused else 200)


def _asked(request: OrganizationRequest) -> tuple[str, str, list[str]]:
    """The type and the country that are asked for, and the countries that have any."""
    query = request.GET
    if request.method == "POST" and request.POST.get("area", "").isdigit():
        area = NumberArea.objects.filter(pk=request.POST["area"][:18]).first()
        if area is not None:
            return area.type, area.country, countries_of_stock(area.type)
    type_ = read_choice(query, "type", NumberArea.Type.values, NumberArea.Type.USER)
    countries = countries_of_stock(type_)
    own = request.organization.country
    first = own if own in countries else next(iter(countries), "")
    return type_, read_choice(query, "country", countries, first), countries


def _acquire_form(request: OrganizationRequest, held: Sequence[Held], data: Any = None) -> AcquireForm:
    """With the emergency addresses of each country that something is held of."""
    countries = sorted({one.reservation.area.country for one in held})
    ticked = set(request.POST.getlist("number"))
    missing = [missing_disclaimer(request.organization, country) for country in countries]
    live = EmergencyAddress.objects.filter(organization=request.organization).live()
    return AcquireForm(
        data,
        addresses={country: list(live.filter(country=country).order_by("sort_key", "pk")) for country in countries},
        needed={country: rule_of(country).address_first for country in countries},
        disclaimers=[one for one in missing if one is not None],
        chosen={one.reservation.area.country for one in held if any(number.number in ticked for number in one.numbers)},
    )
