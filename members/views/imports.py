"""Adding people: addresses or a file, the review, the creation and what came of it."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.access import Capability
from members.addresses import display_address
from members.decorators import OrganizationRequest, organization_view
from members.downloads import download
from members.errors import SameContentAgain
from members.forms.imports import AddMembersForm, ImportRowForm
from members.importing import Draft
from members.models import Batch, BatchRow
from members.models.organizations import LANGUAGES
from members.row_texts import ENDED, OUTCOMES, how_read, sentence, sentences
from members.selectors.batches import BatchCounts, count_rows, find_applied, list_batches
from members.services import import_work, imports
from members.services.given_up import continue_batch
from members.tenures import know_predecessors
from skypemgr.forms import form_errors, told_refusals
from skypemgr.lists import Ordering, Page, count_up_to, keyset_chunks, keyset_page, read_choice

Outcome = BatchRow.Outcome
BY_NUMBER = Ordering("number", ("number",))
NEWEST = Ordering("newest", ("-id",))


@dataclass(frozen=True)
class RowView:
    """A row as the review and the outcome show it."""

    row: BatchRow
    lamp: tuple[str, Any]
    problems: dict[str, list[str]]
    notes: dict[str, list[str]]

    @property
    def name(self) -> str:
        data = self.row.data
        return f"{data.get('first_name', '')} {data.get('last_name', '')}".strip()

    @property
    def called(self) -> str:
        """What the member whom the row made was called then; "" when it made none."""
        return self.row.batch.name_of(self.row.member) if self.row.member else ""

    @property
    def email(self) -> str:
        return display_address(self.row.data.get("email", ""))

    @property
    def language(self) -> str:
        return dict(LANGUAGES).get(self.row.data.get("language", ""), "")

    @property
    def muted(self) -> bool:
        return self.row.outcome in (Outcome.SKIPPED, Outcome.LEFT_OUT)

    @property
    def why(self) -> list[str]:
        return sentences(self.row)


def _view(row: BatchRow, *, ended: bool = False) -> RowView:
    problems: dict[str, list[str]] = {}
    for entry in row.problems:
        problems.setdefault(entry.get("field") or "row", []).append(sentence(entry))
    notes: dict[str, list[str]] = {}
    for entry in row.notes:
        notes.setdefault(entry.get("field") or "row", []).append(sentence(entry))
    outcome = Outcome(row.outcome)
    return RowView(row, ENDED.get(outcome, OUTCOMES[outcome]) if ended else OUTCOMES[outcome], problems, notes)


def _batch(request: OrganizationRequest, pk: int) -> Batch:
    imports_of = Batch.objects.select_related("started_by__user").filter(kind=Batch.Kind.IMPORT_MEMBERS)
    return get_object_or_404(imports_of, organization=request.organization, pk=pk)


def _frame(**context: Any) -> dict[str, Any]:
    return {"section": "members", "subsection": "add", **context}


@organization_view(Capability.MANAGE_MEMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
def import_add(request: OrganizationRequest) -> HttpResponse:
    """Step one: addresses in any usual form, or a CSV file."""
    # A form that came without anything, an upload that broke off say, is answered as one.
    sent = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = AddMembersForm(*sent, initial={"key": uuid4()})
    if request.method == "POST" and form.is_valid():
        with form_errors(form):
            return redirect(_detail(_start(request, form.cleaned_data)))
    context = _frame(form=form, steps=_steps(request))
    return render(request, "members/import_add.html", context, status=422 if form.is_bound else 200)


def _start(request: OrganizationRequest, data: dict[str, Any]) -> Batch:
    if data["file"] is None:
        people = [
            Draft(
                number=number,
                email=mailbox.address or mailbox.raw,
                first_name=mailbox.first_name,
                last_name=mailbox.last_name,
            )
            for number, mailbox in enumerate(data["addresses"], start=1)
        ]
        return imports.start_import_of_people(
            actor=request.actor, organization=request.organization, people=people, key=data["key"]
        )
    batch = imports.start_import_of_file(
        actor=request.actor,
        organization=request.organization,
        content=data["file"].file,
        file_name=data["file"].name or "",
        key=data["key"],
    )
    import_work.read_at_once(batch)
    return batch


def _detail(batch: Batch) -> str:
    return reverse("members:import_detail", args=[batch.organization.slug, batch.pk])


def _steps(request: OrganizationRequest) -> list[tuple[Any, str]]:
    add = reverse("members:import_add", args=[request.organization.slug])
    return [(_("Addresses"), add), (_("Review"), ""), (_("Done"), "")]


@organization_view(Capability.MANAGE_MEMBERS)
@require_safe
def import_detail(request: OrganizationRequest, pk: int) -> HttpResponse:
    """The review of a draft, the progress of a running batch, or what came of it."""
    batch = _batch(request, pk)
    if batch.state == Batch.State.DRAFT:
        return _review(request, batch)
    return _outcome(request, batch)


def _review(
    request: OrganizationRequest, batch: Batch, *, refused: ImportRowForm | None = None, number: int | None = None
) -> HttpResponse:
    counts = count_rows(batch)
    # One outcome at a time, which the index has in the order of the file; "all" is every row.
    shown_alone = {"problems": Outcome.PROBLEM, "skipped": Outcome.SKIPPED, "left": Outcome.LEFT_OUT}
    show = read_choice(request.GET, "show", list(shown_alone))
    rows = batch.rows.filter(outcome=shown_alone[show]) if show else batch.rows.all()
    page = _page(request, rows, counts)
    editing = number or _number(request.GET.get("edit", ""))
    shown = [_view(row) for row in page.rows]
    wrong = [_view(row) for row in batch.rows.filter(outcome=Outcome.PROBLEM).order_by("number")[:10]]
    context = _frame(
        batch=batch,
        how_read=how_read(batch),
        counts=counts,
        applied=find_applied(batch.organization, batch.fingerprint),
        rows=shown,
        page=page,
        show=show,
        steps=_steps(request),
        errors=[error for view in wrong for error in _row_errors(view, {v.row.number for v in shown})],
        wrong_title=ngettext("%(count)d row needs a correction", "%(count)d rows need a correction", counts.problem)
        % {"count": counts.problem},
        editing=editing,
        form=refused or _row_form(batch, editing),
        query=request.GET.urlencode(),
    )
    return render(request, "members/import_review.html", context, status=422 if refused else 200)


def _row_errors(view: RowView, shown: set[int]) -> list[tuple[str, str]]:
    number = view.row.number
    target = f"#row-{number}" if number in shown else f"?show=problems#row-{number}"
    return [
        (target, gettext("Row %(row)d: %(text)s") % {"row": number, "text": text})
        for texts in view.problems.values()
        for text in texts
    ]


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None


def _row_form(batch: Batch, number: int | None) -> ImportRowForm | None:
    row = batch.rows.filter(number=number).first() if number else None
    return ImportRowForm(initial=row.data, auto_id="edit_%s") if row else None


def _page(request: OrganizationRequest, rows: QuerySet[BatchRow], counts: BatchCounts) -> Page[BatchRow]:
    return keyset_page(
        rows,
        order=BY_NUMBER,
        query=request.GET,
        text=gettext("{shown} of %(total)s rows, in the order of the file") % {"total": counts.total},
    )


@organization_view(Capability.MANAGE_MEMBERS)
@require_POST
def import_row(request: OrganizationRequest, pk: int, number: int) -> HttpResponse:
    """Correct a row under review."""
    batch = _batch(request, pk)
    get_object_or_404(batch.rows, number=number)
    form = ImportRowForm(request.POST, auto_id="edit_%s")
    if form.is_valid():
        with form_errors(form):
            imports.change_row(
                actor=request.actor,
                organization=request.organization,
                batch=batch,
                number=number,
                values=form.cleaned_data,
            )
            return _back_to_review(request, batch, number)
    return _review(request, batch, refused=form, number=number)


@organization_view(Capability.MANAGE_MEMBERS)
@require_POST
def import_row_leave_out(request: OrganizationRequest, pk: int, number: int) -> HttpResponse:
    """Leave a row out."""
    batch = _batch(request, pk)
    get_object_or_404(batch.rows, number=number)
    with told_refusals(request):
        imports.leave_out_row(actor=request.actor, organization=request.organization, batch=batch, number=number)
    return _back_to_review(request, batch, number)


@organization_view(Capability.MANAGE_MEMBERS)
@require_POST
def import_row_take_in(request: OrganizationRequest, pk: int, number: int) -> HttpResponse:
    """Take a row in again."""
    batch = _batch(request, pk)
    get_object_or_404(batch.rows, number=number)
    with told_refusals(request):
        imports.take_in_row(actor=request.actor, organization=request.organization, batch=batch, number=number)
    return _back_to_review(request, batch, number)


def _back_to_review(request: OrganizationRequest, batch: Batch, number: int) -> HttpResponse:
    query = request.GET.copy()
    query.pop("edit", None)
    return redirect(f"{_detail(batch)}?{query.urlencode()}#row-{number}")


@organization_view(Capability.MANAGE_MEMBERS)
@require_POST
def import_create(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Create the accounts: of every row, or of those that are right."""
    batch = _batch(request, pk)
    # That the same file was carried out meanwhile is told by the review itself, with the way to what came of it.
    with told_refusals(request), suppress(SameContentAgain):
        batch = imports.start_batch(
            actor=request.actor,
            organization=request.organization,
            batch=batch,
            valid_rows_only=request.POST.get("rows") == "valid",
        )
        # A handful of people is there when the page comes back, whatever the workers do.
        import_work.advance_at_once(batch)
    return redirect(_detail(batch))


