"""Invitations in the console: who was invited, what became of the letters, and inviting personal accounts."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.access import Capability
from members.decorators import OrganizationRequest, organization_view
from members.delivery import deliveries_of
from members.forms.invitations import InvitePersonalForm
from members.models import Invitation
from members.selectors.invitations import list_invitations
from members.services.invitations import cancel_invitations, resend_invitations
from members.services.invitations import invite_personal as invite
from skypemgr.forms import form_errors, told_refusals
from skypemgr.lists import Ordering, change_query, count_up_to, keyset_page, read_choice, read_text
from skypemgr.redirects import return_path

NEWEST = Ordering("newest", ("-id",), _("newest first"))
STATES = {
    "pending": pgettext_lazy("invitations", "Waiting"),
    "expired": pgettext_lazy("invitations", "Expired"),
    "replied": pgettext_lazy("invitations", "With a question"),
    "accepted": pgettext_lazy("invitations", "Accepted"),
    "declined": pgettext_lazy("invitations", "Declined"),
    "canceled": pgettext_lazy("invitations", "Canceled"),
}
# People act on these; how many there are of the others nobody needs to know.
COUNTED = ("pending", "expired", "replied")


@organization_view(Capability.MANAGE_MEMBERS)
@require_safe
def invitation_list(request: OrganizationRequest) -> HttpResponse:
    """Who was invited and has not answered, and in other tabs who has."""
    organization, query = request.organization, request.GET
    state = read_choice(query, "state", list(STATES), "pending")
    search = read_text(query)
    found = list_invitations(organization, state=state, search=search)
    total = count_up_to(found)
    page = keyset_page(
        found,
        order=NEWEST,
        query=query,
        total=total,
        text=ngettext(
            "{shown} of {total} invitation, newest first", "{shown} of {total} invitations, newest first", total.number
        ),
    )
    deliveries = deliveries_of(organization, page.rows)
    context = {
        **_frame("invitations"),
        "tabs": [
            {
                "label": label,
                "url": change_query(query, state="" if name == "pending" else name),
                "current": name == state,
                "total": count_up_to(list_invitations(organization, state=name)) if name in COUNTED else None,
            }
            for name, label in STATES.items()
        ],
        "state": state,
        "search": search,
        "page": page,
        "rows": [_row(invitation, deliveries[invitation.pk]) for invitation in page.rows],
    }
    return render(request, "members/invitation_list.html", context)


def _frame(subsection: str) -> dict[str, Any]:
    return {"section": "members", "subsection": subsection}


def _row(invitation: Invitation, delivery: object) -> dict[str, Any]:
    pending = invitation.state == Invitation.State.PENDING
    return {
        "invitation": invitation,
        # The address of somebody who was asked by Skype Name is theirs to tell.
        "email": ""
        if invitation.kind == "personal" and invitation.user and not invitation.member
        else invitation.email,
        "delivery": delivery if pending else None,
        "expired": pending and not invitation.is_open(timezone.now()),
        "may_resend": pending or (invitation.state == Invitation.State.CANCELED and invitation.kind == "business"),
        "may_cancel": pending,
    }


@organization_view(Capability.MANAGE_MEMBERS)
@require_POST
def invitation_resend(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Send an invitation again; one of a business account that was canceled is opened again."""
    invitation = get_object_or_404(Invitation, organization=request.organization, pk=pk)
    with told_refusals(request):
        sent = resend_invitations(actor=request.actor, organization=request.organization, invitations=[invitation.pk])
        if sent:
            messages.success(request, gettext("A new letter is on its way. Links of earlier ones no longer work."))
        else:
            messages.info(request, gettext("This invitation was already answered."))
    return _back(request)


@organization_view(Capability.MANAGE_MEMBERS)
@require_POST
def invitation_cancel(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Take an invitation back."""
    invitation = get_object_or_404(Invitation, organization=request.organization, pk=pk)
    with told_refusals(request):
        cancel_invitations(actor=request.actor, organization=request.organization, invitations=[invitation.pk])
        messages.success(request, gettext("The invitation is taken back. Its link no longer works."))
    return _back(request)


def _back(request: OrganizationRequest) -> HttpResponse:
    path = return_path(request)
    return redirect("members:invitation_list", request.organization.slug) if path == "/" else redirect(path)


@organization_view(Capability.MANAGE_MEMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
def invite_personal(request: OrganizationRequest) -> HttpResponse:
    """Invite people with accounts of their own."""
    organization = request.organization
    form = InvitePersonalForm(request.POST or None, organization=organization)
    if request.method == "POST" and form.is_valid():
        with form_errors(form):
            invited = invite(actor=request.actor, organization=organization, **form.cleaned_data)
            text = ngettext("{count} person is invited.", "{count} people are invited.", len(invited))
            messages.success(request, text.format(count=len(invited)))
            return redirect("members:invitation_list", organization.slug)
    context = {**_frame("add"), "form": form}
    return render(request, "members/invite_personal.html", context, status=422 if form.is_bound else 200)
