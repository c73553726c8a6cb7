"""Reading the file of an import again, in an encoding that somebody chooses by how its words look."""

from typing import BinaryIO

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from members.access import Capability
from members.batch_files import open_file
from members.decorators import OrganizationRequest, organization_view
from members.models import Batch
from members.services import import_work, imports
from skypemgr.encoding_choice import EncodingForm
from skypemgr.encoding_samples import Candidate, candidates
from skypemgr.forms import form_errors


@organization_view(Capability.MANAGE_MEMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
def import_encoding(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Choose by a sample in which encoding the file of a review is read, and read it again."""
    of_imports = Batch.objects.filter(organization=request.organization, kind=Batch.Kind.IMPORT_MEMBERS)
    batch = get_object_or_404(of_imports, pk=pk)
    review = reverse("members:import_detail", args=[request.organization.slug, batch.pk])
    file = open_file(batch)
    if batch.state != Batch.State.DRAFT or file is None:
        # A second click, or somebody else was quicker: the page says how far it is.
        return redirect(review)
    choices = _candidates(batch, file)
    current = next((one.codec for one in choices if batch.facts["encoding"] in one.names), "")
    form = EncodingForm(request.POST or None, candidates=choices, initial={"encoding": current})
    if form.is_valid():
        with form_errors(form):
            again = imports.read_again(
                actor=request.actor,
                organization=request.organization,
                batch=batch,
                encoding=form.cleaned_data["encoding"],
            )
            import_work.read_at_once(again)
            return redirect(review)
    context = {"section": "members", "subsection": "add", "batch": batch, "form": form, "review": review}
    status = 422 if form.is_bound else 200
    return render(request, "members/import_encoding.html", {**context, "choices": choices}, status=status)


def _candidates(batch: Batch, file: BinaryIO) -> list[Candidate]:
    facts = batch.facts
    hidden = {column["column"] for column in facts["ignored"] if column["reason"] == "password_never_used"}
    return candidates(file, delimiter=facts["delimiter"], current=facts["encoding"], hidden=hidden)