@organization_view(Capability.MANAGE_MEMBERS)
@require_POST
def import_leave_out_problems(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Leave out every row that needs a correction."""
    batch = _batch(request, pk)
    with told_refusals(request):
        count = imports.leave_out_problems(actor=request.actor, organization=request.organization, batch=batch)
        messages.success(
            request, ngettext("%(count)d row left out.", "%(count)d rows left out.", count) % {"count": count}
        )
    return redirect(_detail(batch))


@organization_view(Capability.MANAGE_MEMBERS)
@require_POST
def import_cancel(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Stop a batch."""
    batch = _batch(request, pk)
    with told_refusals(request):
        imports.cancel_batch(actor=request.actor, organization=request.organization, batch=batch)
        messages.success(request, gettext("Stopped. Accounts that were made stay."))
    return redirect(_detail(batch))


@organization_view(Capability.MANAGE_MEMBERS)
@require_POST
def import_continue(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Go on with a batch that was given up."""
    batch = _batch(request, pk)
    with told_refusals(request):
        continue_batch(actor=request.actor, organization=request.organization, batch=batch)
    return redirect(_detail(batch))


@organization_view(Capability.MANAGE_MEMBERS)
@require_POST
def import_retry(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Try the failed rows again."""
    batch = _batch(request, pk)
    with told_refusals(request):
        imports.retry_failed_rows(actor=request.actor, organization=request.organization, batch=batch)
        batch.refresh_from_db()
        import_work.advance_at_once(batch)
    return redirect(_detail(batch))


def _outcome(request: OrganizationRequest, batch: Batch) -> HttpResponse:
    counts = count_rows(batch)
    show = read_choice(request.GET, "show", ["created", "all"], default="not")
    rows = {"created": batch.rows.filter(outcome=Outcome.DONE), "all": batch.rows.all()}.get(
        show, batch.rows.exclude(outcome=Outcome.DONE)
    )
    page = _page(request, rows.select_related("member__user", "batch"), counts)
    know_predecessors(row.member for row in page.rows)
    context = _frame(
        subsection="imports",
        batch=batch,
        counts=counts,
        page=page,
        rows=[_view(row, ended=True) for row in page.rows],
        show=show,
        refusal=_refusal(batch),
        running=batch.is_under_way,
    )
    return render(request, "members/import_outcome.html", context)


def _refusal(batch: Batch) -> str:
    code = batch.facts.get("refusal", "")
    return sentence({"code": code, "facts": batch.facts.get("refusal_facts", {})}) if code else ""


@organization_view(Capability.MANAGE_MEMBERS)
@require_safe
def import_progress(request: OrganizationRequest, pk: int) -> HttpResponse:
    """The progress alone, asked for every two seconds while a batch runs; then the whole page once."""
    batch = _batch(request, pk)
    running = batch.is_under_way
    context = _frame(batch=batch, counts=count_rows(batch), running=running)
    response = render(request, "members/import_outcome.html#progress", context)
    if not running:
        response.headers["HX-Refresh"] = "true"
    return response


@organization_view(Capability.MANAGE_MEMBERS)
@require_safe
def import_outcome(request: OrganizationRequest, pk: int) -> HttpResponseBase:
    """Rows as CSV with what came of each; ``?rows=errors`` gives those to correct and take in again."""
    batch = _batch(request, pk)
    rows = batch.rows.select_related("member__user")
    if request.GET.get("rows") == "errors":
        rows = rows.filter(outcome__in=[Outcome.PROBLEM, Outcome.FAILED])
    header = [
        gettext("E-mail"),
        gettext("User name"),
        gettext("First name"),
        gettext("Last name"),
        gettext("Job title"),
        gettext("Department"),
        gettext("Language"),
        gettext("Outcome"),
        gettext("Why"),
    ]
    ended = batch.state != Batch.State.DRAFT
    return download(
        request,
        Capability.MANAGE_MEMBERS,
        name=f"import-{batch.pk}",
        header=header,
        chunks=keyset_chunks(rows, order=BY_NUMBER),
        make=lambda chunk: [_line(_view(row, ended=ended)) for row in chunk],
    )


def _line(view: RowView) -> list[str]:
    data, member = view.row.data, view.row.member
    return [
        data.get("email", ""),
        member.user.skype_name if member else data.get("skype_name", ""),
        data.get("first_name", ""),
        data.get("last_name", ""),
        data.get("job_title", ""),
        data.get("department", ""),
        view.language,
        str(view.lamp[1]),
        "; ".join(view.why),
    ]


@organization_view(Capability.MANAGE_MEMBERS)
@require_safe
def import_list(request: OrganizationRequest) -> HttpResponse:
    """Every batch, newest first."""
    batches = list_batches(request.organization)
    total = count_up_to(batches)
    text = ngettext("{shown} of {total} import, newest first", "{shown} of {total} imports, newest first", total.number)
    page = keyset_page(batches, order=NEWEST, query=request.GET, text=text, total=total)
    know_predecessors(batch.started_by for batch in page.rows)
    return render(request, "members/import_list.html", _frame(subsection="imports", page=page))
