"""The way from a URL to a view of the section Voice, which exists only while it was licensed."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from members.access import Capability
from members.decorators import OrganizationRequest, View, organization_view
from telephony.selectors.licenses import shows_voice


def voice_view(capability: Capability) -> Callable[[View], View]:
    """As ``organization_view``, where a product that opens Voice is owned; elsewhere a page says why there is nothing.

    The address is no secret, so the answer is that it is forbidden (403), and how it is opened.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: OrganizationRequest, **kwargs: Any) -> HttpResponseBase:
            if not shows_voice(request.organization):
                context = {
                    "section": "voice",
                    "licenses_url": reverse("telephony:buy_licenses", args=[request.organization.slug]),
                }
                return render(request, "telephony/voice_closed.html", context, status=403)
            return view(request, **kwargs)

        return organization_view(capability)(guarded)

    return decorate
