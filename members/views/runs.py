"""Changes of many members that go on behind the pages: their list, progress and outcome."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext, npgettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from members.access import Capability
from members.batches import BatchKind, Progress, kind_of, progress_of, progress_of_all
from members.decorators import OrganizationRequest, organization_view
from members.downloads import download
from members.errors import DepartmentFilled, DepartmentGone, DepartmentInsideItself
from members.models import Batch, BatchRow, Member
from members.registry import Text, registry
from members.selectors.batches import list_runs
from members.services.given_up import continue_batch
from members.services.runs import cancel_run
from members.tenures import know_predecessors
from skypemgr.forms import told_refusals
from skypemgr.lists import Ordering, count_up_to, keyset_chunks, keyset_page, read_choice

Outcome, State = BatchRow.Outcome, Batch.State
BY_NUMBER = Ordering("number", ("number",))
NEWEST = Ordering("newest", ("-id",))
FAILURES: Mapping[str, Text] = {"LastAdministrator": _("Is the last administrator")}
STOPPED: Mapping[str, Text] = {
    "PermissionDenied": _("Whoever started this may not do it any more, so it went no further."),
    "DepartmentGone": DepartmentGone.text,
    "DepartmentFilled": DepartmentFilled.text,
    "DepartmentInsideItself": DepartmentInsideItself.text,
    "DepartmentTooDeep": _("What lies under it would nest too deep, so nothing was merged."),
}


@dataclass(frozen=True)
class RunRow:
    """A member of a run, or whoever was invited: a name, their page if they have one, a lamp, a word, and why not."""

    member: Member | None
    skype_name: str
    name: str
    lamp: str
    outcome: Text
    why: Text


@dataclass(frozen=True)
class RunLine:
    """A run in the list of them."""

    batch: Batch
    kind: BatchKind
    progress: Progress


@organization_view(Capability.VIEW_MEMBERS)
@require_safe
def run_list(request: OrganizationRequest) -> HttpResponse:
    """Every change of many members that whoever asks may make themselves, newest first."""
    theirs = [kind.key for kind in registry.all(BatchKind) if request.actor.can(kind.capability)]
    found = list_runs(request.organization).filter(kind__in=theirs)
    total = count_up_to(found)
    text = npgettext(
        "run", "{shown} of {total} change, newest first", "{shown} of {total} changes, newest first", total.number
    )
    page = keyset_page(found, order=NEWEST, query=request.GET, text=text, total=total)
    know_predecessors(batch.started_by for batch in page.rows)
    rows = [
        RunLine(batch, kind_of(batch), progress)
        for batch, progress in zip(page.rows, progress_of_all(page.rows), strict=True)
    ]
    return render(request, "members/run_list.html", {**_frame(), "page": page, "rows": rows})


@organization_view(Capability.VIEW_MEMBERS)
@require_safe
def run_detail(request: OrganizationRequest, pk: int) -> HttpResponse:
    """The progress of a change, and what came of it so far."""
    batch = _run(request, pk)
    kind = kind_of(batch)
    show = read_choice(request.GET, "show", ["changed", "all"], default="not")
    rows = batch.rows.select_related("member__user", "batch", "invitation__user")
    if show != "all":
        rows = rows.filter(outcome__in=[Outcome.DONE] if show == "changed" else [Outcome.SKIPPED, Outcome.FAILED])
    page = keyset_page(rows, order=BY_NUMBER, query=request.GET, text=gettext("Shown: {shown}"))
    know_predecessors(row.member for row in page.rows)
    context = {
        **_context(batch),
        "show": show,
        "page": page,
        "rows": [_row(row, kind) for row in page.rows],
        "trail": [
            (gettext("Members"), reverse("members:member_list", args=[request.organization.slug])),
            (gettext("Changes of many"), reverse("members:run_list", args=[request.organization.slug])),
        ],
    }
    return render(request, "members/run_detail.html", context)


@organization_view(Capability.VIEW_MEMBERS)
@require_safe
def run_progress(request: OrganizationRequest, pk: int) -> HttpResponse:
    """The progress alone, asked for every two seconds while it runs; then the whole page once."""
    batch = _run(request, pk)
    response = render(request, "members/run_detail.html#progress", _context(batch))
    if not batch.is_under_way:
        response.headers["HX-Refresh"] = "true"
    return response


@organization_view(Capability.VIEW_MEMBERS)
@require_POST
def run_cancel(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Stop a change."""
    batch = _run(request, pk)
    with told_refusals(request):
        cancel_run(actor=request.actor, organization=request.organization, batch=batch)
        messages.success(request, gettext("Stopped. What was done stays done."))
    return redirect("members:run_detail", request.organization.slug, batch.pk)


