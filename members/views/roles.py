from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from members.access import Capability
from members.decorators import OrganizationRequest, organization_view
from members.role_texts import list_capabilities, list_roles


@organization_view(Capability.VIEW_MEMBERS)
@require_safe
def role_table(request: OrganizationRequest) -> HttpResponse:
    """What each role may do."""
    context = {
        "section": "members",
        "subsection": "roles",
        "roles": list_roles(request.organization),
        "rows": list_capabilities(),
        "may_assign": request.actor.can(Capability.ASSIGN_ROLES),
    }
    return render(request, "members/role_table.html", context)
