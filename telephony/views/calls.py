"""Calls that wait: those that are nobody's, and those that no rate is known for."""

from datetime import UTC, date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.access import Capability
from members.decorators import OrganizationRequest, organization_view
from members.models import Organization
from skypemgr.forms import form_errors
from skypemgr.lists import read_number, read_text
from skypemgr.money import money
from skypemgr.templatetags.look import count
from telephony.forms.calls import GiveCallsForm, RerateForm
from telephony.selectors.call_queues import count_unassigned, count_unrated, list_unassigned, list_unrated
from telephony.services.call_queues import CHUNK, ResolvedCalls, assign_calls, rate_waiting_calls
from telephony.services.rerating import rerate_calls

VOICE = Capability.MANAGE_VOICE


@organization_view(VOICE)
@require_safe
def unassigned_calls(request: OrganizationRequest) -> HttpResponse:
    """Calls of accounts that name nobody, each with a way to say whose it is."""
    organization = request.organization
    give_url = reverse("telephony:give_calls", args=[organization.slug])
    rows = [(one, f"{give_url}?{_named(one.name, by_caller=one.by_caller)}") for one in list_unassigned(organization)]
    context = {"section": "calls", "subsection": "unassigned", "rows": rows, "total": count_unassigned(organization)}
    return render(request, "telephony/unassigned_calls.html", context)


@organization_view(VOICE)
@require_http_methods(["GET", "HEAD", "POST"])
def give_calls(request: OrganizationRequest) -> HttpResponse:
    """Give all calls of an account to a person."""
    organization, by_caller = request.organization, request.GET.get("by") == "caller"
    name = read_text(request.GET, "account")
    if not name and not by_caller:
        raise Http404
    form = GiveCallsForm(
        request.POST if request.method == "POST" else None, organization=organization, by_caller=by_caller
    )
    if form.is_valid():
        with form_errors(form):
            member = form.cleaned_data["person"]
            resolved = assign_calls(
                actor=request.actor,
                organization=organization,
                member=member,
                account=name,
                by_caller=by_caller,
                remember=form.cleaned_data.get("remember", False),
                most=CHUNK,
            )
            messages.success(request, _resolved(request, resolved, member.user.display_name))
            if resolved.more:
                return redirect(f"{request.path}?{_named(name, by_caller=by_caller)}")
            return redirect("telephony:unassigned_calls", organization.slug)
    context = {
        "section": "calls",
        "subsection": "unassigned",
        "form": form,
        "name": name,
        "by_caller": by_caller,
    }
    return render(request, "telephony/give_calls.html", context, status=422 if form.is_bound else 200)


@organization_view(VOICE)
@require_safe
def unrated_calls(request: OrganizationRequest) -> HttpResponse:
    """Calls to where no rate is known for, and a button to rate them again."""
    context = {
        "section": "calls",
        "subsection": "unrated",
        "rows": list_unrated(request.organization),
        "total": count_unrated(request.organization),
        "behind": read_number(request.GET, "behind"),
    }
    return render(request, "telephony/unrated_calls.html", context)


@organization_view(VOICE)
@require_POST
def rate_calls(request: OrganizationRequest) -> HttpResponse:
    """Rate them again, some thousands at a time."""
    resolved = rate_waiting_calls(
        actor=request.actor,
        organization=request.organization,
        behind=read_number(request.POST, "behind") or 0,
        most=CHUNK,
    )
    messages.success(request, _resolved(request, resolved))
    back = reverse("telephony:unrated_calls", args=[request.organization.slug])
    return redirect(f"{back}?behind={resolved.behind}" if resolved.more else back)


@organization_view(VOICE)
@require_http_methods(["GET", "HEAD", "POST"])
def rerate(request: OrganizationRequest) -> HttpResponse:
    """Rate the charged calls of some days again, some thousands at a time, or see first what would come of it."""
    organization = request.organization
    form = RerateForm(request.POST if request.method == "POST" else None, initial=_days_before(organization))
    context: dict[str, Any] = {"section": "calls", "subsection": "rerate", "form": form}
    if form.is_valid():
        with form_errors(form):
            tried = "try" in request.POST
            rerated = rerate_calls(
                actor=request.actor,
                organization=organization,
                first=form.cleaned_data["first"],
                last=form.cleaned_data["last"],
                behind=form.cleaned_data["behind"],
                most=CHUNK,
                dry_run=tried,
            )
            context |= {"rerated": rerated, "tried": tried}
            if rerated.behind and not tried:
                at, key = rerated.behind
                context["behind"] = f"{at.astimezone(UTC).replace(tzinfo=None).isoformat()}Z/{key}"
    return render(request, "telephony/rerate_calls.html", context, status=422 if form.errors else 200)


def _days_before(organization: Organization) -> dict[str, date]:
    """The first and the last day of the month before this one, there."""
    last = timezone.now().astimezone(ZoneInfo(organization.time_zone)).date().replace(day=1) - timedelta(days=1)
    return {"first": last.replace(day=1), "last": last}


def _named(name: str, *, by_caller: bool) -> str:
    return urlencode({"account": name, **({"by": "caller"} if by_caller else {})})


def _resolved(request: OrganizationRequest, resolved: ResolvedCalls, who: str = "") -> str:
    """What became of the calls, in a sentence or three."""
    if who:
        text = ngettext("{number} call is now of {who}.", "{number} calls are now of {who}.", resolved.calls)
    else:
        text = ngettext("{number} call has a rate now.", "{number} calls have a rate now.", resolved.calls)
    parts = [text.format(number=count(resolved.calls), who=who)]
    if resolved.charged:
        parts.append(gettext("{amount} charged.").format(amount=money(resolved.charged, request.organization.currency)))
    if resolved.more:
        parts.append(gettext("There are more: press the button again."))
    elif resolved.waiting:
        still = ngettext("{number} still has none.", "{number} still have none.", resolved.waiting)
        parts.append(still.format(number=count(resolved.waiting)))
    return " ".join(parts)
