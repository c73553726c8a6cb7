"""The button that makes idle credit active again, or keeps it so: for a member's credit, and for one's own."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from credit.services.idle_credit import reactivate_credit, reactivate_own_credit
from credit.views.statements import own_request
from members.access import Capability
from members.decorators import OrganizationRequest, SignedInRequest, organization_view, signed_in_view
from members.member_frame import find_member


@organization_view(Capability.MANAGE_CREDIT)
@require_POST
def member_reactivate(request: OrganizationRequest, skype_name: str) -> HttpResponse:
    member = find_member(request.organization, skype_name)
    reactivate_credit(actor=request.actor, organization=request.organization, member=member)
    messages.success(request, gettext("Credit of {name} is active.").format(name=member.user.display_name))
    return redirect("credit:member_credit", request.organization.slug, member.user.skype_name)


@signed_in_view
@require_POST
def my_credit_reactivate(request: SignedInRequest, slug: str) -> HttpResponse:
    organization = own_request(request, slug).organization
    reactivate_own_credit(actor=request.actor, organization=organization)
    messages.success(request, gettext("Your credit at {name} is active.").format(name=organization.name))
    return redirect("me:home")
