"""Single calls: those behind a figure of a report, and why each of them costs what it costs."""

from dataclasses import dataclass, replace
from datetime import UTC, date
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from members.access import Capability
from members.decorators import OrganizationRequest, organization_view
from members.downloads import download
from members.models import Member
from reports.asked import Cut, Days, Scope
from reports.selectors.usage import Usage, usage_by
from reports.views.steps import month_steps, scope_links
from skypemgr.lists import Chip, change_query, read_choice, read_text
from telephony.calls.explaining import explain_call
from telephony.models import Call
from telephony.phone_numbers import shown_number
from telephony.product_names import name_of
from telephony.selectors.calls import (
    CallsAsked,
    CallSums,
    chunks_of_calls,
    find_call,
    is_private,
    page_of_calls,
    sums_of_calls,
)
from telephony.services.call_detail import note_look

VIEW = Capability.VIEW_REPORTS
# What finance asks for; any other outcome is asked for by the address alone.
TABS = (Call.Outcome.RATED, Call.Outcome.COVERED, Call.Outcome.UNRATED, Call.Outcome.UNASSIGNED)
HEADER = (
    *("at", "skype_name", "direction", "from", "to", "country", "destination", "seconds", "billed_seconds"),
    *("outcome", "plan", "price", "charge"),
)


@dataclass(frozen=True)
class CallLine:
    """A call as a list shows it: whose it is, with whom, and the way to its page."""

    call: Call
    name: str
    other: str
    url: str = ""

    @property
    def lasted(self) -> str:
        """Minutes and seconds: 1:05."""
        return f"{self.call.seconds // 60}:{self.call.seconds % 60:02}"

    @property
    def note(self) -> str:
        """Why it cost nothing, or nothing when it did cost something."""
        if self.call.outcome == Call.Outcome.COVERED:
            return name_of(self.call.plan)
        return "" if self.call.outcome == Call.Outcome.RATED else self.call.get_outcome_display()


@organization_view(VIEW)
@require_safe
def call_list(request: OrganizationRequest) -> HttpResponse:
    """Calls of some days, the newest first. That somebody looked at them is noted."""
    asked, scope = _read(request)
    _note(request, asked)
    page = page_of_calls(asked.shown(), request.GET)
    links = scope_links(request, scope)
    if asked.member is not None:
        links["chips"].append(Chip(asked.member.user.display_name, change_query(request.GET, member="")))
    days = Days.read(request.organization, request.GET)
    context = {
        "section": "reports",
        "subsection": "calls",
        "days": days,
        "page": page,
        "lines": [line_of(call, call_url(request, call)) for call in page.rows],
        "sums": _sums(asked),
        "private": asked.number_private(),
        "tabs": _tabs(request, asked.outcome),
        "with_people": asked.member is None,
        **month_steps(request, days),
        **links,
        "export_url": reverse("reports:call_export", args=[request.organization.slug]) + change_query(request.GET),
    }
    return render(request, "reports/calls.html", context)


@organization_view(VIEW)
@require_safe
def call_export(request: OrganizationRequest) -> HttpResponseBase:
    """The same calls as a file, all of them."""
    asked, _scope = _read(request)
    _note(request, asked)
    return download(
        request,
        VIEW,
        name=f"calls-{asked.first}-{asked.last}",
        header=HEADER,
        chunks=chunks_of_calls(asked.shown()),
        make=lambda calls: [file_row(call) for call in calls],
    )


@organization_view(VIEW)
@require_safe
def call(request: OrganizationRequest, day: date, key: int) -> HttpResponse:
    """One call, and how its price came about."""
    found = find_call(request.organization, day, key)
    if found is None or is_private(found, administrator=_is_administrator(request)):
        raise Http404
    note_look(
        actor=request.actor,
        organization=request.organization,
        first=found.day,
        last=found.day,
        member=found.member,
    )
    context = {
        "section": "reports",
        "subsection": "calls",
        "back_url": reverse("reports:call_list", args=[request.organization.slug])
        + f"?from={found.day}&to={found.day}",
        **facts_of_call(found),
    }
    return render(request, "reports/call.html", context)


def _note(request: OrganizationRequest, asked: CallsAsked) -> None:
    """Write down that somebody looks at calls."""
    note_look(
        actor=request.actor,
        organization=request.organization,
        first=asked.first,
        last=asked.last,
        member=asked.member,
    )


def facts_of_call(call: Call) -> dict[str, Any]:
    """What ``reports/call_facts.html`` takes."""
    return {"line": line_of(call), "lines": explain_call(call)}


def line_of(call: Call, url: str = "") -> CallLine:
    incoming = call.direction == Call.Direction.INBOUND
    other = call.caller if incoming else (shown_number(f"+{call.digits}") if call.digits else call.called)
    if call.member is None:
        return CallLine(call, call.account or call.caller, other, url)
    return CallLine(call, call.member.name_at(call.at), other, url)


def file_row(call: Call) -> tuple[Any, ...]:
    """A call as a file has it, below HEADER: moments in UTC, plain decimals."""
    return (
        call.at.astimezone(UTC).isoformat(),
        call.member.user.skype_name if call.member else "",
        call.direction,
        call.caller,
        call.called,
        call.country,
        call.destination,
        call.seconds,
        call.billed_seconds,
        call.outcome,
        call.plan,
        "" if call.price is None else call.price,
        call.charge,
    )


def _read(request: OrganizationRequest) -> tuple[CallsAsked, Scope]:
    organization, query = request.organization, request.GET
    days, scope = Days.read(organization, query), Scope.read(organization, query)
    asked = CallsAsked(
        organization=organization,
        first=days.first,
        last=days.last,
        departments=scope.departments,
        destination=scope.destination,
        outcome=read_choice(query, "outcome", Call.Outcome.values, ""),
        administrator=_is_administrator(request),
    )
    if name := read_text(query, "member"):
        member = Member.objects.of(organization).filter(user__skype_name=name).select_related("user").first()
        if member is None:
            raise Http404
        asked = replace(asked, member=member)
    return asked, scope


def _sums(asked: CallsAsked) -> CallSums | None:
    """What the calls come to, those that nobody else may see among them; None where it would have to be counted."""
    if asked.member is not None:
        return sums_of_calls(asked.all())
    if asked.outcome:
        return None
    found = usage_by(
        asked.organization,
        first=asked.first,
        last=asked.last,
        cut=Cut.ORGANIZATION,
        departments=asked.departments,
        destination=asked.destination,
    )
    usage = sum(found.all().values(), Usage())
    return CallSums(usage.calls, usage.seconds, usage.cost)


def _is_administrator(request: OrganizationRequest) -> bool:
    return request.actor.can(Capability.MANAGE_ORGANIZATION)


def _tabs(request: OrganizationRequest, chosen: str) -> list[dict[str, Any]]:
    tabs = [("", pgettext("calls", "All")), *((value, label) for value, label in Call.Outcome.choices if value in TABS)]
    return [
        {"label": label, "url": change_query(request.GET, outcome=value), "current": value == chosen}
        for value, label in tabs
    ]


def call_url(request: OrganizationRequest, call: Call) -> str:
    """The page of one call."""
    return reverse("reports:call", args=[request.organization.slug, call.at.astimezone(UTC).date(), call.id])
