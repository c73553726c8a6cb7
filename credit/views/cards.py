"""The saved card of a company, and the auto-recharge of its wallet."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from credit.forms.cards import AMOUNTS, SaveCardForm, WalletRechargeForm
from credit.forms.purchases import BuyForm
from credit.gateways.stripe import cards_offered
from credit.models import CardCheckout
from credit.selectors.balances import wallet_balance
from credit.selectors.cards import recharge_state, saved_card
from credit.services.card_checkouts import ask_for_checkout, ask_to_save_card, order_by_card, remove_card
from credit.services.card_lookups import open_page
from credit.services.wallet_recharges import save_wallet_recharge, stop_wallet_recharge
from credit.views.purchases import find_order, show_buy
from members.access import Capability
from members.decorators import OrganizationRequest, organization_view
from skypemgr.forms import form_errors, told_refusals


@organization_view(Capability.MANAGE_CREDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def card(request: OrganizationRequest) -> HttpResponse:
    """The saved card, and auto-recharge of the wallet, which a POST saves and activates."""
    organization = request.organization
    state = recharge_state(organization)
    form = WalletRechargeForm(
        request.POST if request.method == "POST" else None,
        currency=organization.currency,
        initial={name: getattr(state.plan, name) for name in AMOUNTS} if state else None,
    )
    if form.is_valid():
        with form_errors(form):
            save_wallet_recharge(actor=request.actor, organization=organization, **form.cleaned_data)
            messages.success(request, gettext("Auto-recharge of the wallet is active."))
            return redirect("credit:card", organization.slug)
    context = {
        "section": "credit",
        "subsection": "card",
        "cards_offered": cards_offered(),
        "card": saved_card(organization),
        "state": state,
        "form": form,
        "save_form": SaveCardForm(),
        "balance": wallet_balance(organization),
    }
    return render(request, "credit/card.html", context, status=422 if form.errors else 200)


@organization_view(Capability.MANAGE_CREDIT)
@require_POST
def wallet_recharge_stop(request: OrganizationRequest) -> HttpResponse:
    if stop_wallet_recharge(actor=request.actor, organization=request.organization):
        messages.success(request, gettext("Auto-recharge of the wallet is off."))
    return redirect("credit:card", request.organization.slug)


@organization_view(Capability.MANAGE_CREDIT)
@require_POST
def card_remove(request: OrganizationRequest) -> HttpResponse:
    with told_refusals(request):
        remove_card(actor=request.actor, organization=request.organization)
        messages.success(request, gettext("The card is removed."))
    return redirect("credit:card", request.organization.slug)


@organization_view(Capability.MANAGE_CREDIT)
@require_POST
def card_save(request: OrganizationRequest) -> HttpResponse:
    """Prepare the page on which a card is saved, and lead to the link to it."""
    form = SaveCardForm(request.POST)
    with told_refusals(request):
        if form.is_valid():
            key = form.cleaned_data["key"]
            asked = ask_to_save_card(actor=request.actor, organization=request.organization, key=key)
            open_page(asked)
            return redirect("credit:card_leave", request.organization.slug, asked.pk)
    return redirect("credit:card", request.organization.slug)


@organization_view(Capability.MANAGE_CREDIT)
@require_safe
def card_leave(request: OrganizationRequest, pk: int) -> HttpResponse:
    """The link to the page on which a card is saved: no form of ours leads to another site."""
    checkout = CardCheckout.objects.filter(organization=request.organization, pk=pk, order=None).first()
    if checkout is None:
        raise Http404
    if checkout.state != CardCheckout.State.OPEN:
        return redirect("credit:card", request.organization.slug)
    context = {"section": "credit", "subsection": "card", "checkout": checkout}
    return render(request, "credit/card_leave.html", context)


@organization_view(Capability.MANAGE_CREDIT)
@require_POST
def buy_by_card(request: OrganizationRequest) -> HttpResponse:
    """Order credit to be paid by card, and lead to the order, which shows the link to the page to pay on."""
    organization = request.organization
    form = BuyForm(request.POST, currency=organization.currency)
    if form.is_valid():
        with form_errors(form):
            asked = order_by_card(actor=request.actor, organization=organization, **form.cleaned_data)
            with told_refusals(request):
                open_page(asked)
            assert asked.order is not None
            return redirect("credit:order", organization.slug, asked.order.number)
    return show_buy(request, form)


@organization_view(Capability.MANAGE_CREDIT)
@require_POST
def order_card(request: OrganizationRequest, number: str) -> HttpResponse:
    """Prepare the page on which an order is paid by card; the order shows the link to it."""
    order = find_order(request, number)
    with told_refusals(request):
        open_page(ask_for_checkout(actor=request.actor, organization=request.organization, order=order))
    return redirect("credit:order", request.organization.slug, number)
