from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from members.access import Capability
from members.audit_texts import changes_text
from members.decorators import OrganizationRequest, organization_view
from members.downloads import download
from members.models import AuditEntry
from members.selectors.audit import AuditQuery
from members.selectors.audit_seals import check_newest, latest_seal
from members.views.audit_rows import audit_days, audit_row
from members.views.member_rows import options_markup
from skypemgr.lists import change_query


@organization_view(Capability.VIEW_AUDIT)
@require_safe
def entry_list(request: OrganizationRequest) -> HttpResponse:
    asked = AuditQuery.read(request.organization, request.GET)
    page = asked.page()
    context = {
        "section": "audit",
        "asked": asked,
        "filters": [(entry, options_markup(entry)) for entry in asked.filters],
        "page": page,
        "days": audit_days(page.rows),
        "export_url": reverse("members:audit_export", args=[request.organization.slug]) + change_query(request.GET),
    }
    return render(request, "members/audit_list.html", context)


@organization_view(Capability.VIEW_AUDIT)
@require_safe
def entry_export(request: OrganizationRequest) -> HttpResponseBase:
    header = [
        gettext("When"),
        gettext("Who"),
        gettext("What"),
        gettext("On whom"),
        gettext("Before"),
        gettext("After"),
        gettext("Reason"),
        gettext("From"),
    ]
    asked = AuditQuery.read(request.organization, request.GET)
    return download(
        request,
        Capability.VIEW_AUDIT,
        name="audit",
        header=header,
        chunks=asked.chunks(),
        make=lambda entries: map(_export_row, entries),
    )


def _export_row(entry: AuditEntry) -> list[str]:
    row = audit_row(entry)
    return [
        timezone.localtime(entry.at).isoformat(sep=" ", timespec="seconds"),
        row.actor,
        row.action,
        row.subject,
        changes_text(row.changes, after=False),
        changes_text(row.changes, after=True),
        entry.reason,
        row.origin,
    ]


@organization_view(Capability.VIEW_AUDIT)
@require_safe
def verification(request: OrganizationRequest) -> HttpResponse:
    """Whether the log still is what was sealed; computed when it is asked for."""
    context = {
        "section": "audit",
        "latest": latest_seal(request.organization),
        "checked": check_newest(request.organization) if request.GET.get("check") == "1" else None,
    }
    return render(request, "members/audit_verification.html", context)
