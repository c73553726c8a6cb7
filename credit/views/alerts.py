from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from credit.alerts import find_alerts
from credit.forms.alerts import AlertsForm
from credit.models import AlertSettings
from credit.services.alerts import change_alerts
from members.access import Capability
from members.decorators import OrganizationRequest, organization_view


@organization_view(Capability.MANAGE_CREDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def alerts(request: OrganizationRequest) -> HttpResponse:
    """What needs attention, and when those who manage credit are told."""
    organization = request.organization
    settings = AlertSettings.objects.filter(organization=organization).first()
    form = AlertsForm(
        request.POST if request.method == "POST" else None,
        currency=organization.currency,
        initial={"low_wallet": settings.low_wallet if settings else None},
    )
    if form.is_valid():
        change_alerts(actor=request.actor, organization=organization, low_wallet=form.cleaned_data["low_wallet"])
        messages.success(request, gettext("The alerts are saved."))
        return redirect("credit:alerts", organization.slug)
    context = {"section": "credit", "subsection": "alerts", "form": form, "alerts": find_alerts(organization)}
    return render(request, "credit/alerts.html", context, status=422 if form.errors else 200)
