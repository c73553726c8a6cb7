"""Numbers for many people by a CSV file: every row is shown as it would be, then all of them get theirs, or nobody."""

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.core import signing
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.access import Capability
from members.decorators import OrganizationRequest
from members.models import Member
from skypemgr.forms import form_errors, told_refusals
from skypemgr.row_files import file_response
from skypemgr.templatetags.look import count
from telephony.assigning import Pairing
from telephony.assignment_errors import FileOutdated
from telephony.assignment_file import COLUMNS, AssignmentFile, check_assignments
from telephony.decorators import voice_view
from telephony.forms.assignment_files import AssignmentFileForm
from telephony.models import EmergencyAddress, PhoneNumber, Place
from telephony.services.assignments import assign_numbers
from telephony.validated import DAY

VOICE = Capability.MANAGE_VOICE


@voice_view(VOICE)
@require_http_methods(["GET", "HEAD", "POST"])
def assign_file(request: OrganizationRequest) -> HttpResponse:
    """Take a file and show what would come of each row."""
    form = AssignmentFileForm(*(request.POST, request.FILES) if request.method == "POST" else ())
    read: AssignmentFile | None = None
    if form.is_valid():
        with form_errors(form):
            read = check_assignments(
                request.organization, form.cleaned_data["file"].file, encoding=form.cleaned_data["encoding"]
            )
    context = {
        "section": "voice",
        "subsection": "numbers",
        "form": form,
        "read": read,
        "token": _seal_pairings(request, read) if read and read.new and not read.wrong else "",
        "rows_token": _seal_rows(request, read) if read and read.wrong else "",
        "ignored": ", ".join(read.ignored) if read else "",
        "trail": [(gettext("Phone numbers"), reverse("telephony:number_list", args=[request.organization.slug]))],
    }
    return render(request, "telephony/assignment_file.html", context, status=422 if form.errors else 200)


@voice_view(VOICE)
@require_POST
def assign_file_save(request: OrganizationRequest) -> HttpResponse:
    """Give everybody in the file their number."""
    page = reverse("telephony:assign_file", args=[request.organization.slug])
    with told_refusals(request):
        key, pairings = _unseal_pairings(request, request.POST.get("token", ""))
        given = assign_numbers(
            actor=request.actor,
            organization=request.organization,
            pairings=pairings,
            key=key,
            notify=bool(request.POST.get("notify")),
        )
        text = ngettext("%(count)s person has a number now.", "%(count)s people have a number now.", len(given))
        messages.success(request, text % {"count": count(len(given))})
        page = reverse("telephony:number_list", args=[request.organization.slug]) + "?state=assigned"
    return redirect(page)


@voice_view(VOICE)
@require_safe
def assign_template(request: OrganizationRequest) -> HttpResponseBase:
    """A file with the names of the columns, to be filled in."""
    return file_response(f"{request.organization.slug}-assign-numbers", _header(), [])


@voice_view(VOICE)
@require_POST
def assign_corrections(request: OrganizationRequest) -> HttpResponseBase:
    """The rows of a file as they were read, each with what is wrong with it."""
    try:
        rows = _open(request, "rows", request.POST.get("token", ""))
    except FileOutdated as refusal:
        messages.error(request, str(refusal))
        return redirect("telephony:assign_file", request.organization.slug)
    header = [*_header(), gettext("What is wrong")]
    return file_response(f"{request.organization.slug}-assign-numbers", header, rows)


def _header() -> list[str]:
    return [gettext("Person"), gettext("Number"), gettext("Emergency address"), gettext("Place")]


def _seal_rows(request: OrganizationRequest, read: AssignmentFile) -> str:
    rows = [
        [*(row.cells[name][:400] for name in COLUMNS), " ".join(text for _field, text in row.problems)]
        for row in read.rows
    ]
    return _seal(request, "rows", rows)


def _seal_pairings(request: OrganizationRequest, read: AssignmentFile) -> str:
    """What was shown, and the key under which it is given once."""
    rows = [
        [one.member.pk, one.number.pk, one.address and one.address.pk, one.place and one.place.pk]
        for one in read.pairings
    ]
    return _seal(request, "pairings", [str(uuid4()), rows])


def _unseal_pairings(request: OrganizationRequest, token: str) -> tuple[UUID, list[Pairing]]:
    """What was sealed, as it is now. Raises FileOutdated when something of it is no more."""
    key, rows = _open(request, "pairings", token)
    of_organization = {"organization": request.organization}
    members = Member.objects.of(request.organization).select_related("user").in_bulk([row[0] for row in rows])
    numbers = PhoneNumber.objects.of(request.organization).in_bulk([row[1] for row in rows])
    addresses = EmergencyAddress.objects.live().filter(**of_organization).in_bulk({row[2] for row in rows if row[2]})
    places = Place.objects.filter(**of_organization, removed_at=None).in_bulk({row[3] for row in rows if row[3]})
    try:
        pairings = [
            Pairing(
                members[member],
                numbers[number],
                addresses[address] if address else None,
                places[place] if place else None,
            )
            for member, number, address, place in rows
        ]
    except KeyError:
        raise FileOutdated from None
    return UUID(key), pairings


def _seal(request: OrganizationRequest, what: str, value: Any) -> str:
    return signing.dumps(value, salt=_salt(request, what), compress=True)


def _open(request: OrganizationRequest, what: str, token: str) -> Any:
    try:
        return signing.loads(token, salt=_salt(request, what), max_age=DAY)
    except signing.BadSignature:
        raise FileOutdated from None


def _salt(request: OrganizationRequest, what: str) -> str:
    return f"telephony.assignment_file.{what}.{request.organization.pk}"
