"""Bringing numbers along from another carrier: orders, what became of each, and what can be done with it."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.access import Capability
from members.decorators import OrganizationRequest
from skypemgr.attachments import attachment
from skypemgr.clock import database_now
from skypemgr.forms import form_errors
from skypemgr.lists import read_choice
from skypemgr.row_files import file_response
from skypemgr.templatetags.look import count, day
from telephony.countries import missing_disclaimer
from telephony.decorators import voice_view
from telephony.forms.porting import CancelForm, PortForm, TransferDayForm, initial_of
from telephony.models import EmergencyAddress, PortLetter, PortOrder
from telephony.porting import can_cancel, can_edit, can_move, is_settled
from telephony.selectors.porting import LAMPS, State, page_of_orders
from telephony.services.porting import cancel_port_order, change_port_order, move_port_order, order_port

VOICE = Capability.MANAGE_VOICE
HERE = {"section": "voice", "subsection": "porting"}
# So many numbers stand on the page of an order; the file has all of them.
SHOWN = 60


@voice_view(VOICE)
@require_safe
def order_list(request: OrganizationRequest) -> HttpResponse:
    page = page_of_orders(request.organization, request.GET)
    context = {
        **HERE,
        "page": page,
        "rows": [(order, LAMPS[State(order.state)]) for order in page.rows],
        "states": State.choices,
        "chosen": read_choice(request.GET, "state", State.values),
    }
    return render(request, "telephony/port_order_list.html", context)


@voice_view(VOICE)
@require_http_methods(["GET", "HEAD", "POST"])
def order_add(request: OrganizationRequest) -> HttpResponse:
    """Ask to bring numbers along."""
    form = _form(request, {"country": request.organization.country, "type": "user"})
    if form.is_valid():
        with form_errors(form):
            order = order_port(
                actor=request.actor,
                organization=request.organization,
                request=form.request,
                key=form.cleaned_data["key"],
            )
            size = order.numbers.count()
            text = ngettext("{number} number is on its way.", "{number} numbers are on their way.", size)
            messages.success(request, text.format(number=count(size)))
            return redirect("porting:order_detail", request.organization.slug, order.pk)
    return _show_form(request, form)


@voice_view(VOICE)
@require_http_methods(["GET", "HEAD", "POST"])
def order_change(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Correct an order that was rejected or canceled, and ask for it again."""
    order = _find(request, pk)
    if not can_edit(order):
        return redirect("porting:order_detail", request.organization.slug, pk)
    form = _form(request, initial_of(order), has_letter=True)
    if form.is_valid():
        with form_errors(form):
            change_port_order(actor=request.actor, organization=request.organization, order=order, request=form.request)
            messages.success(request, gettext("The order is on its way again."))
            return redirect("porting:order_detail", request.organization.slug, pk)
    return _show_form(request, form, order)


@voice_view(VOICE)
@require_safe
def order_detail(request: OrganizationRequest, pk: int) -> HttpResponse:
    return _show(request, _find(request, pk))


