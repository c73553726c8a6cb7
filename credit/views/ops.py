"""Selling credit, for those who run the installation: transfers that came in, VAT ids, and who sells."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from credit.forms.ops import SellerForm, VatCheckForm, initial_of
from credit.forms.purchases import ReceivedForm, RefundForm
from credit.models import Order
from credit.purchases import refunded_of
from credit.selectors.purchases import lamp_of, page_of_vat_ids, page_of_waiting
from credit.sellers import current_seller, evidence_for, missing_of, profile_of, today_of
from credit.services.billing import change_seller, record_vat_check
from credit.services.orders import confirm_order, refund_order
from members.decorators import SignedInRequest, operator_view
from members.models import Organization
from skypemgr.forms import form_errors
from skypemgr.lists import read_text
from skypemgr.money import money


@operator_view
@require_safe
def order_list(request: SignedInRequest) -> HttpResponse:
    """Orders that wait for a transfer, or those that a search finds."""
    page = page_of_waiting(request.GET)
    context = {
        "operator_page": "orders",
        "page": page,
        "rows": [(order, lamp_of(order)) for order in page.rows],
        "search": read_text(request.GET),
        "missing": missing_of(current_seller()),
    }
    return render(request, "credit/ops_order_list.html", context)


@operator_view
@require_safe
def order_detail(request: SignedInRequest, number: str) -> HttpResponse:
    return _show_order(request, _find_order(number))


@operator_view
@require_POST
def order_confirm(request: SignedInRequest, number: str) -> HttpResponse:
    """Confirm that the transfer of an order came in."""
    order = _find_order(number)
    currency = order.organization.currency
    form = ReceivedForm(request.POST, currency=currency)
    if form.is_valid():
        with form_errors(form):
            amount = form.cleaned_data["amount"]
            payment = confirm_order(actor=request.actor, organization=order.organization, order=order, amount=amount)
            text = gettext("{amount} of credit is in the wallet of {name}, with invoice {number}.").format(
                amount=money(order.net, currency), name=order.organization.name, number=payment.invoice.number
            )
            messages.success(request, text)
            return redirect("credit_ops:order_detail", number)
    return _show_order(request, _find_order(number), received_form=form)


@operator_view
@require_POST
def order_refund(request: SignedInRequest, number: str) -> HttpResponse:
    """Write down that money of an order goes back."""
    order = _find_order(number)
    form = RefundForm(request.POST, currency=order.organization.currency)
    if form.is_valid():
        with form_errors(form):
            refund = refund_order(
                actor=request.actor, organization=order.organization, order=order, **form.cleaned_data
            )
            text = gettext("Credit note {number} is made out. Transfer {amount} back with the reference {reference}.")
            messages.success(
                request,
                text.format(
                    number=refund.credit_note.number,
                    amount=money(refund.gross, order.organization.currency),
                    reference=refund.reference,
                ),
            )
            return redirect("credit_ops:order_detail", number)
    return _show_order(request, _find_order(number), refund_form=form)


def _find_order(number: str) -> Order:
    return get_object_or_404(Order.objects.select_related("organization", "placed_by__user"), number=number)


def _show_order(request: SignedInRequest, order: Order, **forms: Any) -> HttpResponse:
    currency = order.organization.currency
    refunded = refunded_of(order)[0]
    by_transfer = order.method == Order.Method.BANK_TRANSFER
    context = {
        "operator_page": "orders",
        "order": order,
        "organization": order.organization,
        "lamp": lamp_of(order),
        "invoices": order.invoices.order_by("pk"),
        "refunds": order.refunds.order_by("pk"),
        "refunded": refunded,
        "can_confirm": by_transfer and order.state == Order.State.WAITING,
        "can_refund": by_transfer and order.state == Order.State.PAID,
        "received_form": ReceivedForm(currency=currency),
        "refund_form": RefundForm(currency=currency, initial={"amount": order.gross - refunded}),
        **forms,
        "refused": next(iter(forms.values()), None),
    }
    return render(request, "credit/ops_order.html", context, status=422 if forms else 200)


@operator_view
@require_safe
def vat_id_list(request: SignedInRequest) -> HttpResponse:
    """VAT ids of buyers, and what came of their checks."""
    context = {"operator_page": "vat_ids", "page": page_of_vat_ids(request.GET), "search": read_text(request.GET)}
    return render(request, "credit/ops_vat_id_list.html", context)


@operator_view
@require_http_methods(["GET", "HEAD", "POST"])
def vat_id(request: SignedInRequest, slug: str) -> HttpResponse:
    """Record what came of it when the VAT id of an organization was looked up."""
    organization = get_object_or_404(Organization, slug=slug)
    profile = profile_of(organization)
    form = VatCheckForm(
        request.POST if request.method == "POST" else None, initial={"checked_on": today_of(current_seller())}
    )
    if profile is not None and profile.vat_id and form.is_valid():
        record_vat_check(actor=request.actor, organization=organization, vat_id=profile.vat_id, **form.cleaned_data)
        messages.success(request, gettext("The check of {vat_id} is recorded.").format(vat_id=profile.vat_id))
        return redirect("credit_ops:vat_id_list")
    context = {
        "operator_page": "vat_ids",
        "organization": organization,
        "profile": profile,
        "evidence": evidence_for(organization, profile.vat_id) if profile else None,
        "form": form,
    }
    return render(request, "credit/ops_vat_id.html", context, status=422 if form.errors else 200)


@operator_view
@require_http_methods(["GET", "HEAD", "POST"])
def seller(request: SignedInRequest) -> HttpResponse:
    """Say who sells credit, and see what is missing before anybody can buy."""
    now = current_seller()
    form = SellerForm(request.POST if request.method == "POST" else None, initial=initial_of(now))
    if form.is_valid():
        change_seller(actor=request.actor, fields=form.cleaned_data)
        messages.success(request, gettext("The seller is saved. New invoices are made out by it."))
        return redirect("credit_ops:seller")
    context = {"operator_page": "seller", "form": form, "seller": now, "missing": missing_of(now)}
    return render(request, "credit/ops_seller.html", context, status=422 if form.errors else 200)
