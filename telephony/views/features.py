"""Features: what is owned and offered, buying seats, and one license with its people."""

from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from credit.selectors.balances import wallet_balance
from credit.ways import buy_url
from members.access import Capability
from members.decorators import OrganizationRequest, organization_view
from skypemgr.forms import form_errors
from telephony.forms.licenses import BuyForm, RenewalForm
from telephony.licensing import offer, renewal_cost
from telephony.models import License
from telephony.selectors.features import LAMPS, MOST_SHOWN, list_features, list_holders, list_licenses
from telephony.services.licenses import buy_licenses, change_renewal

SECTION = {"section": "features", "subsection": "features"}


@organization_view(Capability.MANAGE_VOICE)
@require_safe
def features(request: OrganizationRequest) -> HttpResponse:
    """What is owned, how many have it, what it costs, and what else there is."""
    organization = request.organization
    found = list_features(organization)
    context = {
        **SECTION,
        "features": found,
        "licenses": list_licenses(organization),
        "monthly": sum(feature.monthly for feature in found),
        "wallet": wallet_balance(organization),
        "buy_credit_url": _buy_credit_url(request),
    }
    return render(request, "telephony/features.html", context)


@organization_view(Capability.MANAGE_VOICE)
@require_http_methods(["GET", "HEAD", "POST"])
def buy(request: OrganizationRequest) -> HttpResponse:
    """Buy seats; asked by GET with a quantity, what they cost and what the wallet holds before and after."""
    organization = request.organization
    asked = request.method == "POST" or "quantity" in request.GET
    form = BuyForm((request.POST or request.GET) if asked else None, initial=_chosen(request))
    if request.method == "POST" and form.is_valid():
        facts = form.cleaned_data
        with form_errors(form):
            bought = buy_licenses(
                actor=request.actor,
                organization=organization,
                product=facts["product"],
                quantity=facts["quantity"],
                months=facts["months"],
                key=facts["key"],
                expected_price=facts["price"],
            )
            text = gettext("{quantity} × {product} bought. Assign them to people now.")
            messages.success(request, text.format(quantity=bought.quantity, product=facts["product"].name))
            return redirect("telephony:license", organization.slug, bought.pk)
    context: dict[str, Any] = {
        "section": "features",
        "subsection": "buy",
        "form": form,
        "wallet": wallet_balance(organization),
        "buy_credit_url": _buy_credit_url(request),
        "trail": [_trail(request)],
        "key": uuid4(),
    }
    if form.is_bound and form.is_valid():
        with form_errors(form):
            facts = form.cleaned_data
            context["offer"] = offer(organization, facts["product"], facts["quantity"], facts["months"])
    refused = request.method == "POST" and bool(form.errors)
    return render(request, "telephony/buy_licenses.html", context, status=422 if refused else 200)


@organization_view(Capability.MANAGE_VOICE)
@require_safe
def license_page(request: OrganizationRequest, pk: int) -> HttpResponse:
    """One license: its people, how it goes on, and what was paid."""
    return _show_license(request, _find(request, pk))


@organization_view(Capability.MANAGE_VOICE)
@require_POST
def license_renewal(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Cancel a license at the end of what is paid, renew fewer seats then, or take that back."""
    bought = _find(request, pk)
    form = RenewalForm(request.POST)
    if form.is_valid():
        with form_errors(form):
            changed = change_renewal(
                actor=request.actor,
                organization=request.organization,
                bought=bought,
                quantity=form.cleaned_data["quantity"],
            )
            messages.success(request, _renewal_text(changed))
            return redirect("telephony:license", request.organization.slug, bought.pk)
    return _show_license(request, bought, form)


def _show_license(request: OrganizationRequest, bought: License, form: RenewalForm | None = None) -> HttpResponse:
    context = {
        **SECTION,
        "bought": bought,
        "lamp": LAMPS[bought.state],
        "form": form or RenewalForm(initial={"quantity": bought.renewed_quantity}),
        "holders": list_holders(bought),
        "more": max(bought.assigned - MOST_SHOWN, 0),
        "periods": list(bought.periods.order_by("-begins_on")[:MOST_SHOWN]),
        "cost": renewal_cost(bought),
        "buy_credit_url": _buy_credit_url(request),
        "trail": [_trail(request)],
    }
    return render(request, "telephony/license.html", context, status=422 if form else 200)


def _renewal_text(bought: License) -> str:
    if bought.renewed_quantity == 0:
        return gettext("The license is canceled. Its seats can be used until it ends.")
    if bought.renewed_quantity < bought.quantity:
        return gettext("{quantity} seats will be renewed.").format(quantity=bought.renewed_quantity)
    return gettext("All seats will be renewed.")


def _find(request: OrganizationRequest, pk: int) -> License:
    found = License.objects.filter(organization=request.organization).select_related("product", "organization")
    return get_object_or_404(found, pk=pk)


def _chosen(request: OrganizationRequest) -> dict[str, Any]:
    return {"product": request.GET.get("product", "phone-system"), "quantity": 1, "months": 1}


def _buy_credit_url(request: OrganizationRequest) -> str:
    """Where the wallet is filled, for those who may."""
    return buy_url(request.organization) if request.actor.can(Capability.MANAGE_CREDIT) else ""


def _trail(request: OrganizationRequest) -> tuple[str, str]:
    return gettext("Features"), reverse("telephony:features", args=[request.organization.slug])
