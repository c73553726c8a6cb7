from datetime import timedelta
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
from reports.charts import line_chart
from reports.selectors.overview import Attention, count_members, list_attention, list_recent_changes
from reports.selectors.present_month import present_month
from skypemgr.lists import count_up_to
from skypemgr.money import money, places_of
from skypemgr.templatetags.look import change, short_day
from skypemgr.templatetags.look import month as written_month
from telephony.license_alerts import find_unpaid
from telephony.models import PhoneNumber
from telephony.selectors.call_queues import count_unassigned, count_unrated
from telephony.selectors.licenses import count_seats, shows_voice
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
        "spending": _spending(request.organization) if request.actor.can(Capability.VIEW_REPORTS) else None,
        "seats": _seats(request),
        "members": count_members(request.organization),
        "steps": steps,
        "steps_done": sum(step["done"] for step in steps),
        "attention": _attention(request),
        "recent": list_recent_changes(request.organization) if request.actor.can(Capability.VIEW_AUDIT) else [],
    }
    return render(request, "reports/overview.html", context)


def _spending(organization: Organization) -> dict[str, Any] | None:
    """What calls cost this month beside the month before; None where none did in either."""
    month = present_month(organization)
    if not (month.cost or month.month_before):
        return None
    currency = organization.currency
    cost, before = (money(amount, currency, most=places_of(currency)) for amount in (month.cost, month.cost_before))
    label = gettext("Calls cost {cost} this month up to today, and {before} on the same days of the month before.")
    return {
        "cost": cost,
        "cost_now": month.cost,
        "before": before,
        "change": change(month.cost, month.cost_before),
        "now": written_month(month.first),
        "then": written_month(month.first - timedelta(days=1)),
        "label": label.format(cost=cost, before=before),
        "chart": line_chart(
            month.now,
            month.before,
            points=month.days,
            name=lambda place: short_day(month.first + timedelta(days=place)),
            height=160,
        ),
    }


def _seats(request: OrganizationRequest) -> dict[str, Any] | None:
    """How many licenses and numbers there are, and how many of them nobody has; None where there are none."""
    if not request.actor.can(Capability.MANAGE_VOICE):
        return None
    organization = request.organization
    seats = count_seats(organization).values()
    numbers = PhoneNumber.objects.of(organization)
    owned = count_up_to(numbers)
    if not seats and not owned.number:
        return None
    return {
        "licenses": sum(one.owned for one in seats),
        "licenses_free": sum(one.free for one in seats),
        "numbers": owned,
        "numbers_free": count_up_to(numbers.unassigned()),
        "voice": shows_voice(organization),
    }


def _attention(request: OrganizationRequest) -> list[Attention]:
    found = list_attention(request.organization)
    if request.actor.can(Capability.MANAGE_CREDIT):
        alerts = find_alerts(request.organization)
    else:
        alerts = find_unpaid(request.organization) if request.actor.can(Capability.MANAGE_VOICE) else []
    found += [Attention(alert.icon, alert.tone, alert.title, alert.note, alert.url) for alert in alerts]
    if request.actor.can(Capability.MANAGE_VOICE):
        found += _calls(request.organization)
    if request.actor.can(Capability.MANAGE_VOICE) and shows_voice(request.organization):
        found += _readiness(request.organization)
    return found


def _calls(organization: Organization) -> list[Attention]:
    """Calls that nothing can be charged for yet, if there are any."""
    found = []
    if (nobodys := count_unassigned(organization)).number:
        title = ngettext("{total} call is nobody’s", "{total} calls are nobody’s", nobodys.number)
        url = reverse("telephony:unassigned_calls", args=[organization.slug])
        found.append(Attention("person", "warning", title.format(total=nobodys), gettext("Say whose they are"), url))
    if (unrated := count_unrated(organization)).number:
        title = ngettext("{total} call has no rate", "{total} calls have no rate", unrated.number)
        url = reverse("telephony:unrated_calls", args=[organization.slug])
        found.append(Attention("hash", "warning", title.format(total=unrated), gettext("See where to"), url))
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
