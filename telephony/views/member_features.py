"""The features of one member: what they have, and what can be assigned and taken away."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from members.access import Capability
from members.decorators import OrganizationRequest, organization_view
from members.member_frame import find_member, member_frame
from members.models import Member
from skypemgr.characters import storable
from skypemgr.forms import told_refusals
from telephony.forms.features import FeatureForm, forms_of
from telephony.models import Product
from telephony.seating import carrying_numbers
from telephony.selectors.assignments import open_assignments
from telephony.selectors.features import list_member_features
from telephony.services.seats import assign_licenses, unassign_licenses


@organization_view(Capability.MANAGE_VOICE)
@require_safe
def member_features(request: OrganizationRequest, skype_name: str) -> HttpResponse:
    return show_member_features(request, find_member(request.organization, skype_name))


def show_member_features(
    request: OrganizationRequest, member: Member, refused: FeatureForm | None = None
) -> HttpResponse:
    """The page of what a member has; ``refused`` is a setting that was not accepted."""
    context = {
        **member_frame(request, member, "features"),
        "features": list_member_features(request.organization, member),
        # Who has Phone System in one of these has their number with it.
        "number": next((one.number.number for one in open_assignments(request.organization, [member])), ""),
        "carrying": carrying_numbers(),
        "left": member.state == Member.State.LEFT,
        "forms": forms_of(member, refused),
        "refused": refused,
    }
    return render(request, "telephony/member_features.html", context, status=422 if refused else 200)


@organization_view(Capability.MANAGE_VOICE)
@require_POST
def member_assign(request: OrganizationRequest, skype_name: str) -> HttpResponse:
    """Give a member a seat of a product."""
    member, product = find_member(request.organization, skype_name), _find_product(request)
    with told_refusals(request):
        assign_licenses(
            actor=request.actor,
            organization=request.organization,
            product=product,
            members=Member.objects.filter(pk=member.pk),
        )
        text = gettext("{name} has {product} now.")
        messages.success(request, text.format(name=member.user.display_name, product=product.name))
    return redirect("telephony:member_features", request.organization.slug, member.user.skype_name)


@organization_view(Capability.MANAGE_VOICE)
@require_POST
def member_unassign(request: OrganizationRequest, skype_name: str) -> HttpResponse:
    """Take a seat away from a member; with ``together``, what requires it as well."""
    member, product = find_member(request.organization, skype_name), _find_product(request)
    with told_refusals(request):
        unassign_licenses(
            actor=request.actor,
            organization=request.organization,
            product=product,
            members=Member.objects.filter(pk=member.pk),
            with_dependents="together" in request.POST,
        )
        text = gettext("{name} has no seat of {product} any more.")
        messages.success(request, text.format(name=member.user.display_name, product=product.name))
    return redirect("telephony:member_features", request.organization.slug, member.user.skype_name)


def _find_product(request: OrganizationRequest) -> Product:
    return get_object_or_404(Product, code=storable(request.POST.get("product", "")))
