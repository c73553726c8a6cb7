"""Credit for many: who gets it, what that will come to, and then at once or behind the pages."""

from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from credit.choosing import ALONE, Recipients
from credit.forms.allocation import AllocationForm, AmountsFileForm, RecipientsForm
from credit.selectors.allocations import Forecast, forecast
from credit.services.allocation import allocate_credit, start_allocation
from credit.ways import buy_url
from members.access import Capability
from members.choosing import nobody_chosen
from members.decorators import OrganizationRequest, organization_view
from members.selectors.departments import department_paths
from skypemgr.forms import form_errors
from skypemgr.lists import read_number
from skypemgr.money import money
from skypemgr.templatetags.look import count


@organization_view(Capability.MANAGE_CREDIT)
@require_safe
def allocate(request: OrganizationRequest) -> HttpResponse:
    """Choose who gets credit."""
    form = _recipients_form(request)
    if form.is_valid():
        query = [("all", "1")]
        if form.cleaned_data["whom"] == RecipientsForm.DEPARTMENT:
            query.append(("department", form.cleaned_data["department"]))
            query += [] if form.cleaned_data["under"] else [ALONE]
        url = reverse("credit:members_allocate", args=[request.organization.slug])
        return redirect(f"{url}?{urlencode(query)}")
    return show_allocate(request, form=form)


def _recipients_form(request: OrganizationRequest) -> RecipientsForm:
    departments = department_paths(request.organization)
    return RecipientsForm(request.GET if "whom" in request.GET else None, departments=departments)


def show_allocate(request: OrganizationRequest, **refused: Form) -> HttpResponse:
    """The page on which it is chosen who gets credit; ``refused`` holds a form that was not accepted, by its name."""
    context = {
        "section": "credit",
        "subsection": "allocate",
        "form": _recipients_form(request),
        "file_form": AmountsFileForm(),
        **refused,
    }
    wrong = any(form.errors for form in refused.values())
    return render(request, "credit/allocate.html", context, status=422 if wrong else 200)


@organization_view(Capability.MANAGE_CREDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def members_allocate(request: OrganizationRequest) -> HttpResponse:
    """How much, what it will come to, and then do it."""
    query = request.POST if request.method == "POST" else request.GET
    recipients = Recipients.read(request, query)
    if not recipients.number:
        messages.info(request, nobody_chosen())
        return redirect(recipients.list_url)
    form = AllocationForm(_with_key(query) if "amount" in query else None, currency=request.organization.currency)
    if request.method == "POST" and form.is_valid():
        with form_errors(form):
            return _done(request, recipients, form)
    amount = form.cleaned_data.get("amount") if form.is_bound and "amount" not in form.errors else None
    told = forecast(request.organization, recipients.members, amount) if amount else None
    return _confirm(request, recipients, form, told)


def _with_key(query: QueryDict) -> QueryDict:
    """What was sent; a question gets the key that its answer will be confirmed with."""
    if "key" in query:
        return query
    keyed = query.copy()
    keyed["key"] = str(uuid4())
    return keyed


def _done(request: OrganizationRequest, recipients: Recipients, form: AllocationForm) -> HttpResponse:
    facts: dict[str, Any] = {
        "actor": request.actor,
        "organization": request.organization,
        "members": recipients.members,
        "asked": {"chosen": recipients.fields},
        "expected": read_number(request.POST, "count"),
        **form.cleaned_data,
    }
    if recipients.is_many:
        batch = start_allocation(**facts)
        return redirect("members:run_detail", request.organization.slug, batch.pk)
    done = allocate_credit(**facts)
    text = ngettext("{number} person got {amount}.", "{number} people got {amount} each.", done.members)
    each = money(done.amount, request.organization.currency)
    messages.success(request, text.format(number=count(done.members), amount=each))
    return redirect(recipients.list_url)


def _confirm(
    request: OrganizationRequest, recipients: Recipients, form: AllocationForm, told: Forecast | None
) -> HttpResponse:
    context = {
        "section": "members",
        "subsection": "list",
        "trail": [(gettext("Members"), recipients.list_url)],
        "chosen": recipients,
        "form": form,
        "forecast": told,
        "buy_url": buy_url(request.organization),
    }
    return render(request, "credit/members_allocate.html", context, status=422 if form.errors else 200)
