"""What somebody's own calls cost, in each organization that they are a member of."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from credit.selectors.balances import KEEPS_CREDIT
from credit.selectors.spans import zone_of
from credit.views.statements import own_request
from members.decorators import OrganizationRequest, SignedInRequest, signed_in_view
from members.downloads import download
from members.models import Member
from reports.asked import Days, today_in
from reports.views.calls import HEADER, file_row, line_of
from reports.views.steps import month_steps
from skypemgr.lists import change_query
from telephony.selectors.calls import CallsAsked, CallSums, chunks_of_calls, page_of_calls, sums_of_calls


@signed_in_view
@require_safe
def my_usage(request: SignedInRequest) -> HttpResponse:
    """The calls in the organization that somebody came to first."""
    mine = Member.objects.filter(KEEPS_CREDIT, user=request.user).order_by("organization__name", "pk")
    slug = mine.values_list("organization__slug", flat=True).first()
    return redirect("my_usage:usage", slug) if slug else redirect("home")


@signed_in_view
@require_safe
def my_calls(request: SignedInRequest, slug: str) -> HttpResponse:
    """The calls of whoever asks, of a month or of any days, and what they came to."""
    own = own_request(request, slug)
    days, asked = _asked(own)
    page = page_of_calls(asked.own(), own.GET)
    before = days.before(today_in(own.organization))
    mine = Member.objects.filter(KEEPS_CREDIT, user=request.user).select_related("organization")
    context = {
        "organization": own.organization,
        "memberships": list(mine.order_by("organization__name", "pk")[:50]),
        "days": days,
        "page": page,
        "lines": [line_of(call) for call in page.rows],
        "sums": sums_of_calls(asked.own()),
        "before": sums_of_calls(_of(own, before).own()),
        **month_steps(own, days),
        "export_url": reverse("my_usage:export", args=[slug]) + change_query(own.GET),
    }
    return render(request, "reports/my_usage.html", context)


@signed_in_view
@require_safe
def my_calls_export(request: SignedInRequest, slug: str) -> HttpResponseBase:
    """The same calls as a file."""
    own = own_request(request, slug)
    _days, asked = _asked(own)
    return download(
        own,
        None,
        name=f"calls-{asked.first}-{asked.last}",
        header=HEADER,
        chunks=chunks_of_calls(asked.own()),
        make=lambda calls: [file_row(call) for call in calls],
    )


def render_own_usage(request: HttpRequest, member: Member) -> str:
    """The panel of /me/ with what the calls of this month came to; "" where there were none."""
    with timezone.override(zone_of(member.organization)):
        days = Days.of_month(today_in(member.organization).replace(day=1))
        asked = CallsAsked(organization=member.organization, first=days.first, last=days.last, member=member)
        sums: CallSums = sums_of_calls(asked.own())
        if not sums.calls:
            return ""
        return render_to_string("reports/my_usage_panel.html", {"member": member, "sums": sums, "days": days}, request)


def _asked(own: OrganizationRequest) -> tuple[Days, CallsAsked]:
    days = Days.read(own.organization, own.GET)
    return days, _of(own, days)


def _of(own: OrganizationRequest, days: Days) -> CallsAsked:
    return CallsAsked(organization=own.organization, first=days.first, last=days.last, member=own.member)
