"""Auto-recharge of one member: a panel of the page of their credit."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from credit.errors import HasLeft
from credit.forms.recharge import RechargeForm
from credit.services.recharge import set_auto_recharge, stop_auto_recharge
from credit.views.member_credit import show_member_credit
from members.access import Capability
from members.decorators import OrganizationRequest, organization_view
from members.member_frame import find_member
from members.models import Member
from skypemgr.forms import form_errors


@organization_view(Capability.MANAGE_CREDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def member_recharge(request: OrganizationRequest, skype_name: str) -> HttpResponse:
    """Save and activate; the form itself is on the page of the member's credit."""
    member = find_member(request.organization, skype_name)
    if request.method != "POST":
        return _to_panel(request, member)
    form = RechargeForm(request.POST, currency=request.organization.currency)
    if form.is_valid():
        with form_errors(form):
            if member.state == Member.State.LEFT:
                raise HasLeft(name=member.user.display_name)
            set_auto_recharge(
                actor=request.actor,
                organization=request.organization,
                members=Member.objects.filter(pk=member.pk),
                **form.cleaned_data,
            )
            text = gettext("Auto-recharge of {name} is on.").format(name=member.user.display_name)
            messages.success(request, text)
            return _to_panel(request, member)
    return show_member_credit(request, member, recharge_form=form)


@organization_view(Capability.MANAGE_CREDIT)
@require_POST
def member_recharge_off(request: OrganizationRequest, skype_name: str) -> HttpResponse:
    """Turn it off; what the member holds stays theirs."""
    member = find_member(request.organization, skype_name)
    stop_auto_recharge(
        actor=request.actor, organization=request.organization, members=Member.objects.filter(pk=member.pk)
    )
    messages.success(request, gettext("Auto-recharge of {name} is off.").format(name=member.user.display_name))
    return _to_panel(request, member)


def _to_panel(request: OrganizationRequest, member: Member) -> HttpResponse:
    page = reverse("credit:member_credit", args=[request.organization.slug, member.user.skype_name])
    return redirect(f"{page}#auto-recharge")
