"""Credit by a file of amounts: taken in, shown as it would be given, and then given or given up."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from credit.amounts import BY_FILE, sentence
from credit.forms.allocation import AmountsFileForm
from credit.selectors.allocations import forecast_of_file
from credit.services.amounts import (
    allocate_amounts,
    discard_amounts,
    read_amounts_again,
    review_amounts,
)
from credit.views.allocation_to_many import show_allocate
from credit.ways import buy_url
from members.access import Capability
from members.batch_files import open_file
from members.batches import takes_long
from members.decorators import OrganizationRequest, organization_view
from members.models import Batch, BatchRow
from members.row_texts import how_read
from members.selectors.batches import find_applied
from skypemgr.encoding_choice import EncodingForm
from skypemgr.encoding_samples import candidates
from skypemgr.forms import form_errors, told_refusals
from skypemgr.lists import Ordering, keyset_page, read_choice
from skypemgr.money import money
from skypemgr.templatetags.look import count

BY_NUMBER = Ordering("number", ("number",))
MOST_TOLD = 10


@dataclass(frozen=True)
class AmountView:
    """A row as the review shows it."""

    row: BatchRow
    amount: str
    problems: list[str]

    @classmethod
    def of(cls, row: BatchRow, currency: str) -> "AmountView":
        problems = [sentence(row, problem, currency) for problem in row.problems]
        readable = not any(problem["field"] == "amount" for problem in row.problems)
        amount = money(Decimal(row.data["amount"]), currency) if readable else row.data["amount"]
        return cls(row, amount, problems)


@organization_view(Capability.MANAGE_CREDIT)
@require_POST
def amounts_add(request: OrganizationRequest) -> HttpResponse:
    """Take a file in for review."""
    form = AmountsFileForm(request.POST, request.FILES)
    if form.is_valid():
        with form_errors(form):
            batch = review_amounts(
                actor=request.actor,
                organization=request.organization,
                content=form.cleaned_data["file"].file,
                file_name=form.cleaned_data["file"].name or "",
                key=form.cleaned_data["key"],
            )
            return redirect("credit:amounts_review", request.organization.slug, batch.pk)
    return show_allocate(request, file_form=form)


@organization_view(Capability.MANAGE_CREDIT)
@require_safe
def amounts_review(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Who would get how much, with everything that is wrong with the file; what came of it once it was begun."""
    batch = _batch(request, pk)
    if batch.started_at is not None:
        return redirect("members:run_detail", request.organization.slug, batch.pk)
    currency = request.organization.currency
    show = read_choice(request.GET, "show", ["problems"])
    wrong = batch.rows.filter(outcome=BatchRow.Outcome.PROBLEM)
    rows = (wrong if show else batch.rows).select_related("member__user")
    text = gettext("{shown} of %(total)s rows, in the order of the file") % {"total": count(batch.total)}
    page = keyset_page(rows, order=BY_NUMBER, query=request.GET, text=text)
    told = forecast_of_file(batch)
    views = [AmountView.of(row, currency) for row in page.rows]
    context = {
        "section": "credit",
        "subsection": "allocate",
        "batch": batch,
        "open": batch.state == Batch.State.DRAFT,
        "how_read": how_read(batch),
        "encoding_url": reverse("credit:amounts_encoding", args=[request.organization.slug, batch.pk]),
        "applied": find_applied(request.organization, batch.fingerprint, BY_FILE),
        "forecast": told,
        "is_many": takes_long(batch.total),
        "page": page,
        "rows": views,
        "show": show,
        "errors": list(_errors(wrong.order_by("number")[:MOST_TOLD], currency)),
        "wrong_title": ngettext("%(count)s row needs a correction", "%(count)s rows need a correction", told.wrong)
        % {"count": count(told.wrong)},
        "buy_url": buy_url(request.organization),
        "trail": [(gettext("Allocate credit"), reverse("credit:allocate", args=[request.organization.slug]))],
    }
    return render(request, "credit/amounts_review.html", context)


def _errors(rows: Iterable[BatchRow], currency: str) -> Iterator[tuple[str, str]]:
    for row in rows:
        for text in AmountView.of(row, currency).problems:
            yield "", gettext("Row %(row)d: %(text)s") % {"row": row.number, "text": text}


@organization_view(Capability.MANAGE_CREDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def amounts_encoding(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Choose by a sample in which encoding the file of a review is read, and read it again."""
    batch = _batch(request, pk)
    review = reverse("credit:amounts_review", args=[request.organization.slug, batch.pk])
    file = open_file(batch)
    if batch.state != Batch.State.DRAFT or file is None:
        # A second click, or somebody else was quicker.
        return redirect(review)
    choices = candidates(file, delimiter=batch.facts["delimiter"], current=batch.facts["encoding"])
    current = next((one.codec for one in choices if batch.facts["encoding"] in one.names), "")
    form = EncodingForm(request.POST or None, candidates=choices, initial={"encoding": current})
    if form.is_valid():
        with form_errors(form):
            read_amounts_again(
                actor=request.actor,
                organization=request.organization,
                batch=batch,
                encoding=form.cleaned_data["encoding"],
            )
            return redirect(review)
    context = {
        "section": "credit",
        "subsection": "allocate",
        "batch": batch,
        "form": form,
        "choices": choices,
        "review": review,
        "trail": [
            (gettext("Allocate credit"), reverse("credit:allocate", args=[request.organization.slug])),
            (gettext("Review"), review),
        ],
    }
    return render(request, "credit/amounts_encoding.html", context, status=422 if form.is_bound else 200)


@organization_view(Capability.MANAGE_CREDIT)
@require_POST
def amounts_allocate(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Give everybody in the file what it says."""
    batch = _batch(request, pk)
    with told_refusals(request):
        allocate_amounts(actor=request.actor, organization=request.organization, batch=batch)
    # Which leads on to what came of it, if anything did.
    return redirect("credit:amounts_review", request.organization.slug, batch.pk)


@organization_view(Capability.MANAGE_CREDIT)
@require_POST
def amounts_discard(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Give the file up."""
    batch = _batch(request, pk)
    with told_refusals(request):
        discard_amounts(actor=request.actor, organization=request.organization, batch=batch)
        messages.success(request, gettext("Nobody got anything. The file is given up."))
    return redirect("credit:allocate", request.organization.slug)


def _batch(request: OrganizationRequest, pk: int) -> Batch:
    files = Batch.objects.filter(organization=request.organization, kind=BY_FILE)
    return get_object_or_404(files.select_related("organization"), pk=pk)
