"""Sending many invitations again, and taking many back: what will happen, and the button that does it."""

from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from members.access import Capability
from members.bulk import Exceptions, reach_of
from members.chosen_invitations import ChosenInvitations, nothing_chosen
from members.decorators import OrganizationRequest, organization_view
from members.errors import InvitationNotOpen
from members.invitation_acts import cancel_exceptions, renewal_exceptions
from members.models import Batch
from members.models.invitations import InvitationQuerySet
from members.services.invitations import cancel_invitations, resend_invitations
from members.views.bulk_steps import begin_run, is_as_shown
from members.views.bulk_words import Words

RENEW = Words(
    heading=_("Send chosen invitations again"),
    will=ngettext_lazy(
        "{changed} of {chosen} invitation will be sent again.", "{changed} of {chosen} invitations will be sent again."
    ),
    button=ngettext_lazy("Send {number} invitation", "Send {number} invitations"),
    done=ngettext_lazy("{number} invitation is on its way.", "{number} invitations are on their way."),
)
CANCEL = Words(
    heading=_("Take invitations back"),
    will=ngettext_lazy(
        "{changed} of {chosen} invitation will be taken back.", "{changed} of {chosen} invitations will be taken back."
    ),
    button=ngettext_lazy("Take {number} invitation back", "Take {number} invitations back"),
    done=ngettext_lazy("{number} invitation is taken back.", "{number} invitations are taken back."),
)


@organization_view(Capability.MANAGE_MEMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
def invitations_renew(request: OrganizationRequest) -> HttpResponse:
    chosen = ChosenInvitations.read(request, request.POST or request.GET)
    if not chosen.number:
        return _nothing(request, chosen)
    if request.method == "POST" and chosen.is_many:
        if response := begin_run(request, Batch.Kind.RENEW_INVITATIONS, chosen.invitations, {}):
            return response
    elif request.method == "POST" and is_as_shown(request, chosen):
        keys = _concerned(chosen.invitations, renewal_exceptions())
        sent = resend_invitations(actor=request.actor, organization=request.organization, invitations=keys)
        messages.success(request, RENEW.report(sent))
        return redirect(chosen.list_url)
    return _confirm(request, "members/invitations_renew.html", chosen, RENEW, renewal_exceptions())


@organization_view(Capability.MANAGE_MEMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
def invitations_cancel(request: OrganizationRequest) -> HttpResponse:
    chosen = ChosenInvitations.read(request, request.POST or request.GET)
    if not chosen.number:
        return _nothing(request, chosen)
    exceptions = cancel_exceptions(request.actor)
    if request.method == "POST" and chosen.is_many:
        if response := begin_run(request, Batch.Kind.CANCEL_INVITATIONS, chosen.invitations, {}):
            return response
    elif request.method == "POST" and is_as_shown(request, chosen):
        keys = _concerned(chosen.invitations, exceptions)
        try:
            done = cancel_invitations(actor=request.actor, organization=request.organization, invitations=keys)
        except InvitationNotOpen as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, CANCEL.report(done))
        return redirect(chosen.list_url)
    return _confirm(request, "members/invitations_cancel.html", chosen, CANCEL, exceptions)


def _concerned(invitations: InvitationQuerySet, exceptions: Exceptions) -> list[int]:
    for _reason, condition in exceptions:
        invitations = invitations.exclude(condition)
    return list(invitations.order_by().values_list("pk", flat=True))


def _nothing(request: OrganizationRequest, chosen: ChosenInvitations) -> HttpResponse:
    messages.info(request, nothing_chosen())
    return redirect(chosen.list_url)


def _confirm(
    request: OrganizationRequest, template: str, chosen: ChosenInvitations, words: Words, exceptions: Exceptions
) -> HttpResponse:
    reach = reach_of(chosen.invitations, exceptions)
    context: dict[str, Any] = {
        "section": "members",
        "subsection": "invitations",
        "heading": words.heading,
        "trail": [(gettext("Invitations"), chosen.list_url)],
        "warns": words is CANCEL,
        "chosen": chosen,
        "reach": reach,
        "forecast": words.forecast(reach),
        "button": words.label(reach),
        "key": uuid4(),
    }
    return render(request, template, context)
