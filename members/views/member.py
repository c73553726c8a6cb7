from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.access import Capability
from members.decorators import OrganizationRequest, fresh_proof, fresh_proof_when, organization_view, proof_url
from members.delivery import letters_about
from members.factors import has_second_factor
from members.forms.members import BlockForm, InvitedAddressForm, ProfileForm, RoleForm
from members.leaving import list_leavings, may_deal_with
from members.member_frame import find_member, may_change, member_frame
from members.models import Member
from members.role_texts import abilities_of
from members.selectors.audit import list_history
from members.selectors.consents import may_see_call_detail
from members.selectors.departments import list_departments
from members.services.erasure import erase_member
from members.services.factors import reset_second_factor
from members.services.invitations import change_invited_address
from members.services.members import (
    assign_role,
    block_members,
    change_member,
    send_password_letter,
    unblock_member,
)
from members.services.personal_data import export_member_data
from members.sessions import is_proved
from members.views.answers import data_file
from members.views.audit_rows import audit_days
from skypemgr.forms import form_errors, told_refusals


@organization_view(Capability.VIEW_MEMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: OrganizationRequest, skype_name: str) -> HttpResponse:
    member = find_member(request.organization, skype_name)
    if request.method != "POST":
        return _show_profile(request, member)
    if not may_change(request.actor, member):
        raise PermissionDenied
    form = _profile_form(request, member, request.POST)
    if form.is_valid():
        with form_errors(form):
            change_member(actor=request.actor, organization=request.organization, member=member, **form.cleaned_data)
            messages.success(request, gettext("The profile is saved."))
            return _to_profile(request, member)
    return _show_profile(request, member, form=form)


def _gives_power(request: HttpRequest) -> bool:
    # Any other role than that of a plain member can do something to others.
    return request.POST.get("role") != Member.Role.MEMBER


@organization_view(Capability.ASSIGN_ROLES)
@require_POST
@fresh_proof_when(_gives_power)
def role(request: OrganizationRequest, skype_name: str) -> HttpResponse:
    member = find_member(request.organization, skype_name)
    form = RoleForm(request.POST)
    if form.is_valid():
        with form_errors(form):
            changed = assign_role(
                actor=request.actor, organization=request.organization, member=member, **form.cleaned_data
            )
            text = gettext("{name} now has the role “{role}”.")
            messages.success(request, text.format(name=member.user.display_name, role=changed.get_role_display()))
            return _to_profile(request, member)
    return _show_profile(request, member, role_form=form)


