"""Which notices somebody gets by letter, and which everybody does who has not chosen."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from members.access import Capability
from members.decorators import OrganizationRequest, organization_view
from members.notices import notices_for, wanted_at_first, wanted_by
from members.registry import Notice, registry
from members.services.notices import choose_notices, set_notices_at_first


@organization_view(Capability.OPEN_CONSOLE)
@require_http_methods(["GET", "HEAD", "POST"])
def notices(request: OrganizationRequest) -> HttpResponse:
    """A box for each notice of the reader's role; for administrators also what holds for everybody else."""
    organization = request.organization
    if request.method == "POST":
        choose_notices(actor=request.actor, organization=organization, wanted=request.POST.getlist("notice"))
        messages.success(request, gettext("Your notices are saved."))
        return redirect("members:notices", organization.slug)
    own = wanted_by(organization, [request.member])[request.member.pk]
    first = wanted_at_first(organization)
    context = {
        "section": "settings",
        "own": [(notice, notice.key in own) for notice in notices_for(request.member.role)],
        "at_first": [(notice, first[notice.key]) for notice in registry.all(Notice)],
        "may_set": request.actor.can(Capability.MANAGE_ORGANIZATION),
    }
    return render(request, "members/notices.html", context)


@organization_view(Capability.MANAGE_ORGANIZATION)
@require_POST
def at_first(request: OrganizationRequest) -> HttpResponse:
    """Say what those get who have not chosen."""
    wanted = request.POST.getlist("notice")
    set_notices_at_first(actor=request.actor, organization=request.organization, wanted=wanted)
    messages.success(request, gettext("The notices are saved."))
    return redirect("members:notices", request.organization.slug)
