"""Emergency addresses by a CSV file: every row is shown as it would be saved, then those that are right are saved."""

from django.contrib import messages
from django.core import signing
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from members.decorators import OrganizationRequest
from skypemgr.forms import form_errors, told_refusals
from skypemgr.templatetags.look import count
from telephony.address_errors import NotValidated
from telephony.address_file import AddressFile, check_addresses
from telephony.emergency import line_of
from telephony.forms.emergency_addresses import AddressFileForm
from telephony.services.address_files import add_emergency_addresses
from telephony.validated import DAY
from telephony.validation import Result
from telephony.views.door import address_view


@address_view
@require_http_methods(["GET", "HEAD", "POST"])
def file_review(request: OrganizationRequest) -> HttpResponse:
    """Take a file and show what would come of each row."""
    form = AddressFileForm(*(request.POST, request.FILES) if request.method == "POST" else ())
    read: AddressFile | None = None
    if form.is_valid():
        with form_errors(form):
            read = check_addresses(request.organization, form.cleaned_data["file"].file)
    context = {
        "section": "voice",
        "subsection": "emergency_addresses",
        "form": form,
        "read": read,
        "rows": [(row, line_of(row.result.normalized) if row.result else "") for row in read.rows] if read else [],
        "token": _seal(request, read) if read else "",
        "ignored": ", ".join(read.ignored) if read else "",
        "trail": [
            (gettext("Emergency addresses"), reverse("emergency:address_list", args=[request.organization.slug]))
        ],
    }
    return render(request, "telephony/address_file.html", context, status=422 if form.errors else 200)


@address_view
@require_POST
def file_save(request: OrganizationRequest) -> HttpResponse:
    """Save the rows that were right."""
    page = reverse("emergency:file_review", args=[request.organization.slug])
    with told_refusals(request):
        added = add_emergency_addresses(
            actor=request.actor, organization=request.organization, rows=_unseal(request, request.POST.get("token", ""))
        )
        text = ngettext("%(count)s emergency address is saved.", "%(count)s emergency addresses are saved.", len(added))
        messages.success(request, text % {"count": count(len(added))})
        page = reverse("emergency:address_list", args=[request.organization.slug])
    return redirect(page)


def _seal(request: OrganizationRequest, read: AddressFile) -> str:
    rows = [[row.name, row.result.as_json()] for row in read.new if row.result]
    return signing.dumps(rows, salt=_salt(request), compress=True)


def _unseal(request: OrganizationRequest, token: str) -> list[tuple[str, Result]]:
    try:
        rows = signing.loads(token, salt=_salt(request), max_age=DAY)
    except signing.BadSignature:
        raise NotValidated from None
    return [(name, Result.from_json(result)) for name, result in rows]


def _salt(request: OrganizationRequest) -> str:
    return f"telephony.address_file.{request.organization.pk}"
