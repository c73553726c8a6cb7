"""Who and what cost the most this month: a part of the overview, and a page where there are no scripts."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from members.access import Capability
from members.decorators import OrganizationRequest, organization_view
from reports.asked import Cut, today_in
from reports.charts import share_of
from reports.selectors.present_month import Dearest, dearest_destinations, dearest_people


@organization_view(Capability.VIEW_REPORTS)
@require_safe
def top(request: OrganizationRequest) -> HttpResponse:
    """The five people and the five destinations that cost the most."""
    organization = request.organization
    month = today_in(organization).replace(day=1)
    calls_url = reverse("reports:call_list", args=[organization.slug])
    usage_url = reverse("reports:usage", args=[organization.slug])
    context = {
        "section": "overview",
        "month": month,
        "people": _bars(
            dearest_people(organization, month),
            lambda one: f"{calls_url}?{urlencode({'month': f'{month:%Y-%m}', 'member': one.key})}",
        ),
        "destinations": _bars(
            dearest_destinations(organization, month),
            lambda one: f"{usage_url}?{urlencode({'by': Cut.MEMBER.value, 'destination': one.key})}",
        ),
    }
    template = "reports/top.html" if request.headers.get("HX-Request") else "reports/top_page.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _bars(found: Sequence[Dearest], url: Callable[[Dearest], str]) -> list[dict[str, object]]:
    most = max((one.cost for one in found), default=Decimal(0))
    return [{"label": one.label, "cost": one.cost, "share": share_of(one.cost, most), "url": url(one)} for one in found]
