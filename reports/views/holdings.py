"""What there is of licenses and numbers, how much of it is used, and what a month of it costs."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from members.access import Capability
from members.decorators import OrganizationRequest, organization_view
from members.downloads import download
from reports.selectors.holdings import NOTHING, Holding, list_number_groups, list_seats
from skypemgr.lists import read_choice
from skypemgr.row_files import FileKind
from telephony.models import NumberArea

VIEW = Capability.VIEW_REPORTS
HEADER = ("of", "name", "type", "owned", "assigned", "unused", "monthly", "monthly_unused")


@organization_view(VIEW)
@require_safe
def holdings(request: OrganizationRequest) -> HttpResponse:
    """Seats by product and numbers by country, as they are now."""
    organization = request.organization
    seats, numbers = list_seats(organization), list_number_groups(organization)
    manages = request.actor.can(Capability.MANAGE_VOICE)
    export_url = reverse("reports:holding_export", args=[organization.slug])
    every = [*seats, *numbers]
    context = {
        "section": "reports",
        "subsection": "holdings",
        "seats": seats,
        "seats_owned": sum(one.owned for one in seats),
        "seats_free": sum(one.free for one in seats),
        "numbers": [(one, NumberArea.Type(one.kind).label) for one in numbers],
        "numbers_owned": sum(one.owned for one in numbers),
        "numbers_free": sum(one.free for one in numbers),
        "monthly": sum((one.monthly for one in every), NOTHING),
        "unused": sum((one.unused for one in every), NOTHING),
        "manages": manages,
        "files": [(kind.upper(), f"{export_url}?format={kind}") for kind in FileKind],
    }
    return render(request, "reports/holdings.html", context)


@organization_view(VIEW)
@require_safe
def holding_export(request: OrganizationRequest) -> HttpResponseBase:
    """The same as a file."""
    organization = request.organization
    rows = [
        *_rows("license", list_seats(organization)),
        *_rows("number", list_number_groups(organization)),
    ]
    return download(
        request,
        VIEW,
        name="licenses-and-numbers",
        header=HEADER,
        chunks=[rows],
        make=lambda some: some,
        kind=FileKind(read_choice(request.GET, "format", list(FileKind), FileKind.CSV.value)),
    )


def _rows(of: str, some: Sequence[Holding]) -> list[tuple[Any, ...]]:
    return [(of, one.label, one.kind, one.owned, one.assigned, one.free, one.monthly, one.unused) for one in some]
