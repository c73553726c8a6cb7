"""Settings of features, on the page of a member and on one's own."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from members.access import Capability
from members.decorators import OrganizationRequest, SignedInRequest, organization_view, signed_in_view
from members.member_frame import find_member
from members.models import Member
from skypemgr.forms import form_errors
from telephony.feature_settings import PRODUCTS
from telephony.forms.features import FeatureForm, forms_of
from telephony.product_names import name_of
from telephony.services.feature_settings import set_feature, set_own_feature
from telephony.views.member_features import show_member_features


@organization_view(Capability.MANAGE_VOICE)
@require_POST
def member_setting(request: OrganizationRequest, skype_name: str) -> HttpResponse:
    """Save what is set of a member's feature."""
    kind = request.POST.get("kind", "")
    member, form = find_member(request.organization, skype_name), _form(request.POST, kind)
    if form.is_valid():
        with form_errors(form):
            set_feature(
                actor=request.actor,
                organization=request.organization,
                member=member,
                kind=kind,
                values=form.cleaned_data,
            )
            messages.success(request, _saved(kind))
            return redirect("telephony:member_features", request.organization.slug, member.user.skype_name)
    return show_member_features(request, member, form)


@signed_in_view
@require_safe
def my_features(request: SignedInRequest, slug: str) -> HttpResponse:
    """What somebody can set of their own features in an organization."""
    return _show_own(request, _own(request, slug))


@signed_in_view
@require_POST
def my_setting(request: SignedInRequest, slug: str, kind: str) -> HttpResponse:
    """Save what somebody set of their own feature."""
    member, form = _own(request, slug), _form(request.POST, kind)
    if form.is_valid():
        with form_errors(form):
            set_own_feature(actor=request.actor, organization=member.organization, kind=kind, values=form.cleaned_data)
            messages.success(request, _saved(kind))
            return redirect("my_features:settings", slug)
    return _show_own(request, member, form)


def _form(data: Any, kind: str) -> FeatureForm:
    if kind not in PRODUCTS:
        raise Http404
    return FeatureForm(data, kind=kind)


def _own(request: SignedInRequest, slug: str) -> Member:
    members = Member.objects.select_related("organization", "user").filter(state=Member.State.ACTIVE)
    return get_object_or_404(members, organization__slug=slug, user=request.user)


def _show_own(request: SignedInRequest, member: Member, refused: FeatureForm | None = None) -> HttpResponse:
    forms: Sequence[tuple[str, FeatureForm]] = forms_of(member, refused)
    context = {"member": member, "forms": forms, "refused": refused}
    return render(request, "telephony/my_feature_settings.html", context, status=422 if refused else 200)


def _saved(kind: str) -> str:
    return gettext("{feature} is saved.").format(feature=name_of(PRODUCTS[kind]))
