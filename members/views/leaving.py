"""The leaving of somebody with a business account: everything it means on one page, and what was done, afterwards."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from members.access import Capability
from members.decorators import OrganizationRequest, organization_view
from members.errors import LeavingChanged, Refusal
from members.forms.leaving import LeavingForm
from members.leaving import (
    Left,
    ends_with_invitation,
    list_left,
    may_deal_with,
    require_all_allowed,
    tell_leaving,
)
from members.member_frame import find_member, may_change, member_frame
from members.models import Leaving, Member
from members.services.leavers import process_leaver
from members.views.answers import page_with_form
from skypemgr.forms import form_errors


@organization_view(Capability.MANAGE_MEMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
def leaver(request: OrganizationRequest, skype_name: str) -> HttpResponse:
    """What somebody would leave behind, with what becomes of each, and the form that does it."""
    member = find_member(request.organization, skype_name)
    offered = may_deal_with(request.actor, member) and may_change(request.actor, member)
    left = list_left(request.actor, member) if offered else []
    form = LeavingForm(request.POST if request.method == "POST" else None, left=left)
    if form.is_valid():
        with form_errors(form):
            leaving = process_leaver(
                actor=request.actor,
                organization=request.organization,
                member=member,
                key=form.cleaned_data["key"],
                choices=form.choices,
                seen=form.cleaned_data["seen"],
                reason=form.cleaned_data["reason"],
            )
            text = gettext("The leaving of {name} is dealt with.")
            messages.success(request, text.format(name=member.user.display_name))
            return redirect("members:leaving_detail", request.organization.slug, member.user.skype_name, leaving.pk)
    if isinstance(getattr(form, "refusal", None), LeavingChanged):
        # Nobody confirms again what they have not seen: a form of what is there now, under the sentence.
        form.show_again()
    context = member_frame(request, member, "profile") | {
        "form": form,
        "offered": offered,
        "needs_administrator": _needs_administrator(member, left),
        "is_self": member == request.member,
        "is_own": member.user.owner_id == request.organization.pk,
        "ends": ends_with_invitation(member),
        "told": [one.line for one in left if one.allowed and not one.line.choices],
        "not_theirs": [one.line for one in left if not one.allowed],
    }
    return page_with_form(request, "members/member_leaving.html", context, form)


@organization_view(Capability.MANAGE_MEMBERS)
@require_safe
def leaving_detail(request: OrganizationRequest, skype_name: str, key: int) -> HttpResponse:
    """What was done when somebody left, line by line."""
    member = find_member(request.organization, skype_name)
    leaving = get_object_or_404(
        Leaving.objects.select_related("made_by__user"), organization=request.organization, member=member, pk=key
    )
    context = member_frame(request, member, "profile") | {
        "leaving": leaving,
        "name_then": member.name_at(leaving.made_at),
        "made_by": leaving.made_by.name_at(leaving.made_at) if leaving.made_by else gettext("Skype Manager"),
        "lines": tell_leaving(request.organization, leaving),
        "may_hand_over": member.user.owner_id == request.organization.pk
        and member.state == Member.State.BLOCKED
        and may_change(request.actor, member),
    }
    return render(request, "members/leaving.html", context)


def _needs_administrator(member: Member, left: list[Left]) -> str:
    try:
        require_all_allowed(member, left)
    except Refusal as refusal:
        return str(refusal)
    return ""
