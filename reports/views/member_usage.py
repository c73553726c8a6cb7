"""What the calls of one member came to: a tab of the page about them."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from members.access import Capability
from members.decorators import OrganizationRequest, organization_view
from members.member_frame import find_member, member_frame
from reports.asked import Days, today_in
from reports.views.calls import call_url, line_of
from reports.views.steps import month_steps
from skypemgr.lists import change_query
from telephony.selectors.calls import CallsAsked, page_of_calls, sums_of_calls
from telephony.services.call_detail import note_look


@organization_view(Capability.VIEW_REPORTS)
@require_safe
def member_usage(request: OrganizationRequest, skype_name: str) -> HttpResponse:
    """A month of somebody's calls, or any days, and the single ones of who lets them be seen; a look is noted."""
    organization = request.organization
    member = find_member(organization, skype_name)
    days = Days.read(organization, request.GET)
    asked = CallsAsked(
        organization=organization,
        first=days.first,
        last=days.last,
        member=member,
        administrator=request.actor.can(Capability.MANAGE_ORGANIZATION),
    )
    earlier = days.before(today_in(organization))
    before = CallsAsked(organization=organization, first=earlier.first, last=earlier.last, member=member)
    page = page_of_calls(asked.shown(), request.GET)
    if page.rows:
        note_look(actor=request.actor, organization=organization, first=days.first, last=days.last, member=member)
    calls_url = reverse("reports:call_list", args=[organization.slug])
    context = {
        **member_frame(request, member, "usage"),
        "days": days,
        "earlier": earlier,
        "page": page,
        "lines": [line_of(call, call_url(request, call)) for call in page.rows],
        "with_people": member.user.handed_over_at is not None,
        "sums": sums_of_calls(asked.all()),
        "before": sums_of_calls(before.all()),
        "private": asked.number_private(),
        "calls_url": calls_url + change_query(request.GET, member=member.user.skype_name),
        **month_steps(request, days),
    }
    return render(request, "reports/member_usage.html", context)
