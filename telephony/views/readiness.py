"""Everybody who could not be found in an emergency, why, and where that is mended."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_safe

from credit.gateways.pdf import PdfUnavailable, make_pdf
from members.access import Capability
from members.decorators import OrganizationRequest
from members.downloads import download
from members.models import Member
from skypemgr.attachments import attachment
from skypemgr.lists import change_query, read_choice
from skypemgr.row_files import FileKind
from telephony.decorators import voice_view
from telephony.selectors.readiness import (
    NO_ADDRESS,
    NO_DISCLAIMER,
    NO_PLACE,
    NOT_VALIDATED,
    REASONS,
    NotReady,
    Readiness,
)

VOICE = Capability.MANAGE_VOICE
PDF = "pdf"
# More are for a spreadsheet: a page of them takes a second to set.
MOST_PRINTED = 2_000


@voice_view(VOICE)
@require_safe
def readiness(request: OrganizationRequest) -> HttpResponse:
    organization = request.organization
    asked = Readiness.read(organization, request.GET)
    page = asked.page()
    export_url = reverse("telephony:readiness_export", args=[organization.slug])
    context = {
        "section": "voice",
        "subsection": "readiness",
        "asked": asked,
        "page": page,
        "rows": [
            (one, [REASONS[reason] for reason in one.reasons], *_way_out(organization.slug, one))
            for one in asked.explain(page.rows)
        ],
        "files": [(kind.upper(), export_url + change_query(request.GET, format=kind)) for kind in (*FileKind, PDF)],
        "no_pdf": "no-pdf" in request.GET,
    }
    return render(request, "telephony/readiness.html", context)


@voice_view(VOICE)
@require_safe
def readiness_export(request: OrganizationRequest) -> HttpResponseBase:
    """The same people as a file, all of them: for a spreadsheet, or to print."""
    asked = Readiness.read(request.organization, request.GET)
    header = [
        gettext("Skype Name"),
        gettext("Name"),
        gettext("E-mail"),
        gettext("Department"),
        gettext("State"),
        gettext("Phone number"),
        gettext("Emergency address"),
        gettext("Reason"),
    ]

    def rows(members: Sequence[Member]) -> list[Sequence[Any]]:
        return [_file_row(one) for one in asked.explain(members)]

    kind = read_choice(request.GET, "format", [*FileKind, PDF], FileKind.CSV.value)
    if kind == PDF:
        try:
            content = _paper(request, header, [row for members in asked.chunks() for row in rows(members)])
        except PdfUnavailable:
            back = reverse("telephony:readiness", args=[request.organization.slug])
            return redirect(back + change_query(request.GET, format="", **{"no-pdf": "1"}))
        file_name = f"{request.organization.slug}-readiness.pdf"
        return attachment(content, file_name=file_name, content_type="application/pdf")
    return download(
        request, VOICE, name="readiness", header=header, chunks=asked.chunks(), make=rows, kind=FileKind(kind)
    )


def _paper(request: OrganizationRequest, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """As reports are printed. Raises PdfUnavailable."""
    context = {
        "organization": request.organization,
        "report": {"title": gettext("Emergency readiness")},
        "columns": columns,
        "rows": rows[:MOST_PRINTED],
        "more": len(rows) - MOST_PRINTED,
        "language": get_language(),
    }
    css = render_to_string("reports/report_pdf.css")
    return make_pdf(render_to_string("reports/report_pdf.html", context), css=css)


def _file_row(one: NotReady) -> Sequence[Any]:
    member, has = one.member, one.assignment
    return [
        member.user.skype_name,
        member.user.display_name,
        member.email,
        member.department.path if member.department else "",
        member.get_state_display(),
        # A spreadsheet would take one with its plus for a sum.
        has.number.digits if has else "",
        has.emergency_address.name if has else "",
        "; ".join(str(REASONS[reason]) for reason in one.reasons),
    ]


def _way_out(slug: str, one: NotReady) -> tuple[str, str]:
    """What mends the first reason: the text of a button, and where it leads."""
    first, has = one.reasons[0] if one.reasons else "", one.assignment
    if has is not None and first == NO_DISCLAIMER:
        url = reverse("emergency:disclaimer_detail", args=[slug, has.emergency_address.country])
        return gettext("Read and accept"), url
    if has is not None and first in (NO_ADDRESS, NOT_VALIDATED):
        return gettext("Open the address"), reverse("emergency:address_detail", args=[slug, has.emergency_address_id])
    if has is not None and first == NO_PLACE:
        return gettext("Choose a place"), reverse("telephony:member_where", args=[slug, one.member.user.skype_name])
    if has is not None:
        return gettext("Open the phone number"), reverse(
            "telephony:member_phone", args=[slug, one.member.user.skype_name]
        )
    return gettext("Assign a number"), reverse("telephony:assign", args=[slug]) + f"?member={one.member.pk}"