@organization_view(Capability.MANAGE_MEMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
def address(request: OrganizationRequest, skype_name: str) -> HttpResponse:
    member = find_member(request.organization, skype_name)
    form = InvitedAddressForm(request.POST or None, initial={"email": member.email})
    if form.is_valid():
        with form_errors(form):
            change_invited_address(
                actor=request.actor, organization=request.organization, member=member, **form.cleaned_data
            )
            text = gettext("The invitation is on its way to {email}.")
            messages.success(request, text.format(email=form.cleaned_data["email"]))
            return _to_profile(request, member)
    return _show_step(request, member, "members/member_address.html", form)


@organization_view(Capability.MANAGE_MEMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
def block(request: OrganizationRequest, skype_name: str) -> HttpResponse:
    member = find_member(request.organization, skype_name)
    form = BlockForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with form_errors(form):
            blocked = block_members(
                actor=request.actor,
                organization=request.organization,
                members=Member.objects.filter(pk=member.pk),
                reason=form.cleaned_data["reason"],
            )
            text = gettext("{name} can’t sign in any more.") if blocked else gettext("{name} was not blocked.")
            messages.success(request, text.format(name=member.user.display_name))
            return _to_profile(request, member)
    return _show_step(request, member, "members/member_block.html", form)


@organization_view(Capability.MANAGE_MEMBERS)
@require_POST
def unblock(request: OrganizationRequest, skype_name: str) -> HttpResponse:
    member = find_member(request.organization, skype_name)
    with told_refusals(request):
        unblock_member(actor=request.actor, organization=request.organization, member=member)
        messages.success(request, gettext("{name} can sign in again.").format(name=member.user.display_name))
    return _to_profile(request, member)


@organization_view(Capability.MANAGE_MEMBERS)
@require_POST
def password(request: OrganizationRequest, skype_name: str) -> HttpResponse:
    """Send the letter at which somebody chooses a new password."""
    member = find_member(request.organization, skype_name)
    with told_refusals(request):
        send_password_letter(actor=request.actor, organization=request.organization, member=member)
        text = gettext("A letter to choose a new password is on its way to {email}.")
        messages.success(request, text.format(email=member.email))
    return _to_profile(request, member)


@organization_view(Capability.MANAGE_MEMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof
def erase(request: OrganizationRequest, skype_name: str) -> HttpResponse:
    member = find_member(request.organization, skype_name)
    if request.method != "POST":
        return _show_step(request, member, "members/member_erase.html")
    with told_refusals(request):
        member = erase_member(actor=request.actor, organization=request.organization, member=member)
        text = gettext("The personal data is erased. What is left is called {name}.")
        messages.success(request, text.format(name=member.user.skype_name))
    return _to_profile(request, member)


@organization_view(Capability.MANAGE_MEMBERS)
@require_POST
@fresh_proof
def personal_data(request: OrganizationRequest, skype_name: str) -> HttpResponse:
    """A file with what is kept about a member, for them."""
    member = find_member(request.organization, skype_name)
    facts = export_member_data(actor=request.actor, organization=request.organization, member=member)
    return data_file(facts, skype_name=member.user.skype_name)


@organization_view(Capability.ASSIGN_ROLES)
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof
def second_factor(request: OrganizationRequest, skype_name: str) -> HttpResponse:
    """Take the second factor from somebody who has lost theirs."""
    member = find_member(request.organization, skype_name)
    if request.method == "POST":
        with told_refusals(request):
            reset_second_factor(actor=request.actor, organization=request.organization, member=member)
            text = gettext("{name} signs in with the password alone now, and is signed out everywhere.")
            messages.success(request, text.format(name=member.user.display_name))
        return _to_profile(request, member)
    context = member_frame(request, member, "profile") | {
        "has_factor": has_second_factor(member.user),
        "is_own": member.user.owner_id == request.organization.pk,
        "is_self": member == request.member,
    }
    return render(request, "members/member_second_factor.html", context)


@organization_view(Capability.VIEW_AUDIT)
@require_safe
def history(request: OrganizationRequest, skype_name: str) -> HttpResponse:
    member = find_member(request.organization, skype_name)
    page = list_history(member, request.GET)
    context = member_frame(request, member, "history") | {
        "page": page,
        "days": audit_days(page.rows),
        "leavings": list_leavings(member),
    }
    return render(request, "members/member_history.html", context)


def _profile_form(request: OrganizationRequest, member: Member, data: Any = None) -> ProfileForm:
    return ProfileForm(
        data,
        member=member,
        departments=list_departments(request.organization),
        address=member.state in (Member.State.ACTIVE, Member.State.BLOCKED) and member != request.member,
        confirm_at="" if is_proved(request) else proof_url(request),
    )


def _show_profile(
    request: OrganizationRequest,
    member: Member,
    *,
    form: ProfileForm | None = None,
    role_form: RoleForm | None = None,
) -> HttpResponse:
    refused = form or role_form
    stays = member.state != Member.State.LEFT
    context = member_frame(request, member, "profile") | {
        "form": form or _profile_form(request, member),
        "role_form": role_form or RoleForm(initial={"role": member.role}),
        "refused": refused,
        "may_edit": stays and may_change(request.actor, member),
        "may_assign": stays and request.actor.can(Capability.ASSIGN_ROLES),
        "is_self": member == request.member,
        "shows_call_detail": may_see_call_detail(member),
        "is_own": member.user.owner_id == request.organization.pk,
        "abilities": abilities_of(member.role),
        "letters": letters_about(request.organization, member) if request.actor.can(Capability.MANAGE_MEMBERS) else [],
        "may_reset_factor": request.actor.can(Capability.ASSIGN_ROLES)
        and member.user.owner_id == request.organization.pk
        and has_second_factor(member.user),
        "invitation": member.invitations.filter(state="pending").order_by("-pk").first(),
        "now": timezone.now(),
        "may_leave": may_deal_with(request.actor, member),
        "leavings": list_leavings(member),
    }
    return render(request, "members/member_profile.html", context, status=422 if refused else 200)


def _show_step(request: OrganizationRequest, member: Member, template: str, form: Any = None) -> HttpResponse:
    context = member_frame(request, member, "profile") | {"form": form, "is_self": member == request.member}
    return render(request, template, context, status=422 if form is not None and form.errors else 200)


def _to_profile(request: OrganizationRequest, member: Member) -> HttpResponse:
    return redirect("members:member_profile", request.organization.slug, member.user.skype_name)
