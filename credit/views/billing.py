"""Billing data of an organization, and its invoices."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from credit.forms.purchases import BillingForm
from credit.gateways.pdf import PdfUnavailable
from credit.models import Invoice
from credit.papers import paper, paper_as_pdf, pdf_name
from credit.sellers import ADDRESS, copy_of, evidence_for, profile_of
from credit.services.billing import change_billing
from members.access import Capability
from members.decorators import OrganizationRequest, organization_view
from skypemgr.attachments import attachment


@organization_view(Capability.MANAGE_CREDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def billing(request: OrganizationRequest) -> HttpResponse:
    """Say to whom invoices are made out, and go back to ``next`` where that was asked for."""
    organization = request.organization
    profile = profile_of(organization)
    known = {"name": organization.name, "country": organization.country, "email": request.user.email}
    form = BillingForm(
        request.POST if request.method == "POST" else None,
        initial=copy_of(profile, ADDRESS) if profile else known,
    )
    after = request.GET.get("next", "")
    if form.is_valid():
        change_billing(actor=request.actor, organization=organization, fields=form.cleaned_data)
        messages.success(request, gettext("The billing data are saved."))
        if url_has_allowed_host_and_scheme(after, allowed_hosts=None):
            return redirect(after)
        return redirect("credit:billing", organization.slug)
    context = {
        "section": "credit",
        "subsection": "billing",
        "form": form,
        "profile": profile,
        "evidence": evidence_for(organization, profile.vat_id) if profile else None,
    }
    return render(request, "credit/billing.html", context, status=422 if form.errors else 200)


@organization_view(Capability.MANAGE_CREDIT)
@require_safe
def invoice(request: OrganizationRequest, number: str) -> HttpResponse:
    """An invoice or a credit note, as it was made out, to be read and printed."""
    found = _find(request, number)
    context = {
        "section": "credit",
        "subsection": "purchases",
        "invoice": found,
        "paper": paper(found),
        "no_pdf": "no-pdf" in request.GET,
    }
    return render(request, "credit/invoice.html", context)


@organization_view(Capability.MANAGE_CREDIT)
@require_safe
def invoice_pdf(request: OrganizationRequest, number: str) -> HttpResponse:
    """The same as a file; where this machine can't make one, the page says so."""
    found = _find(request, number)
    try:
        content = paper_as_pdf(found)
    except PdfUnavailable:
        return redirect(reverse("credit:invoice", args=[request.organization.slug, number]) + "?no-pdf")
    return attachment(content, file_name=pdf_name(found), content_type="application/pdf")


def _find(request: OrganizationRequest, number: str) -> Invoice:
    found = (
        Invoice.objects.select_related("order", "corrects")
        .filter(organization=request.organization, number=number)
        .first()
    )
    if found is None:
        raise Http404
    return found
