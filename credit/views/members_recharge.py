"""Auto-recharge of many: on what terms, what that will come to, and then at once or behind the pages."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, ngettext, ngettext_lazy
from django.views.decorators.http import require_http_methods

from credit.forms.recharge import RechargeForm
from credit.recharge_plans import Terms
from credit.recharge_runs import set_exceptions, stop_exceptions
from credit.selectors.balances import wallet_balance
from credit.selectors.recharges import forecast_at_once
from credit.services.recharge import (
    set_auto_recharge,
    start_auto_recharge,
    start_stopping_auto_recharge,
    stop_auto_recharge,
)
from members.access import Capability
from members.bulk import Reach, reach_of
from members.choosing import Chosen, nobody_chosen
from members.decorators import OrganizationRequest, organization_view
from skypemgr.forms import form_errors
from skypemgr.lists import read_key, read_number
from skypemgr.money import money
from skypemgr.templatetags.look import count

UNTOUCHED: Mapping[str, Any] = {
    "left": ngettext_lazy("{number} has left.", "{number} have left."),
    "there": ngettext_lazy("{number} already has these terms.", "{number} already have these terms."),
    "off": ngettext_lazy("{number} has none now.", "{number} have none now."),
}


@organization_view(Capability.MANAGE_CREDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def members_recharge(request: OrganizationRequest) -> HttpResponse:
    """Ask for the terms, show what will happen, and save and activate."""
    query = request.POST if request.method == "POST" else request.GET
    chosen = Chosen.read(request, query)
    if not chosen.number:
        messages.info(request, nobody_chosen())
        return redirect(chosen.list_url)
    form = RechargeForm(query if "amount" in query else None, currency=request.organization.currency, several=True)
    if request.method == "POST" and form.is_valid():
        with form_errors(form):
            return _set(request, chosen, form.terms)
    terms = form.terms if form.is_bound and form.is_valid() else None
    reach = reach_of(chosen.members, set_exceptions(terms)) if terms else None
    context = {
        **_frame(request, chosen),
        "heading": gettext("Set auto-recharge"),
        "form": form,
        "reach": reach,
        "forecast": _forecast(request, chosen, terms, reach) if terms and reach else [],
        "button": _button(reach) if reach else "",
    }
    return render(request, "credit/members_recharge.html", context, status=422 if form.errors else 200)


@organization_view(Capability.MANAGE_CREDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def members_recharge_off(request: OrganizationRequest) -> HttpResponse:
    """Show whom it concerns, and turn auto-recharge off."""
    chosen = Chosen.read(request, request.POST if request.method == "POST" else request.GET)
    if not chosen.number:
        messages.info(request, nobody_chosen())
        return redirect(chosen.list_url)
    form = RechargeForm({}, currency=request.organization.currency)
    if request.method == "POST":
        with form_errors(form):
            return _stop(request, chosen)
    reach = reach_of(chosen.members, stop_exceptions())
    will = ngettext(
        "{changed} of {chosen} person will be recharged no more.",
        "{changed} of {chosen} people will be recharged no more.",
        reach.chosen,
    )
    button = ngettext("Turn off for {number} person", "Turn off for {number} people", reach.changed)
    context = {
        **_frame(request, chosen),
        "heading": gettext("Turn off auto-recharge"),
        "form": form if form.non_field_errors() else None,
        "reach": reach,
        "forecast": [will.format(changed=count(reach.changed), chosen=count(reach.chosen)), *_untouched(reach)],
        "button": button.format(number=count(reach.changed)),
    }
    status = 422 if context["form"] else 200
    return render(request, "credit/members_recharge_off.html", context, status=status)


def _frame(request: OrganizationRequest, chosen: Chosen) -> dict[str, Any]:
    trail = [(gettext("Members"), chosen.list_url)]
    return {"section": "members", "subsection": "list", "trail": trail, "chosen": chosen, "key": uuid4()}


def _whom(request: OrganizationRequest, chosen: Chosen) -> dict[str, Any]:
    return {"actor": request.actor, "organization": request.organization, "members": chosen.members}


def _confirmed(request: OrganizationRequest) -> dict[str, Any]:
    return {"expected": read_number(request.POST, "count"), "key": read_key(request.POST, "key")}


def _set(request: OrganizationRequest, chosen: Chosen, terms: Terms) -> HttpResponse:
    if chosen.is_many:
        batch = start_auto_recharge(**_whom(request, chosen), **terms.as_facts(), **_confirmed(request))
        return redirect("members:run_detail", request.organization.slug, batch.pk)
    chosen.refuse_changed(request.POST)
    changed = set_auto_recharge(**_whom(request, chosen), **terms.as_facts())
    text = ngettext("Auto-recharge is set for {number} person.", "Auto-recharge is set for {number} people.", changed)
    messages.success(request, text.format(number=count(changed)))
    return redirect(chosen.list_url)


def _stop(request: OrganizationRequest, chosen: Chosen) -> HttpResponse:
    if chosen.is_many:
        batch = start_stopping_auto_recharge(**_whom(request, chosen), **_confirmed(request))
        return redirect("members:run_detail", request.organization.slug, batch.pk)
    chosen.refuse_changed(request.POST)
    changed = stop_auto_recharge(**_whom(request, chosen))
    text = ngettext(
        "Auto-recharge is turned off for {number} person.", "Auto-recharge is turned off for {number} people.", changed
    )
    messages.success(request, text.format(number=count(changed)))
    return redirect(chosen.list_url)


def _button(reach: Reach) -> str:
    text = ngettext("Save and activate for {number} person", "Save and activate for {number} people", reach.changed)
    return text.format(number=count(reach.changed))


def _untouched(reach: Reach) -> list[str]:
    return [(UNTOUCHED[reason] % number).format(number=count(number)) for reason, number in reach.untouched]


def _forecast(request: OrganizationRequest, chosen: Chosen, terms: Terms, reach: Reach) -> list[str]:
    organization = request.organization
    shown = {name: money(value, organization.currency) for name, value in terms.as_facts().items()}
    will = ngettext(
        "This changes {changed} of {chosen} person: recharged by {amount} when the balance falls below {below}, up to"
        " {monthly_limit} a month.",
        "This changes {changed} of {chosen} people: recharged by {amount} when the balance falls below {below}, up to"
        " {monthly_limit} a month.",
        reach.chosen,
    )
    told = [will.format(changed=count(reach.changed), chosen=count(reach.chosen), **shown), *_untouched(reach)]
    now = forecast_at_once(organization, chosen.members, terms)
    if now.members:
        wallet = wallet_balance(organization)
        text = ngettext(
            "{number} is below that now: {sum} leaves the wallet at once, which holds {wallet}.",
            "{number} are below that now: {sum} leaves the wallet at once, which holds {wallet}.",
            now.members,
        )
        facts = {"sum": money(now.amount, organization.currency), "wallet": money(wallet, organization.currency)}
        told.append(text.format(number=count(now.members), **facts))
        if now.amount > wallet:
            told.append(gettext("Whom it doesn’t cover is recharged when credit is bought."))
    return told
