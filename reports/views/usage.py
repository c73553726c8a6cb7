"""What calls cost: by department, person, destination or day, a month at a time or from day to day."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from credit.selectors.spans import first_day, read_month, zone_of
from members.access import Capability
from members.decorators import OrganizationRequest, organization_view
from members.downloads import download
from members.models import Department
from members.selectors.departments import list_departments, subtree
from reports.selectors.usage import Cut, UsageReport, UsageRow, usage_report
from skypemgr.lists import change_query, read_choice, read_day
from skypemgr.templatetags.look import day as written_day
from telephony.calls.rollups import following_month

VIEW = Capability.VIEW_REPORTS
# What is beyond is in the file.
MOST_SHOWN = 100
# No report goes over more at once.
LONGEST = timedelta(days=3_660)
CUTS = {
    Cut.DEPARTMENT: _("Departments"),
    Cut.MEMBER: _("People"),
    Cut.DESTINATION: _("Destinations"),
    Cut.DAY: _("Days"),
}
HEADINGS = {
    Cut.DEPARTMENT: _("Department"),
    Cut.MEMBER: _("Person"),
    Cut.DESTINATION: _("Destination"),
    Cut.DAY: _("Day"),
}


@dataclass(frozen=True)
class Asked:
    """What the address of a report asks for. ``whole`` is set when the days are just those of a month."""

    first: date
    last: date
    cut: Cut
    department: Department | None
    departments: list[int] | None
    whole: bool

    @classmethod
    def read(cls, request: OrganizationRequest) -> "Asked":
        """Nonsense is left out: then it is the present month, and departments."""
        query = request.GET
        today = timezone.now().astimezone(zone_of(request.organization)).date()
        month = read_month(request.organization, query)
        first, last = read_day(query, "from"), read_day(query, "to")
        whole = month is not None or first is None or last is None or not first <= last <= first + LONGEST
        if whole:
            first = first_day(month) if month else today.replace(day=1)
            last = following_month(first) - timedelta(days=1)
        assert first is not None
        assert last is not None
        department = _department(request)
        within = None
        if department is not None:
            within = [one.pk for one in subtree(list_departments(request.organization), department)]
        cut = Cut(read_choice(query, "by", [cut.value for cut in CUTS], Cut.DEPARTMENT.value))
        return cls(first, last, cut, department, within, whole)

    def before(self) -> tuple[date, date]:
        """The days that lie right before: the month, or as many days."""
        last = self.first - timedelta(days=1)
        return (last.replace(day=1) if self.whole else self.first - (self.last - self.first) - timedelta(days=1)), last

    def report(self, request: OrganizationRequest) -> UsageReport:
        return usage_report(
            request.organization, first=self.first, last=self.last, cut=self.cut, departments=self.departments
        )


@dataclass(frozen=True)
class Line:
    """A row of the page, and where its figures are opened up; "" where they are not."""

    label: str
    row: UsageRow
    url: str = ""

    @property
    def minutes(self) -> int:
        """Begun minutes."""
        return -(-self.row.usage.seconds // 60)


@organization_view(VIEW)
@require_safe
def usage(request: OrganizationRequest) -> HttpResponse:
    """What calls came to, with what they came to before."""
    asked = Asked.read(request)
    report = asked.report(request)
    first, last = asked.before()
    before = usage_report(
        request.organization, first=first, last=last, cut=Cut.ORGANIZATION, departments=asked.departments
    )
    lines = [_line(request, asked, row) for row in report.rows[:MOST_SHOWN]]
    context = {
        "section": "reports",
        "subsection": "usage",
        "asked": asked,
        "heading": HEADINGS[asked.cut],
        "tabs": [_tab(request, asked, cut) for cut in CUTS],
        "total": report.total,
        "minutes": -(-report.total.seconds // 60),
        "before": before.total,
        "lines": lines,
        "more": len(report.rows) - len(lines),
        **_steps(request, asked),
        "everywhere_url": request.path + change_query(request.GET, department=""),
        "export_url": f"{reverse('reports:usage_export', args=[request.organization.slug])}?{request.GET.urlencode()}",
    }
    return render(request, "reports/usage.html", context)


@organization_view(VIEW)
@require_safe
def usage_export(request: OrganizationRequest) -> HttpResponseBase:
    """The same lines as a file, all of them."""
    asked = Asked.read(request)
    rows = asked.report(request).rows
    return download(
        request,
        VIEW,
        name=f"usage-{asked.first}-{asked.last}",
        header=[str(asked.cut), "calls", "seconds", "cost"],
        chunks=[rows],
        make=lambda some: [
            (_label(asked.cut, row), row.usage.calls, row.usage.seconds, row.usage.cost) for row in some
        ],
    )


def _department(request: OrganizationRequest) -> Department | None:
    key = request.GET.get("department", "")
    if not (key.isascii() and key.isdigit() and len(key) < 19):
        return None
    return get_object_or_404(Department, organization=request.organization, pk=int(key))


def _label(cut: Cut, row: UsageRow) -> str:
    if row.label:
        return row.label
    if cut == Cut.DEPARTMENT:
        return gettext("No department") if row.key is None else gettext("A department that is gone")
    return gettext("Nobody’s") if cut == Cut.MEMBER else gettext("Without a destination")


def _line(request: OrganizationRequest, asked: Asked, row: UsageRow) -> Line:
    if asked.cut == Cut.DAY:
        return Line(written_day(row.key), row)
    url = ""
    if asked.cut == Cut.DEPARTMENT and row.label:
        url = change_query(request.GET, department=str(row.key), by=Cut.MEMBER.value)
    elif asked.cut == Cut.MEMBER and row.label and request.actor.can(Capability.VIEW_MEMBERS):
        url = reverse("members:member_profile", args=[request.organization.slug, row.label])
    return Line(_label(asked.cut, row), row, url)


def _tab(request: OrganizationRequest, asked: Asked, cut: Cut) -> dict[str, Any]:
    return {
        "label": CUTS[cut],
        "url": change_query(request.GET, by=cut.value),
        "current": cut == asked.cut,
    }


def _steps(request: OrganizationRequest, asked: Asked) -> dict[str, Any]:
    if not asked.whole:
        return {}

    def step(day: date) -> dict[str, Any]:
        query = change_query(request.GET, **{"month": f"{day:%Y-%m}", "from": "", "to": ""})
        return {"day": day, "url": query}

    today = timezone.now().astimezone(zone_of(request.organization)).date()
    after = following_month(asked.first)
    return {
        "month_before": step(asked.first - timedelta(days=1)),
        "month_after": step(after) if after <= today else None,
    }
