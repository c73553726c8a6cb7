"""The credit of one member: what they hold, and each panel that can change it."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from credit.selectors.balances import balance_of
from credit.selectors.inactivity import idleness_of
from credit.views.add_panel import add_panel
from credit.views.recharge_panel import recharge_panel
from credit.views.statements import statement_panel
from members.access import Capability
from members.decorators import OrganizationRequest, organization_view
from members.member_frame import find_member, member_frame
from members.models import Member


@organization_view(Capability.MANAGE_CREDIT)
@require_safe
def member_credit(request: OrganizationRequest, skype_name: str) -> HttpResponse:
    return show_member_credit(request, find_member(request.organization, skype_name))


def show_member_credit(request: OrganizationRequest, member: Member, **refused: Any) -> HttpResponse:
    """The page of a member's credit. ``refused`` holds a form that was not accepted, by the name it has on the page."""
    context = {
        **member_frame(request, member, "credit"),
        "balance": balance_of(request.organization, member),
        "now": timezone.now(),
        "idleness": idleness_of(request.organization, member),
        "add": add_panel(request, member, refused.get("add_form")),
        **statement_panel(request, member),
        "recharge": recharge_panel(request, member, refused.get("recharge_form")),
        "refused": next(iter(refused.values()), None),
    }
    return render(request, "credit/member_credit.html", context, status=422 if refused else 200)
