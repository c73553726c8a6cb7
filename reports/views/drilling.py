"""From a figure of a report to what it is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.urls import reverse

from members.access import Capability
from members.decorators import OrganizationRequest
from members.selectors.departments import list_departments
from reports.asked import Asked, Cut
from reports.tables import COMPANY, CutReport, ReportRow
from skypemgr.lists import change_query
from telephony.models import Call

# Reports that are made of calls, wholly or besides fees.
OF_CALLS = ("usage", "spending")


@dataclass
class Drill:
    """Where the rows of a report are opened up."""

    request: OrganizationRequest
    report: CutReport
    asked: Asked
    _parents: frozenset[int | None] = field(default=frozenset(), init=False)

    def __post_init__(self) -> None:
        if self.asked.cut == Cut.DEPARTMENT:
            tree = self.asked.scope.tree or list_departments(self.request.organization)
            self._parents = frozenset(department.parent_id for department in tree)

    def url_of(self, row: ReportRow) -> str:
        """The same report, or another, about what a row is of; "" where nothing says more."""
        if row.key == COMPANY:
            return self._wallet(kind="fee")
        match self.asked.cut:
            case Cut.DEPARTMENT:
                return self._of_department(row)
            case Cut.DESTINATION:
                return self._same(destination=str(row.key), by=Cut.MEMBER.value) if row.key else ""
            case Cut.MEMBER:
                return self._of_member(row)
            case Cut.DAY:
                return self._of_day(row)
        return ""

    def _of_department(self, row: ReportRow) -> str:
        if row.key is None:
            return self._same(department="none", by=Cut.MEMBER.value)
        if not row.values[str(Cut.DEPARTMENT)]:
            return ""
        top = self.asked.scope.department
        if top is not None and top.pk == row.key:
            return self._same(direct="1", by=Cut.MEMBER.value)
        deeper = Cut.DEPARTMENT if row.key in self._parents else Cut.MEMBER
        return self._same(department=str(row.key), by=deeper.value)

    def _of_member(self, row: ReportRow) -> str:
        name = row.values[str(Cut.MEMBER)]
        if self.report.name in OF_CALLS:
            return self._calls(member=name) if name else self._calls(outcome=Call.Outcome.UNASSIGNED.value)
        if name and self.request.actor.can(Capability.MANAGE_CREDIT):
            return self._statement("credit:member_statement", name)
        return ""

    def _of_day(self, row: ReportRow) -> str:
        day = {"month": "", "from": str(row.key), "to": str(row.key)}
        if self.report.name == "usage":
            return self._calls(**day)
        if self.report.name == "purchases":
            return self._wallet(kind="purchase", **day)
        return self._same(by=Cut.MEMBER.value, **day)

    def _same(self, **changes: str) -> str:
        return change_query(self.request.GET, **changes)

    def _calls(self, **changes: str) -> str:
        return calls_url(self.request, **changes)

    def _wallet(self, **changes: str) -> str:
        if not self.request.actor.can(Capability.MANAGE_CREDIT):
            return ""
        return self._statement("credit:wallet_statement", **changes)

    def _statement(self, url_name: str, *names: str, **changes: str) -> str:
        """A statement of the same days."""
        days = self.asked.days
        span = {"month": f"{days.first:%Y-%m}"} if days.whole else {"from": str(days.first), "to": str(days.last)}
        gone: Mapping[str, str] = dict.fromkeys(("by", "department", "direct", "destination", "member"), "")
        query = change_query(self.request.GET, **{**gone, **span, **changes})
        return reverse(url_name, args=[self.request.organization.slug, *names]) + query


def calls_url(request: OrganizationRequest, **changes: str) -> str:
    """The calls themselves, of what the report is about."""
    return reverse("reports:call_list", args=[request.organization.slug]) + change_query(
        request.GET, **{"by": "", **changes}
    )
