"""What the pages of bulk actions share, whatever they are about: nothing is done to others than were shown."""

from collections.abc import Mapping
from typing import Protocol

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect

from members.decorators import OrganizationRequest
from members.errors import KeyReused, SelectionChanged
from members.models import Batch
from members.models.invitations import InvitationQuerySet
from members.models.people import MemberQuerySet
from members.services.runs import start_run
from skypemgr.lists import read_key, read_number


class Refusing(Protocol):
    """What was chosen, and knows whether it still is what was shown."""

    def refuse_changed(self, query: QueryDict) -> None: ...


def is_as_shown(request: OrganizationRequest, chosen: Refusing) -> bool:
    """Whether as many are chosen as the page had said; if not, that is told, and the page comes again."""
    try:
        chosen.refuse_changed(request.POST)
    except SelectionChanged as refusal:
        messages.error(request, str(refusal))
        return False
    return True


def begin_run(
    request: OrganizationRequest,
    kind: Batch.Kind,
    rows: MemberQuerySet | InvitationQuerySet,
    facts: Mapping[str, object],
) -> HttpResponse | None:
    """Begin to change many, and show how it goes; None when they are not those that were shown."""
    try:
        batch = start_run(
            actor=request.actor,
            organization=request.organization,
            kind=kind,
            members=rows,
            expected=read_number(request.POST, "count"),
            key=read_key(request.POST, "key"),
            facts=facts,
        )
    except (SelectionChanged, KeyReused) as refusal:
        messages.error(request, str(refusal))
        return None
    return redirect("members:run_detail", request.organization.slug, batch.pk)
