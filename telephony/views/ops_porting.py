"""Port orders of every company, for those who run the installation: what the carrier said, and that they are here."""

from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST, require_safe

from members.decorators import SignedInRequest, operator_view
from skypemgr.forms import form_errors
from skypemgr.lists import read_text
from skypemgr.templatetags.look import count
from telephony.forms.porting import RejectForm, TransferDayForm
from telephony.models import PortOrder
from telephony.porting import ADVANCES
from telephony.selectors.porting import LAMPS, State, page_of_open_orders
from telephony.services.porting import advance_port_order, complete_port_order
from telephony.views.porting import letter_response, shown_order

HERE = {"operator_page": "porting"}


@operator_view
@require_safe
def order_list(request: SignedInRequest) -> HttpResponse:
    """Orders that are open, or those that a search finds."""
    page = page_of_open_orders(request.GET)
    context = {
        **HERE,
        "page": page,
        "rows": [(order, LAMPS[State(order.state)]) for order in page.rows],
        "search": read_text(request.GET),
    }
    return render(request, "telephony/ops_port_order_list.html", context)


@operator_view
@require_safe
def order_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    return _show(request, _find(pk))


@operator_view
@require_POST
def order_contact(request: SignedInRequest, pk: int) -> HttpResponse:
    """The carrier has been asked."""
    return _advance(request, pk, Form(request.POST), State.CONTACTING, gettext("The carrier has been asked."))


@operator_view
@require_POST
def order_approve(request: SignedInRequest, pk: int) -> HttpResponse:
    """The carrier has agreed to a day."""
    text = gettext("The day is noted, and whoever ordered is told.")
    return _advance(request, pk, TransferDayForm(request.POST), State.APPROVED, text)


@operator_view
@require_POST
def order_reject(request: SignedInRequest, pk: int) -> HttpResponse:
    """The carrier has refused."""
    text = gettext("The order is rejected, and whoever ordered is told why.")
    return _advance(request, pk, RejectForm(request.POST), State.REJECTED, text)


@operator_view
@require_POST
def order_complete(request: SignedInRequest, pk: int) -> HttpResponse:
    """The numbers are here."""
    order, form = _find(pk), Form(request.POST)
    if form.is_valid():
        with form_errors(form):
            brought = complete_port_order(actor=request.actor, organization=order.organization, order=order)
            text = ngettext(
                "{number} number belongs to {name} now.", "{number} numbers belong to {name} now.", len(brought)
            )
            messages.success(request, text.format(number=count(len(brought)), name=order.organization.name))
            return redirect("porting_ops:order_detail", pk)
    return _show(request, order, form)


@operator_view
@require_safe
def order_letter(request: SignedInRequest, pk: int) -> HttpResponse:
    """The letter of authorization, for the carrier."""
    return letter_response(_find(pk))


def _advance(request: SignedInRequest, pk: int, form: Form, state: str, told: str) -> HttpResponse:
    order = _find(pk)
    if form.is_valid():
        with form_errors(form):
            advance_port_order(
                actor=request.actor, organization=order.organization, order=order, state=state, **form.cleaned_data
            )
            messages.success(request, told)
            return redirect("porting_ops:order_detail", pk)
    return _show(request, order, form)


def _find(pk: int) -> PortOrder:
    orders = PortOrder.objects.select_related("organization", "emergency_address", "made_by__user")
    return get_object_or_404(orders, pk=pk)


def _show(request: SignedInRequest, order: PortOrder, refused: Form | None = None) -> HttpResponse:
    forms: dict[str, Any] = {
        "approve_form": TransferDayForm(initial={"transfer_on": order.transfer_on or order.wanted_on})
    }
    forms["reject_form"] = RejectForm()
    if isinstance(refused, TransferDayForm):
        forms["approve_form"] = refused
    if isinstance(refused, RejectForm):
        forms["reject_form"] = refused
    context = {
        **HERE,
        **shown_order(order),
        **forms,
        "advances": ADVANCES.get(order.state, ()),
        "refused": refused,
    }
    return render(request, "telephony/ops_port_order.html", context, status=422 if refused else 200)
