"""Buying credit: the amount, the order, what to transfer, and everything that was bought."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from credit.errors import SellerIncomplete
from credit.forms.purchases import BuyForm
from credit.gateways.stripe import cards_offered
from credit.models import Gateway, Order
from credit.purchases import refunded_of, require_seller
from credit.selectors.balances import wallet_balance
from credit.selectors.cards import newest_checkout
from credit.selectors.purchases import PurchasesQuery, lamp_of
from credit.sellers import current_seller, price_for, profile_of, written_iban
from credit.services.orders import cancel_order, place_order
from members.access import Capability
from members.decorators import OrganizationRequest, organization_view
from members.downloads import download
from skypemgr.forms import form_errors, told_refusals
from skypemgr.lists import change_query


@organization_view(Capability.MANAGE_CREDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def buy(request: OrganizationRequest) -> HttpResponse:
    """Order credit, to be paid by bank transfer; asked by GET with an ``amount``, what it costs."""
    organization = request.organization
    form = BuyForm(
        request.POST if request.method == "POST" else request.GET if "amount" in request.GET else None,
        currency=organization.currency,
    )
    if request.method == "POST" and form.is_valid():
        with form_errors(form):
            order = place_order(
                actor=request.actor,
                organization=organization,
                amount=form.cleaned_data["amount"],
                key=form.cleaned_data["key"],
            )
            messages.success(request, gettext("Order {number} is placed.").format(number=order.number))
            return redirect("credit:order", organization.slug, order.number)
    return show_buy(request, form)


def show_buy(request: OrganizationRequest, form: BuyForm) -> HttpResponse:
    """The page on which credit is bought, with what it costs as soon as the amount is known."""
    organization = request.organization
    context: dict[str, Any] = {
        "section": "credit",
        "subsection": "purchases",
        "form": form,
        "profile": profile_of(organization),
        "balance": wallet_balance(organization),
        "cards_offered": cards_offered(),
    }
    try:
        require_seller(Gateway.BANK_TRANSFER)
    except SellerIncomplete as refusal:
        return render(request, "credit/buy.html", {**context, "closed": refusal}, status=_status(request, refused=True))
    if form.is_valid():
        context["price"] = price_for(organization, form.cleaned_data["amount"])
    return render(request, "credit/buy.html", context, status=_status(request, refused=bool(form.errors)))


def _status(request: OrganizationRequest, *, refused: bool) -> int:
    return 422 if refused and request.method == "POST" else 200


@organization_view(Capability.MANAGE_CREDIT)
@require_safe
def order(request: OrganizationRequest, number: str) -> HttpResponse:
    """One order: what to transfer where, or what has become of it."""
    found = find_order(request, number)
    seller = current_seller()
    context = {
        "section": "credit",
        "subsection": "purchases",
        "order": found,
        "lamp": lamp_of(found),
        "seller": seller,
        "iban": written_iban(seller.iban),
        "pay_until": found.created_at + timedelta(days=seller.payment_days),
        "invoices": found.invoices.order_by("pk"),
        "refunded": refunded_of(found)[0],
        "pays_by_transfer": found.method == Order.Method.BANK_TRANSFER,
        "checkout": newest_checkout(request.organization, found),
        "from_card": request.GET.get("from") == "card",
    }
    return render(request, "credit/order.html", context)


@organization_view(Capability.MANAGE_CREDIT)
@require_POST
def order_cancel(request: OrganizationRequest, number: str) -> HttpResponse:
    found = find_order(request, number)
    with told_refusals(request):
        cancel_order(actor=request.actor, organization=request.organization, order=found)
        messages.success(request, gettext("Order {number} is canceled.").format(number=number))
    return redirect("credit:order", request.organization.slug, number)


def find_order(request: OrganizationRequest, number: str) -> Order:
    """The order of a number in the organization of a request. Raises Http404."""
    orders = Order.objects.filter(organization=request.organization).select_related("placed_by__user", "organization")
    found = orders.filter(number=number).first()
    if found is None:
        raise Http404
    return found


@organization_view(Capability.MANAGE_CREDIT)
@require_safe
def purchase_list(request: OrganizationRequest) -> HttpResponse:
    asked = PurchasesQuery.read(request.organization, request.GET)
    page = asked.page()
    context = {
        "section": "credit",
        "subsection": "purchases",
        "asked": asked,
        "page": page,
        "rows": [(entry, lamp_of(entry)) for entry in page.rows],
        "export_url": reverse("credit:purchase_export", args=[request.organization.slug]) + change_query(request.GET),
    }
    return render(request, "credit/purchase_list.html", context)


@organization_view(Capability.MANAGE_CREDIT)
@require_safe
def purchase_export(request: OrganizationRequest) -> HttpResponseBase:
    header = [
        gettext("Ordered"),
        pgettext("purchase", "Order"),
        gettext("State"),
        gettext("Paid by"),
        gettext("Credit"),
        gettext("VAT rate"),
        gettext("VAT"),
        gettext("Total"),
        gettext("Currency"),
        gettext("Invoices"),
    ]
    asked = PurchasesQuery.read(request.organization, request.GET)
    return download(
        request,
        Capability.MANAGE_CREDIT,
        name="purchases",
        header=header,
        chunks=asked.chunks(),
        make=lambda orders: [_export_row(entry, request.organization.currency) for entry in orders],
    )


def _export_row(entry: Order, currency: str) -> Sequence[Any]:
    return [
        timezone.localtime(entry.created_at).isoformat(sep=" ", timespec="seconds"),
        entry.number,
        entry.get_state_display(),
        entry.get_method_display(),
        entry.net,
        entry.vat_rate,
        entry.vat,
        entry.gross,
        currency,
        " ".join(invoice.number for invoice in entry.invoices.all()),
    ]
