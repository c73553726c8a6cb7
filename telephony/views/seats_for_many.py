"""Licenses for many: which product, what that will come to, and then at once or behind the pages."""

from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods

from members.access import Capability
from members.choosing import Chosen, nobody_chosen
from members.decorators import OrganizationRequest, organization_view
from skypemgr.forms import form_errors
from skypemgr.lists import read_key, read_number
from skypemgr.templatetags.look import count
from telephony.forms.licenses import SeatsForm
from telephony.models import Product
from telephony.selectors.seats_for_many import SeatForecast, foresee_assigning, foresee_unassigning, owned_products
from telephony.services.seats import assign_licenses, start_assigning, start_unassigning, unassign_licenses


@organization_view(Capability.MANAGE_VOICE)
@require_http_methods(["GET", "HEAD", "POST"])
def members_assign(request: OrganizationRequest) -> HttpResponse:
    """Ask which product, show who gets a seat of it, and assign them."""
    chosen = _chosen(request)
    if not chosen.number:
        messages.info(request, nobody_chosen())
        return redirect(chosen.list_url)
    form = _form(request)
    if request.method == "POST" and form.is_valid():
        with form_errors(form):
            return _assign(request, chosen, form.cleaned_data["product"])
    told = None
    if product := form.chosen_product:
        told = foresee_assigning(request.organization, product, chosen.members)
    context = {
        **_frame(request, chosen, form, told),
        "heading": gettext("Assign a license"),
        "forecast": [_who_gets(told)] if told else [],
        "button": _assign_text(told) if told else "",
        "buy_url": _buy_url(request, told) if told and told.missing else "",
    }
    return render(request, "telephony/members_assign.html", context, status=422 if form.errors else 200)


@organization_view(Capability.MANAGE_VOICE)
@require_http_methods(["GET", "HEAD", "POST"])
def members_unassign(request: OrganizationRequest) -> HttpResponse:
    """Ask which product, show who loses their seat of it and what else, and take them away."""
    chosen = _chosen(request)
    if not chosen.number:
        messages.info(request, nobody_chosen())
        return redirect(chosen.list_url)
    form = _form(request)
    if request.method == "POST" and form.is_valid():
        with form_errors(form):
            return _unassign(request, chosen, form.cleaned_data["product"])
    told = None
    if product := form.chosen_product:
        told = foresee_unassigning(request.organization, product, chosen.members)
    context = {
        **_frame(request, chosen, form, told),
        "heading": gettext("Take a license away"),
        "forecast": [_who_loses(told), *told.dependents] if told else [],
        "button": _unassign_text(told) if told else "",
        "warns": True,
    }
    return render(request, "telephony/members_unassign.html", context, status=422 if form.errors else 200)


def _chosen(request: OrganizationRequest) -> Chosen:
    return Chosen.read(request, request.POST if request.method == "POST" else request.GET)


def _form(request: OrganizationRequest) -> SeatsForm:
    query = request.POST if request.method == "POST" else request.GET
    return SeatsForm(query if "product" in query else None, products=owned_products(request.organization))


def _frame(request: OrganizationRequest, chosen: Chosen, form: SeatsForm, told: SeatForecast | None) -> dict[str, Any]:
    return {
        "section": "members",
        "subsection": "list",
        "trail": [(gettext("Members"), chosen.list_url)],
        "chosen": chosen,
        "key": uuid4(),
        "form": form,
        "told": told,
        "reach": told.reach if told else None,
    }


def _assign(request: OrganizationRequest, chosen: Chosen, product: Product) -> HttpResponse:
    facts = _whom(request, chosen, product)
    if chosen.is_many:
        batch = start_assigning(**facts, key=read_key(request.POST, "key"))
        return redirect("members:run_detail", request.organization.slug, batch.pk)
    number = assign_licenses(**facts, leave_out=True)
    text = ngettext("{number} person has {product} now.", "{number} people have {product} now.", number)
    messages.success(request, text.format(number=count(number), product=product.name))
    return redirect(chosen.list_url)


def _unassign(request: OrganizationRequest, chosen: Chosen, product: Product) -> HttpResponse:
    facts = {**_whom(request, chosen, product), "with_dependents": "together" in request.POST}
    if chosen.is_many:
        batch = start_unassigning(**facts, key=read_key(request.POST, "key"))
        return redirect("members:run_detail", request.organization.slug, batch.pk)
    number = unassign_licenses(**facts)
    text = ngettext(
        "{number} person has no seat of {product} any more.",
        "{number} people have no seat of {product} any more.",
        number,
    )
    messages.success(request, text.format(number=count(number), product=product.name))
    return redirect(chosen.list_url)


def _whom(request: OrganizationRequest, chosen: Chosen, product: Product) -> dict[str, Any]:
    return {
        "actor": request.actor,
        "organization": request.organization,
        "product": product,
        "members": chosen.members,
        "expected": read_number(request.POST, "count"),
    }


def _who_gets(told: SeatForecast) -> str:
    if told.missing:
        text = ngettext(
            "{changed} of {chosen} person can get a seat of {product}, but none is free.",
            "{changed} of {chosen} people can get a seat of {product}, but too few are free.",
            told.reach.chosen,
        )
        return _counted(text, told)
    text = ngettext(
        "{changed} of {chosen} person gets a seat of {product}.",
        "{changed} of {chosen} people get a seat of {product}.",
        told.reach.chosen,
    )
    return _counted(text, told)


def _who_loses(told: SeatForecast) -> str:
    text = ngettext(
        "{changed} of {chosen} person loses {product} at once.",
        "{changed} of {chosen} people lose {product} at once.",
        told.reach.chosen,
    )
    return _counted(text, told)


def _counted(text: str, told: SeatForecast) -> str:
    return text.format(changed=count(told.reach.changed), chosen=count(told.reach.chosen), product=told.product.name)


def _assign_text(told: SeatForecast) -> str:
    text = ngettext("Assign to {number} person", "Assign to {number} people", told.reach.changed)
    return text.format(number=count(told.reach.changed))


def _unassign_text(told: SeatForecast) -> str:
    text = ngettext("Take away from {number} person", "Take away from {number} people", told.reach.changed)
    return text.format(number=count(told.reach.changed))


def _buy_url(request: OrganizationRequest, told: SeatForecast) -> str:
    url = reverse("telephony:buy_licenses", args=[request.organization.slug])
    asked = {"product": told.product.code, "quantity": told.missing, "months": 1}
    return f"{url}?{urlencode(asked)}"
