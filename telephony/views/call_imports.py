"""Files of calls: taken in, tried, imported behind the pages, and what came of each."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.access import Capability
from members.decorators import OrganizationRequest, organization_view
from members.tenures import know_predecessors
from skypemgr.forms import form_errors, told_refusals
from skypemgr.lists import Ordering, count_up_to, keyset_page
from skypemgr.problems import tell
from telephony.call_files import PROBLEM_TEXTS
from telephony.forms.calls import FORMAT_NAMES, CallFileForm
from telephony.models import CallImport, CallUpload
from telephony.services.call_upload_work import advance_at_once
from telephony.services.call_uploads import continue_upload, import_upload, stop_upload, upload_calls

VOICE = Capability.MANAGE_VOICE
NEWEST = Ordering("newest", ("-id",))
SHOWN_ERRORS = 100
State = CallUpload.State
LAMPS: dict[str, tuple[str, Promise]] = {
    State.TRYING: ("info", pgettext_lazy("calls", "Being tried")),
    State.TRIED: ("waiting", pgettext_lazy("calls", "Tried, not imported")),
    State.RUNNING: ("info", pgettext_lazy("calls", "Being imported")),
}
GIVEN_UP = ("danger", pgettext_lazy("calls", "Given up"))
BROKEN_OFF = ("danger", pgettext_lazy("calls", "Broken off"))
DONE = ("success", pgettext_lazy("calls", "Imported"))


@dataclass(frozen=True)
class ImportView:
    """An import as pages show it; ``upload`` is its file, while it is there."""

    run: CallImport

    @property
    def upload(self) -> CallUpload | None:
        upload: CallUpload | None = getattr(self.run, "upload", None)
        return upload

    @property
    def starter(self) -> str:
        """What whoever began it was called then; "" for the system."""
        return self.run.imported_by.name_at(self.run.started_at) if self.run.imported_by else ""

    @property
    def format(self) -> str:
        return FORMAT_NAMES.get(self.run.format, self.run.format)

    @property
    def lamp(self) -> tuple[str, Promise]:
        if self.upload is not None:
            return GIVEN_UP if self.upload.is_given_up else LAMPS[self.upload.state]
        whole = self.run.finished_at is not None and self.broke_off == ""
        return DONE if whole else BROKEN_OFF

    @property
    def is_trial(self) -> bool:
        """Whether nothing of it is kept yet."""
        return self.upload is not None and self.upload.state != State.RUNNING

    @property
    def is_under_way(self) -> bool:
        return self.upload is not None and self.upload.is_under_way

    @property
    def lines(self) -> int:
        """About how many rows its file has, at least those that were read."""
        return max(self.upload.lines if self.upload else 0, self.run.rows)

    @property
    def broke_off(self) -> str:
        """Why the file was not read to its end, or ""."""
        return next((_told(code, facts) for row, _field, code, facts in self.run.errors if not row), "")

    @property
    def wrong_rows(self) -> list[tuple[int, str]]:
        """The first rows that can't be read, and why, in the active language."""
        return [(row, _told(code, facts)) for row, _field, code, facts in self.run.errors if row][:SHOWN_ERRORS]


def _told(code: str, facts: dict[str, Any]) -> str:
    return tell(PROBLEM_TEXTS, code, facts)


@organization_view(VOICE)
@require_http_methods(["GET", "HEAD", "POST"])
def call_imports(request: OrganizationRequest) -> HttpResponse:
    """Import a file of calls, or try it first; and every import, newest first."""
    form = CallFileForm(request.POST, request.FILES) if request.method == "POST" else CallFileForm()
    if form.is_valid():
        with form_errors(form):
            return _to(request, _upload(request, form.cleaned_data))
    imports = _imports(request)
    total = count_up_to(imports)
    text = ngettext("{shown} of {total} import, newest first", "{shown} of {total} imports, newest first", total.number)
    page = keyset_page(imports, order=NEWEST, query=request.GET, text=text, total=total)
    know_predecessors(one.imported_by for one in page.rows)
    context = _frame(form=form, page=page, views=[ImportView(one) for one in page.rows])
    return render(request, "telephony/call_imports.html", context, status=422 if form.is_bound else 200)


def _upload(request: OrganizationRequest, data: dict[str, Any]) -> CallImport:
    imported = upload_calls(
        actor=request.actor,
        organization=request.organization,
        file=data["file"].file,
        file_name=data["file"].name or "",
        format=data["format"],
        source=data["source"] or data["format"],
        time_zone=data["time_zone"],
        key=data["key"],
        trial="try" in request.POST,
    )
    _advance(imported)
    return imported


def _advance(imported: CallImport) -> None:
    """What is small is there when the page comes back, whatever the workers do."""
    uploads = CallUpload.objects.select_related("imported__organization", "imported__imported_by__user")
    if upload := uploads.filter(imported=imported).exclude(state=State.TRIED).first():
        advance_at_once(upload)


@organization_view(VOICE)
@require_safe
def call_import(request: OrganizationRequest, pk: int) -> HttpResponse:
    """How far an import has come, or what came of it."""
    return render(request, "telephony/call_import.html", _frame(view=_view(request, pk)))


@organization_view(VOICE)
@require_safe
def call_import_progress(request: OrganizationRequest, pk: int) -> HttpResponse:
    """The part of the page that changes; when nothing does any more, the page is asked for anew."""
    view = _view(request, pk)
    response = render(request, "telephony/call_import.html#progress", _frame(view=view))
    if not view.is_under_way:
        response["HX-Refresh"] = "true"
    return response


@organization_view(VOICE)
@require_POST
def call_import_start(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Import a file that was tried."""
    run = _view(request, pk).run
    with told_refusals(request):
        import_upload(actor=request.actor, organization=request.organization, imported=run)
        _advance(run)
    return _to(request, run)


@organization_view(VOICE)
@require_POST
def call_import_continue(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Go on with an import that was given up."""
    run = _view(request, pk).run
    with told_refusals(request):
        continue_upload(actor=request.actor, organization=request.organization, imported=run)
    return _to(request, run)


@organization_view(VOICE)
@require_POST
def call_import_drop(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Stop an import, or forget a file that was only tried."""
    view = _view(request, pk)
    with told_refusals(request):
        stop_upload(actor=request.actor, organization=request.organization, imported=view.run)
        if view.is_trial:
            messages.success(request, gettext("The file is forgotten. Nothing of it was kept."))
            return redirect("telephony:call_imports", request.organization.slug)
        messages.success(request, gettext("Stopped. Calls that were imported stay."))
    return redirect("telephony:call_import", request.organization.slug, pk)


def _imports(request: OrganizationRequest) -> QuerySet[CallImport]:
    imports = CallImport.objects.filter(organization=request.organization)
    people = imports.select_related("imported_by__user", "imported_by__organization", "upload")
    return people.defer("upload__content")


def _view(request: OrganizationRequest, pk: int) -> ImportView:
    run = get_object_or_404(_imports(request), pk=pk)
    know_predecessors([run.imported_by])
    return ImportView(run)


def _to(request: OrganizationRequest, run: CallImport) -> HttpResponse:
    return redirect("telephony:call_import", request.organization.slug, run.pk)


def _frame(**context: Any) -> dict[str, Any]:
    return {"section": "calls", "subsection": "imports", **context}
