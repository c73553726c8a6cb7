from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_safe

from credit.alerts import find_alerts
from credit.wallet_summary import wallet_summary
from members.access import Capability
from members.decorators import OrganizationRequest, organization_view
from members.models import Organization
from members.registry import ChecklistItem, registry
from reports.selectors.overview import Attention, count_members, list_attention, list_recent_changes
from telephony.license_alerts import find_unpaid
from telephony.selectors.licenses import shows_voice
from telephony.selectors.readiness import readiness_of


@organization_view(Capability.OPEN_CONSOLE)
@require_safe
def overview(request: OrganizationRequest) -> HttpResponse:
    """Where an organization stands, and what to do next."""
    steps = _steps(request)
    context = {
        "section": "overview",
        "today": timezone.localdate(),
        "can_add": request.actor.can(Capability.MANAGE_MEMBERS),
        "wallet": wallet_summary(request.organization) if request.actor.can(Capability.MANAGE_CREDIT) else None,
        "members": count_members(request.organization),
        "steps": steps,
        "steps_done": sum(step["done"] for step in steps),
        "attention": _attention(request),
        "recent": list_recent_changes(request.organization) if request.actor.can(Capability.VIEW_AUDIT) else [],
    }
    return render(request, "reports/overview.html", context)


def _attention(request: OrganizationRequest) -> list[Attention]:
    found = list_attention(request.organization)
    if request.actor.can(Capability.MANAGE_CREDIT):
        alerts = find_alerts(request.organization)
    else:
        alerts = find_unpaid(request.organization) if request.actor.can(Capability.MANAGE_VOICE) else []
    found += [Attention(alert.icon, alert.tone, alert.title, alert.note, alert.url) for alert in alerts]
    if request.actor.can(Capability.MANAGE_VOICE) and shows_voice(request.organization):
        found += _readiness(request.organization)
    return found


def _readiness(organization: Organization) -> list[Attention]:
    """Those who could not be found in an emergency, if there are any."""
    total = readiness_of(organization).total
    if not total.number:
        return []
    title = ngettext(
        "{total} person could not be found in an emergency",
        "{total} people could not be found in an emergency",
        total.number,
    )
    url = reverse("telephony:readiness", args=[organization.slug])
    return [Attention("warning", "danger", title.format(total=total), gettext("See who, and why"), url)]


def _steps(request: OrganizationRequest) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = []
    for item in registry.all(ChecklistItem):
        if not (request.actor.can(item.capability) and item.visible(request.organization)):
            continue
        done, note = item.state(request.organization)
        is_next = not done and all(step["done"] for step in steps)
        steps.append(
            {
                "key": item.key,
                "label": item.label,
                "note": note,
                "done": done,
                "is_next": is_next,
                "action_label": item.action_label,
                "url": item.url(request.organization),
            }
        )
    return steps
