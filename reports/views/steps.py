"""Ways from one report to another: a month on or back, and out of a department or a destination."""

from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext

from members.decorators import OrganizationRequest
from reports.asked import Days, Scope, today_in
from skypemgr.lists import Chip, change_query
from telephony.calls.rollups import following_month


def month_steps(request: OrganizationRequest, days: Days) -> dict[str, Any]:
    """What ``credit/month_steps.html`` takes; nothing when the days are no month."""
    if not days.whole:
        return {}

    def step(day: date) -> dict[str, Any]:
        return {"day": day, "url": change_query(request.GET, **{"month": f"{day:%Y-%m}", "from": "", "to": ""})}

    after = following_month(days.first)
    return {
        "month_before": step(days.first - timedelta(days=1)),
        "month_after": step(after) if after <= today_in(request.organization) else None,
    }


def scope_links(request: OrganizationRequest, scope: Scope) -> dict[str, Any]:
    """What the report is narrowed to, each with the same report without it, and what a form of days must carry."""
    chips = []
    if scope.department:
        text = gettext("{department}, directly") if scope.direct else "{department}"
        chips.append(Chip(text.format(department=scope.department.path), _without(request, "department", "direct")))
    if scope.none:
        chips.append(Chip(gettext("No department"), _without(request, "department")))
    if scope.destination is not None:
        chips.append(Chip(scope.destination, _without(request, "destination")))
    kept = [(key, value) for key, value in request.GET.items() if key not in ("month", "from", "to", "cursor")]
    return {"chips": chips, "kept": kept}


def _without(request: OrganizationRequest, *keys: str) -> str:
    return change_query(request.GET, **dict.fromkeys(keys, ""))
