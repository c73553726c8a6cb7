"""The stock of numbers, and who may have more of it, for those who run the installation."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from members.decorators import SignedInRequest, operator_view
from members.models import Organization
from skypemgr.forms import form_errors
from skypemgr.lists import read_text
from skypemgr.templatetags.look import count
from telephony.forms.numbers import QuotaForm
from telephony.models import NumberQuota
from telephony.quotas import quota_of
from telephony.selectors.stock import page_of_areas, page_of_organizations, totals_of_stock
from telephony.services.quotas import set_number_quota

HERE = {"operator_page": "stock"}


@operator_view
@require_safe
def stock(request: SignedInRequest) -> HttpResponse:
    """What there is of each place, as it was last counted."""
    context = {
        **HERE,
        "page": page_of_areas(request.GET),
        "search": read_text(request.GET),
        "totals": totals_of_stock(),
    }
    return render(request, "telephony/ops_stock.html", context)


@operator_view
@require_safe
def quota_list(request: SignedInRequest) -> HttpResponse:
    """Organizations that may have another number of numbers than their licenses say, or those that a search finds."""
    context = {**HERE, "page": page_of_organizations(request.GET), "search": read_text(request.GET)}
    return render(request, "telephony/ops_quota_list.html", context)


@operator_view
@require_http_methods(["GET", "HEAD", "POST"])
def quota(request: SignedInRequest, slug: str) -> HttpResponse:
    """Let an organization have so many numbers."""
    organization = get_object_or_404(Organization, slug=slug)
    now = quota_of(organization)
    form = QuotaForm(request.POST if request.method == "POST" else None, initial={"numbers": now.set})
    if form.is_valid():
        with form_errors(form):
            now = set_number_quota(actor=request.actor, organization=organization, **form.cleaned_data)
            text = gettext("{name} may have {number} numbers.")
            messages.success(request, text.format(name=organization.name, number=count(now.allowed)))
            return redirect("telephony_ops:quota_list")
    context = {
        **HERE,
        "organization": organization,
        "quota": now,
        "known": NumberQuota.objects.filter(organization=organization).first(),
        "form": form,
    }
    return render(request, "telephony/ops_quota.html", context, status=422 if form.errors else 200)