@voice_view(VOICE)
@require_http_methods(["GET", "HEAD", "POST"])
def order_cancel(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Call an order off, after what that means."""
    order = _find(request, pk)
    form = CancelForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with form_errors(form):
            cancel_port_order(
                actor=request.actor,
                organization=request.organization,
                order=order,
                reason=form.cleaned_data["reason"],
            )
            messages.success(request, gettext("The order is canceled. The numbers stay with their carrier."))
            return redirect("porting:order_detail", request.organization.slug, pk)
    context = {**HERE, "order": order, "form": form, "trail": _trail(request, order)}
    return render(request, "telephony/port_order_cancel.html", context, status=422 if form.errors else 200)


@voice_view(VOICE)
@require_POST
def order_move(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Choose another day for the transfer."""
    order = _find(request, pk)
    form = TransferDayForm(request.POST)
    if form.is_valid():
        with form_errors(form):
            transfer_on = form.cleaned_data["transfer_on"]
            move_port_order(
                actor=request.actor, organization=request.organization, order=order, transfer_on=transfer_on
            )
            messages.success(request, gettext("The transfer is on {date} now.").format(date=day(transfer_on)))
            return redirect("porting:order_detail", request.organization.slug, pk)
    return _show(request, order, form)


@voice_view(VOICE)
@require_safe
def order_letter(request: OrganizationRequest, pk: int) -> HttpResponse:
    """The letter of authorization that counts, to be saved."""
    return letter_response(_find(request, pk))


@voice_view(VOICE)
@require_safe
def order_numbers(request: OrganizationRequest, pk: int) -> HttpResponseBase:
    """The numbers of an order, as a file that can be ordered by again."""
    order = _find(request, pk)
    rows = [[number.removeprefix("+")] for number in numbers_of(order)]
    return file_response(f"{request.organization.slug}-port-order-{order.pk}", ["PhoneNumber"], rows)


def numbers_of(order: PortOrder) -> list[str]:
    """The numbers of an order, in E.164."""
    return list(order.numbers.order_by("number").values_list("number", flat=True))


def letter_response(order: PortOrder) -> HttpResponse:
    """The newest letter of an order as a file that no browser opens by itself. Raises Http404."""
    letter = order.letters.order_by("-pk").first()
    if letter is None:
        raise Http404
    ending = {"application/pdf": "pdf", "image/png": "png"}.get(letter.content_type, "jpg")
    file_name = f"letter-of-authorization-{order.pk}.{ending}"
    return attachment(bytes(letter.content), file_name=file_name, content_type=letter.content_type)


def shown_order(order: PortOrder) -> dict[str, Any]:
    """What the page of an order shows, whoever looks at it."""
    numbers = numbers_of(order)
    return {
        "order": order,
        "lamp": LAMPS[State(order.state)],
        "numbers": numbers[:SHOWN],
        "more": max(0, len(numbers) - SHOWN),
        "number": len(numbers),
        "steps": order.steps.select_related("made_by").order_by("-pk"),
        "letter": order.letters.defer("content").order_by("-pk").first(),
    }


def _show(request: OrganizationRequest, order: PortOrder, move_form: TransferDayForm | None = None) -> HttpResponse:
    now = database_now()
    missing = missing_disclaimer(request.organization, order.country) if order.open else None
    context = {
        **HERE,
        **shown_order(order),
        "can_cancel": can_cancel(order, now),
        "can_edit": can_edit(order),
        "settled": is_settled(order, now),
        "move_form": (move_form or TransferDayForm(initial={"transfer_on": order.transfer_on}))
        if can_move(order, now)
        else None,
        "refused": move_form,
        "disclaimer": missing,
        "trail": _trail(request),
    }
    return render(request, "telephony/port_order.html", context, status=422 if move_form else 200)


def _form(request: OrganizationRequest, initial: dict[str, Any], *, has_letter: bool = False) -> PortForm:
    live = EmergencyAddress.objects.live().filter(organization=request.organization)
    bound = (request.POST, request.FILES) if request.method == "POST" else ()
    return PortForm(*bound, addresses=live.order_by("sort_key", "pk"), initial=initial, has_letter=has_letter)


def _show_form(request: OrganizationRequest, form: PortForm, order: PortOrder | None = None) -> HttpResponse:
    letter: PortLetter | None = None
    if order is not None:
        letter = order.letters.defer("content").order_by("-pk").first()
    context = {**HERE, "form": form, "order": order, "letter": letter, "trail": _trail(request, order)}
    return render(request, "telephony/port_order_form.html", context, status=422 if form.errors else 200)


def _trail(request: OrganizationRequest, order: PortOrder | None = None) -> list[tuple[str, str]]:
    slug = request.organization.slug
    trail = [(gettext("Porting"), reverse("porting:order_list", args=[slug]))]
    if order is not None:
        trail.append((order.name, reverse("porting:order_detail", args=[slug, order.pk])))
    return trail


def _find(request: OrganizationRequest, pk: int) -> PortOrder:
    """The order of a key in the organization of a request. Raises Http404."""
    orders = PortOrder.objects.select_related("organization", "emergency_address", "made_by__user")
    found = orders.filter(organization=request.organization, pk=pk).first()
    if found is None:
        raise Http404
    return found
