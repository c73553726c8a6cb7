"""Other addresses for many invitations: taken in as a file or as pasted lines, shown, then changed or given up."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.access import Capability
from members.address_rows import sentence
from members.batches import takes_long
from members.decorators import OrganizationRequest, organization_view
from members.errors import SelectionChanged
from members.forms.invitations import AddressesForm
from members.models import Batch, BatchRow
from members.selectors.batches import count_rows
from members.services.addresses import change_addresses, discard_addresses, review_addresses
from skypemgr.forms import form_errors, told_refusals
from skypemgr.lists import Ordering, keyset_page, read_choice
from skypemgr.templatetags.look import count

BY_NUMBER = Ordering("number", ("number",))
MOST_TOLD = 10


@dataclass(frozen=True)
class AddressView:
    """A row as the review shows it."""

    row: BatchRow
    problems: list[str]
    notes: list[str]

    @classmethod
    def of(cls, row: BatchRow) -> "AddressView":
        return cls(row, [sentence(entry) for entry in row.problems], [sentence(entry) for entry in row.notes])


@organization_view(Capability.MANAGE_MEMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
def addresses_add(request: OrganizationRequest) -> HttpResponse:
    """Take new addresses in for review."""
    form = AddressesForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        with form_errors(form):
            batch = review_addresses(actor=request.actor, organization=request.organization, **form.asked())
            return redirect("members:addresses_review", request.organization.slug, batch.pk)
    list_url = _list_url(request)
    context = {
        "section": "members",
        "subsection": "invitations",
        "form": form,
        "list_url": list_url,
        "bounced_url": reverse("members:invitation_export", args=[request.organization.slug]) + "?state=bounced",
        "trail": [(gettext("Invitations"), list_url)],
    }
    return render(request, "members/addresses_add.html", context, status=422 if form.is_bound else 200)


@organization_view(Capability.MANAGE_MEMBERS)
@require_safe
def addresses_review(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Which invitation would go where, with everything that is wrong; what came of it once it was begun."""
    batch = _batch(request, pk)
    if batch.started_at is not None:
        return redirect("members:run_detail", request.organization.slug, batch.pk)
    show = read_choice(request.GET, "show", ["problems"])
    wrong = batch.rows.filter(outcome=BatchRow.Outcome.PROBLEM)
    counts = count_rows(batch)
    text = gettext("{shown} of %(total)s rows, in the order of the file") % {"total": count(batch.total)}
    rows = (wrong if show else batch.rows).select_related("member__user")
    page = keyset_page(rows, order=BY_NUMBER, query=request.GET, text=text)
    context = {
        "section": "members",
        "subsection": "invitations",
        "batch": batch,
        "open": batch.state == Batch.State.DRAFT,
        "counts": counts,
        "is_many": takes_long(counts.ready),
        "page": page,
        "rows": [AddressView.of(row) for row in page.rows],
        "show": show,
        "errors": list(_errors(wrong.order_by("number")[:MOST_TOLD])),
        "wrong_title": ngettext("%(count)s row needs a correction", "%(count)s rows need a correction", counts.problem)
        % {"count": count(counts.problem)},
        "trail": [
            (gettext("Invitations"), _list_url(request)),
            (gettext("Change addresses"), reverse("members:addresses_add", args=[request.organization.slug])),
        ],
    }
    return render(request, "members/addresses_review.html", context)


def _errors(rows: Iterable[BatchRow]) -> Iterator[tuple[str, str]]:
    for row in rows:
        for text in AddressView.of(row).problems:
            yield "", gettext("Row %(row)d: %(text)s") % {"row": row.number, "text": text}


@organization_view(Capability.MANAGE_MEMBERS)
@require_POST
def addresses_change(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Send the invitations to the addresses that were shown."""
    with told_refusals(request):
        batch = change_addresses(actor=request.actor, organization=request.organization, batch=_batch(request, pk))
        if batch.state == Batch.State.DRAFT:
            messages.error(request, str(SelectionChanged.text))
        elif batch.state == Batch.State.DONE:
            text = ngettext("{number} invitation is on its way.", "{number} invitations are on their way.", batch.total)
            messages.success(request, text.format(number=count(batch.total)))
    # Which leads on to what came of it, if anything did.
    return redirect("members:addresses_review", request.organization.slug, pk)


@organization_view(Capability.MANAGE_MEMBERS)
@require_POST
def addresses_discard(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Give the file up."""
    with told_refusals(request):
        discard_addresses(actor=request.actor, organization=request.organization, batch=_batch(request, pk))
        messages.success(request, gettext("No address was changed. The file is given up."))
    return redirect("members:invitation_list", request.organization.slug)


def _batch(request: OrganizationRequest, pk: int) -> Batch:
    files = Batch.objects.filter(organization=request.organization, kind=Batch.Kind.CHANGE_ADDRESSES)
    return get_object_or_404(files, pk=pk)


def _list_url(request: OrganizationRequest) -> str:
    return reverse("members:invitation_list", args=[request.organization.slug])
