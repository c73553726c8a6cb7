"""Saved reports: their list, and how each of them is called and sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, When
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.access import Capability
from members.decorators import OrganizationRequest, organization_view
from members.models import Department
from members.notices import who_may_be_told
from members.selectors.departments import list_departments
from members.tenures import know_predecessors
from reports.asked import Asked, Days, today_in
from reports.forms.saved import SavedReportForm
from reports.models import SavedReport
from reports.saved import asked_by, may_change, path_of, query_to_save
from reports.services.saved_reports import (
    MOST_READERS,
    ReportWish,
    change_report,
    delete_report,
    save_report,
    stop_report,
)
from reports.tables import CutReport, cut_report
from reports.views.report import TABS
from skypemgr.forms import form_errors

VIEW = Capability.VIEW_REPORTS
HERE = {"section": "reports", "subsection": "saved"}
Sent = SavedReport.Sent


@dataclass(frozen=True)
class SavedLine:
    """A saved report as the list shows it."""

    saved: SavedReport
    title: str
    about: str
    url: str
    readers: int
    mine: bool
    may_change: bool


@organization_view(VIEW)
@require_safe
def saved_list(request: OrganizationRequest) -> HttpResponse:
    """Every saved report of the organization, by name; there are a hundred at most."""
    found = list(
        SavedReport.objects.filter(organization=request.organization)
        .select_related("saved_by__user", "saved_by__organization")
        .prefetch_related("readers")
        .order_by("name", "pk")
    )
    know_predecessors(saved.saved_by for saved in found)
    tree = list_departments(request.organization)
    lines = [_line(request, saved, tree) for saved in found]
    return render(request, "reports/saved_list.html", {**HERE, "lines": lines})


@organization_view(VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def report_save(request: OrganizationRequest, name: str) -> HttpResponse:
    """Save the report that the address asks for."""
    report = cut_report(name)
    asked = Asked.read(request.organization, request.GET, report.cuts)
    about = _about(report, asked)
    initial = {
        "key": uuid4(),
        "name": f"{report.title}, {about}" if about else report.title,
        "sent": Sent.MONTHLY,
        "readers": [request.member.pk],
    }
    form = _form(request, initial)
    if form.is_valid():
        with form_errors(form):
            saved = save_report(
                actor=request.actor,
                organization=request.organization,
                report=name,
                query=query_to_save(request.GET),
                wish=_wish(form),
                key=form.cleaned_data["key"] or uuid4(),
            )
            messages.success(request, _happened(saved))
            return redirect("reports:saved_list", request.organization.slug)
    context = {**HERE, "form": form, "title": report.title, "about": about}
    return render(request, "reports/saved_form.html", context, status=422 if form.is_bound else 200)


@organization_view(VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def saved_change(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Call it otherwise, or send it otherwise."""
    saved = _find(request, pk)
    initial = {
        "name": saved.name,
        "sent": saved.sent,
        "format": saved.format,
        "readers": list(saved.readers.values_list("member", flat=True)),
    }
    form = _form(request, initial)
    if form.is_valid():
        with form_errors(form):
            change_report(actor=request.actor, organization=request.organization, saved=saved, wish=_wish(form))
            saved.refresh_from_db()
            messages.success(request, _happened(saved))
            return redirect("reports:saved_list", request.organization.slug)
    found = asked_by(request.organization, saved, Days.of_month(today_in(request.organization).replace(day=1)))
    context = {
        **HERE,
        "form": form,
        "saved": saved,
        "title": cut_report(saved.report).title,
        "about": _about(*found) if found else "",
    }
    return render(request, "reports/saved_form.html", context, status=422 if form.is_bound else 200)


@organization_view(VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def saved_delete(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Say what it means to delete a saved report, and do it."""
    saved = _find(request, pk)
    if request.method == "POST":
        delete_report(actor=request.actor, organization=request.organization, saved=saved)
        messages.success(request, gettext("“{name}” is deleted.").format(name=saved.name))
        return redirect("reports:saved_list", request.organization.slug)
    context = {**HERE, "saved": saved, "number": saved.readers.count()}
    return render(request, "reports/saved_delete.html", context)


@organization_view(VIEW)
@require_POST
def saved_stop(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Get a report no more."""
    saved = get_object_or_404(SavedReport, organization=request.organization, pk=pk)
    stop_report(actor=request.actor, organization=request.organization, saved=saved)
    messages.success(request, gettext("“{name}” is not sent to you any more.").format(name=saved.name))
    return redirect("reports:saved_list", request.organization.slug)


def _find(request: OrganizationRequest, pk: int) -> SavedReport:
    saved = get_object_or_404(SavedReport, organization=request.organization, pk=pk)
    if not may_change(request.actor, saved):
        raise PermissionDenied
    return saved


def _form(request: OrganizationRequest, initial: dict[str, Any]) -> SavedReportForm:
    """With those who are chosen first, so that nobody falls off a list that is longer than a page."""
    chosen = Case(When(pk__in=initial["readers"], then=0), default=1)
    people = who_may_be_told(request.organization, VIEW).order_by(chosen, "user__last_name", "user__first_name", "pk")
    return SavedReportForm(
        request.POST if request.method == "POST" else None, initial=initial, people=list(people[:MOST_READERS])
    )


def _wish(form: SavedReportForm) -> ReportWish:
    data = form.cleaned_data
    return ReportWish(data["name"], data["sent"], data["format"], data["readers"])


def _happened(saved: SavedReport) -> str:
    if saved.sent == Sent.NEVER:
        return gettext("“{name}” is saved.").format(name=saved.name)
    return gettext("“{name}” is saved. The first letter comes the next time it is due.").format(name=saved.name)


def _line(request: OrganizationRequest, saved: SavedReport, tree: Sequence[Department]) -> SavedLine:
    days = Days.of_month(today_in(request.organization).replace(day=1))
    found = asked_by(request.organization, saved, days, tree)
    readers = {reader.member_id for reader in saved.readers.all()}
    return SavedLine(
        saved=saved,
        title=str(cut_report(saved.report).title),
        about=_about(*found) if found else gettext("A department that is gone"),
        url=path_of(request.organization, saved) if found else "",
        readers=len(readers),
        mine=request.member.pk in readers,
        may_change=may_change(request.actor, saved),
    )


def _about(report: CutReport, asked: Asked) -> str:
    """By what the report is cut and to what it is narrowed, in short."""
    parts = [str(TABS[asked.cut])] if len(report.cuts) > 1 else []
    if asked.scope.department:
        parts.append(asked.scope.department.path)
    if asked.scope.none:
        parts.append(gettext("No department"))
    if asked.scope.destination:
        parts.append(asked.scope.destination)
    return ", ".join(parts)
