"""Successive people of one business account: handed over, and what is kept of those who had it before."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from members.access import Capability
from members.decorators import OrganizationRequest, fresh_proof, organization_view
from members.forms.hand_over import HandOverForm
from members.member_frame import find_member, member_frame
from members.models import Member, Tenure
from members.registry import HandOverPart, registry
from members.services.hand_over import hand_over
from members.services.predecessors import erase_predecessor, export_predecessor_data
from members.views.answers import data_file, page_with_form
from skypemgr.forms import form_errors


@organization_view(Capability.MANAGE_MEMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof
def hand_over_account(request: OrganizationRequest, skype_name: str) -> HttpResponse:
    member = find_member(request.organization, skype_name)
    form = HandOverForm(request.POST if request.method == "POST" else None, member=member)
    if form.is_valid():
        with form_errors(form):
            hand_over(actor=request.actor, organization=request.organization, member=member, **form.cleaned_data)
            text = gettext("The account is handed over. An invitation is on its way to {email}.")
            messages.success(request, text.format(email=form.cleaned_data["email"]))
            return _to_profile(request, member)
    context = member_frame(request, member, "profile") | {
        "form": form,
        "is_self": member == request.member,
        "is_own": member.user.owner_id == request.organization.pk,
        "goes_over": [line for part in registry.all(HandOverPart) for line in part.list(member)],
    }
    return page_with_form(request, "members/member_hand_over.html", context, form)


@organization_view(Capability.MANAGE_MEMBERS)
@require_POST
@fresh_proof
def predecessor_data(request: OrganizationRequest, skype_name: str, key: int) -> HttpResponse:
    """A file with what is kept about somebody who had the account before, for them."""
    member, tenure = _find(request, skype_name, key)
    facts = export_predecessor_data(actor=request.actor, organization=request.organization, tenure=tenure)
    return data_file(facts, skype_name=member.user.skype_name)


@organization_view(Capability.MANAGE_MEMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof
def predecessor_erase(request: OrganizationRequest, skype_name: str, key: int) -> HttpResponse:
    member, tenure = _find(request, skype_name, key)
    if request.method == "POST":
        erase_predecessor(actor=request.actor, organization=request.organization, tenure=tenure)
        messages.success(request, gettext("The personal data is erased."))
        return _to_profile(request, member)
    return render(
        request, "members/predecessor_erase.html", member_frame(request, member, "profile") | {"tenure": tenure}
    )


def _find(request: OrganizationRequest, skype_name: str, key: int) -> tuple[Member, Tenure]:
    """The member, and one of those who had the account before. Raises Http404."""
    member = find_member(request.organization, skype_name)
    found = next((tenure for tenure in member.predecessors if tenure.pk == key), None)
    if found is None:
        raise Http404
    return member, found


def _to_profile(request: OrganizationRequest, member: Member) -> HttpResponse:
    return redirect("members:member_profile", request.organization.slug, member.user.skype_name)
