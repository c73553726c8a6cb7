"""Invitations in the console: who was invited, what became of the letters, and inviting personal accounts."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.access import Capability
from members.chosen_invitations import NEWEST, STATES, UNANSWERED, InvitationsQuery, shown_address
from members.decorators import OrganizationRequest, organization_view
from members.downloads import download
from members.forms.invitations import InvitePersonalForm
from members.forms.members import InvitedAddressForm
from members.models import Invitation, User
from members.selectors.invitations import list_invitations
from members.services.invitations import cancel_invitations, change_personal_address, resend_invitations
from members.services.invitations import invite_personal as invite
from members.views.invitation_rows import invitation_line, invitation_rows
from skypemgr.forms import form_errors, told_refusals
from skypemgr.lists import change_query, count_up_to, keyset_chunks, keyset_page
from skypemgr.redirects import return_path


@organization_view(Capability.MANAGE_MEMBERS)
@require_safe
def invitation_list(request: OrganizationRequest) -> HttpResponse:
    """Who was invited and has not answered, by how far it has come, and in other tabs who has."""
    organization, query = request.organization, request.GET
    asked = InvitationsQuery.read(organization, query)
    found = asked.matching()
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
    context = {
        **_frame("invitations"),
        "tabs": [
            {
                "label": label,
                "url": change_query(query, state="" if name == "pending" else name),
                "current": name == asked.state,
                "total": count_up_to(list_invitations(organization, state=name)) if name in UNANSWERED else None,
            }
            for name, label in STATES.items()
        ],
        "state": asked.state,
        "search": asked.search,
        "page": page,
        "total": total,
        "rows": invitation_rows(organization, page.rows),
        "selectable": asked.state in UNANSWERED,
        "kept": asked.kept(),
        "export_url": reverse("members:invitation_export", args=[organization.slug]) + change_query(query),
    }
    return render(request, "members/invitation_list.html", context)


@organization_view(Capability.MANAGE_MEMBERS)
@require_safe
def invitation_export(request: OrganizationRequest) -> HttpResponseBase:
    """What the list shows, as CSV."""
    asked = InvitationsQuery.read(request.organization, request.GET)
    header = [
        gettext("Skype Name"),
        gettext("Name"),
        gettext("E-mail"),
        gettext("Kind"),
        gettext("State"),
        gettext("Letter"),
        gettext("Sent for the first time"),
        gettext("Page opened"),
        gettext("Link works until"),
        gettext("Answered"),
        gettext("Next"),
    ]
    # A column to be filled in: the file goes back in where addresses are changed.
    header += [gettext("New address")] if asked.state in UNANSWERED else []
    return download(
        request,
        Capability.MANAGE_MEMBERS,
        name="invitations",
        header=header,
        chunks=keyset_chunks(asked.matching(), order=NEWEST),
        make=lambda some: (
            [*invitation_line(row), ""][: len(header)] for row in invitation_rows(request.organization, some)
        ),
    )


def _frame(subsection: str) -> dict[str, Any]:
    return {"section": "members", "subsection": subsection}


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


@organization_view(Capability.MANAGE_MEMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
def invitation_address(request: OrganizationRequest, pk: int) -> HttpResponse:
    """Send an invitation to another address."""
    invitation = get_object_or_404(
        Invitation.objects.select_related("member__user", "user"), organization=request.organization, pk=pk
    )
    if invitation.kind == User.Kind.BUSINESS and invitation.member is not None:
        return redirect("members:member_address", request.organization.slug, invitation.member.user.skype_name)
    form = InvitedAddressForm(request.POST or None, initial={"email": shown_address(invitation)})
    if form.is_valid():
        with form_errors(form):
            change_personal_address(
                actor=request.actor, organization=request.organization, invitation=invitation, **form.cleaned_data
            )
            text = gettext("The invitation is on its way to {email}.")
            messages.success(request, text.format(email=form.cleaned_data["email"]))
            return redirect("members:invitation_list", request.organization.slug)
    list_url = reverse("members:invitation_list", args=[request.organization.slug])
    context = {
        **_frame("invitations"),
        "invitation": invitation,
        "form": form,
        "heading": gettext("Change the address"),
        "trail": [(gettext("Invitations"), list_url)],
        "list_url": list_url,
    }
    return render(request, "members/invitation_address.html", context, status=422 if form.errors else 200)


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
