from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from members.access import Capability
from members.decorators import OrganizationRequest
from telephony.countries import rule_of
from telephony.decorators import voice_view
from telephony.quotas import quota_of
from telephony.selectors.voice_steps import steps_of


@voice_view(Capability.MANAGE_VOICE)
@require_safe
def overview(request: OrganizationRequest) -> HttpResponse:
    """Voice: the steps to calls, and how many numbers there may be."""
    quota = quota_of(request.organization)
    address_first = rule_of(request.organization.country).address_first
    context = {
        "section": "voice",
        "subsection": "overview",
        "steps": steps_of(request.organization, quota, address_first=address_first),
        "quota": quota,
        "address_first": address_first,
    }
    return render(request, "telephony/voice.html", context)
