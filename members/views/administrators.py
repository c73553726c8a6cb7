"""Who holds a role, and how somebody gets one or loses it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.access import Capability
from members.decorators import OrganizationRequest, fresh_proof, organization_view
from members.forms.members import NewRoleForm
from members.member_frame import LAMPS, find_member
from members.models import Member
from members.role_texts import abilities_of
from members.selectors.administrators import find_plain_members, lone_administrator, role_holders_page
from members.services.members import assign_role
from skypemgr.forms import told_refusals
from skypemgr.lists import read_text


@organization_view(Capability.ASSIGN_ROLES)
@require_safe
def administrator_list(request: OrganizationRequest) -> HttpResponse:
    """Everybody with a role, and the members found by what was typed, who could get one."""
    page = role_holders_page(request.organization, request.GET)
    search = read_text(request.GET)
    lone = lone_administrator(request.organization)
    context = {
        "section": "settings",
        "page": page,
        "rows": [(member, LAMPS[Member.State(member.state)], member.pk == lone) for member in page.rows],
        "search": search,
        "found": find_plain_members(request.organization, search),
        "form": NewRoleForm(),
    }
    return render(request, "members/administrator_list.html", context)


@organization_view(Capability.ASSIGN_ROLES)
@require_POST
@fresh_proof
def administrator_add(request: OrganizationRequest) -> HttpResponse:
    """Give somebody a role."""
    form = NewRoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, gettext("Nothing has changed. Choose a role."))
        return redirect("members:administrator_list", request.organization.slug)
    member = find_member(request.organization, form.cleaned_data["skype_name"])
    with told_refusals(request):
        changed = assign_role(
            actor=request.actor, organization=request.organization, member=member, role=form.cleaned_data["role"]
        )
        text = gettext("{name} now has the role “{role}”.")
        messages.success(request, text.format(name=member.user.display_name, role=changed.get_role_display()))
    return redirect("members:administrator_list", request.organization.slug)


@organization_view(Capability.ASSIGN_ROLES)
@require_http_methods(["GET", "HEAD", "POST"])
def administrator_remove(request: OrganizationRequest, skype_name: str) -> HttpResponse:
    """Take the role from somebody, with what that means before the button does it."""
    member = find_member(request.organization, skype_name)
    is_self = member == request.member
    if request.method == "POST":
        with told_refusals(request):
            assign_role(actor=request.actor, organization=request.organization, member=member, role=Member.Role.MEMBER)
            text = gettext("{name} can do nothing in the console any more.")
            messages.success(request, text.format(name=member.user.display_name))
            if is_self:
                return redirect("home")
        return redirect("members:administrator_list", request.organization.slug)
    context = {
        "section": "settings",
        "member": member,
        "is_self": is_self,
        "is_last": member.pk == lone_administrator(request.organization),
        "abilities": abilities_of(member.role),
    }
    return render(request, "members/administrator_remove.html", context)
