"""What using numbers and emergency addresses of a country means: read, and accepted for the organization."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_POST, require_safe

from members.decorators import OrganizationRequest
from members.places import country_name
from skypemgr.forms import told_refusals
from skypemgr.lists import read_number
from telephony.countries import acceptance_of, current_disclaimer, rule_of
from telephony.selectors.disclaimers import list_disclaimers
from telephony.services.disclaimers import accept_disclaimer
from telephony.views.door import address_view


@address_view
@require_safe
def disclaimer_list(request: OrganizationRequest) -> HttpResponse:
    """Every country with its text, and what was accepted."""
    context = {
        "section": "voice",
        "subsection": "emergency_addresses",
        "rows": list_disclaimers(request.organization),
        "trail": _trail(request)[:1],
    }
    return render(request, "telephony/disclaimer_list.html", context)


@address_view
@require_safe
def disclaimer_detail(request: OrganizationRequest, country: str) -> HttpResponse:
    disclaimer = current_disclaimer(country)
    if disclaimer is None:
        raise Http404
    context = {
        "section": "voice",
        "subsection": "emergency_addresses",
        "disclaimer": disclaimer,
        "text": disclaimer.text_in(get_language() or "en"),
        "country": country_name(country),
        "rule": rule_of(country),
        "acceptance": acceptance_of(request.organization, disclaimer),
        "trail": _trail(request),
    }
    return render(request, "telephony/disclaimer_detail.html", context)


@address_view
@require_POST
def disclaimer_accept(request: OrganizationRequest, country: str) -> HttpResponse:
    if current_disclaimer(country) is None:
        raise Http404
    page = reverse("emergency:disclaimer_detail", args=[request.organization.slug, country])
    with told_refusals(request):
        accept_disclaimer(
            actor=request.actor,
            organization=request.organization,
            country=country,
            version=read_number(request.POST, "version"),
        )
        messages.success(request, gettext("Accepted for {country}.").format(country=country_name(country)))
        page = reverse("emergency:address_list", args=[request.organization.slug])
    return redirect(page)


def _trail(request: OrganizationRequest) -> list[tuple[str, str]]:
    slug = request.organization.slug
    return [
        (gettext("Emergency addresses"), reverse("emergency:address_list", args=[slug])),
        (gettext("Disclaimers"), reverse("emergency:disclaimer_list", args=[slug])),
    ]