@organization_view(Capability.VIEW_MEMBERS)
@require_POST
def run_continue(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Go on with a change that was given up."""
    batch = _run(request, pk)
    with told_refusals(request):
        continue_batch(actor=request.actor, organization=request.organization, batch=batch)
    return redirect("members:run_detail", request.organization.slug, batch.pk)


@organization_view(Capability.VIEW_MEMBERS)
@require_safe
def run_outcome(request: OrganizationRequest, pk: int) -> HttpResponseBase:
    """What came of everybody so far, as CSV."""
    batch = _run(request, pk)
    kind = kind_of(batch)
    chunks = keyset_chunks(batch.rows.select_related("member__user", "batch", "invitation__user"), order=BY_NUMBER)
    header = [gettext("Skype Name"), gettext("Name"), gettext("Outcome"), gettext("Why")]
    return download(
        request,
        kind.capability,
        name=f"change-{batch.pk}",
        header=header,
        chunks=chunks,
        make=lambda some: _lines(some, kind),
    )


def _lines(some: Sequence[BatchRow], kind: BatchKind) -> Iterator[list[str]]:
    know_predecessors(row.member for row in some)
    for row in (_row(row, kind) for row in some):
        yield [row.skype_name, row.name, str(row.outcome), str(row.why)]


def _run(request: OrganizationRequest, pk: int) -> Batch:
    batch = get_object_or_404(list_runs(request.organization), pk=pk)
    if not request.actor.can(kind_of(batch).capability):
        raise PermissionDenied
    return batch


def _row(row: BatchRow, kind: BatchKind) -> RunRow:
    who = row.member, *_called(row)
    code = next((str(entry["code"]) for entry in [*row.problems, *row.notes]), "")
    match row.outcome:
        case Outcome.DONE:
            return RunRow(*who, "success", kind.done, kind.tell(row, row.batch.facts))
        case Outcome.SKIPPED:
            return RunRow(*who, "off", _("Left alone"), kind.reasons.get(code, ""))
        case _:
            return RunRow(*who, "danger", _("Refused"), FAILURES.get(code, _("It could not be done.")))


def _called(row: BatchRow) -> tuple[str, str]:
    """The Skype Name and the name of somebody in a run; of a stranger who was invited, the address."""
    user = row.member.user if row.member else row.invitation.user if row.invitation else None
    if user is not None:
        # What a personal account is called is theirs to tell before they join.
        return user.skype_name, row.batch.name_of(row.member) if row.member else user.skype_name
    return "", row.invitation.email if row.invitation else ""


def _context(batch: Batch) -> dict[str, Any]:
    kind = kind_of(batch)
    return {
        **_frame(),
        "batch": batch,
        "kind": kind,
        "what": kind.describe(batch.facts),
        "progress": progress_of(batch),
        "running": batch.is_under_way,
        "stopped": STOPPED.get(str(batch.facts.get("stopped", "")), "") or kind.explain(batch.facts),
    }


def _frame() -> dict[str, Any]:
    return {"section": "members", "subsection": "runs"}
