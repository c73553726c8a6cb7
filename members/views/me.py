"""A person's own pages: everything they belong to, and what they change about themselves."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.access import ROLES, Capability
from members.audit_texts import action_text
from members.consents import latest_consents
from members.decorators import SignedInRequest, fresh_proof, signed_in_view
from members.forms.me import AddressForm, ProfileForm
from members.models import Member, Organization
from members.models.people import MemberQuerySet
from members.personal_data import data_of_account
from members.registry import PersonalPanel, registry
from members.seen import list_looks, sight_of
from members.selectors.colleagues import colleagues_page
from members.selectors.consents import list_consents
from members.selectors.invitations import invitations_for
from members.selectors.memberships import list_left, list_memberships
from members.services.consents import decide_call_detail
from members.services.profile import MAY_LEAVE, change_profile, leave_organization
from members.services.profile import change_address as replace_address
from members.tokens import invitation_token
from members.views.answers import data_file, page_with_form
from skypemgr.forms import form_errors
from skypemgr.lists import read_text


@signed_in_view
@require_safe
def home(request: SignedInRequest) -> HttpResponse:
    """What this person has and may do, in each of their organizations."""
    memberships = list_memberships(request.user)
    active = [member for member in memberships if member.state == Member.State.ACTIVE]
    left = list_left(request.user)
    panels = [
        panel.render(request, member)
        for panel in registry.all(PersonalPanel)
        for member in [*active, *(left if panel.after_leaving else ())]
    ]
    consents = latest_consents([member.pk for member in memberships])
    context = {
        "memberships": [
            {
                "member": member,
                "opens_console": _opens_console(member),
                "may_leave": _may_leave(member),
                "sees_colleagues": member.state == Member.State.ACTIVE and member.organization.show_colleagues,
                "shows_call_detail": member.pk in consents and consents[member.pk].given,
            }
            for member in memberships
        ],
        "panels": [panel for panel in panels if panel],
        "invitations": [
            {"invitation": invitation, "token": invitation_token(invitation)}
            for invitation in invitations_for(request.user)
        ],
    }
    return render(request, "me/home.html", context)


def _opens_console(member: Member) -> bool:
    return member.state == Member.State.ACTIVE and Capability.OPEN_CONSOLE in ROLES[member.role]


def _may_leave(member: Member) -> bool:
    return member.state in MAY_LEAVE and member.user.kind == "personal"


@signed_in_view
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: SignedInRequest) -> HttpResponse:
    """Names and language; the page also holds the form for the address."""
    user = request.user
    names = {"first_name": user.first_name, "last_name": user.last_name, "language": user.language}
    form = ProfileForm(request.POST or None, initial=names, person=user)
    if request.method == "POST" and form.is_valid():
        change_profile(actor=request.actor, **form.cleaned_data)
        # In the language that was just chosen, in which the next page is.
        with translation.override(form.cleaned_data["language"] or get_language()):
            messages.success(request, gettext("Your settings are saved."))
        return redirect("me:settings")
    return _show_settings(request, profile=form)


@signed_in_view
@require_POST
def change_address(request: SignedInRequest) -> HttpResponse:
    """Move to another e-mail address."""
    form = AddressForm(request.POST)
    if form.is_valid():
        with form_errors(form):
            user = replace_address(actor=request.actor, **form.cleaned_data)
            messages.success(request, _("A letter to {email} asks you to confirm it.").format(email=user.email))
            return redirect("me:settings")
    return _show_settings(request, address=form)


def _show_settings(request: SignedInRequest, **forms_with_answers: forms.Form) -> HttpResponse:
    user = request.user
    names = {"first_name": user.first_name, "last_name": user.last_name, "language": user.language}
    page: dict[str, Any] = {
        "profile": ProfileForm(initial=names, person=user),
        "address": AddressForm(),
    } | forms_with_answers
    page["refused"] = next((form for form in forms_with_answers.values() if form.is_bound), None)
    return page_with_form(request, "me/settings.html", page, page["refused"])


@signed_in_view
@require_POST
@fresh_proof
def personal_data(request: SignedInRequest) -> HttpResponse:
    """A file with everything that is kept about whoever asks."""
    return data_file(data_of_account(request.user), skype_name=request.user.skype_name)


@signed_in_view
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: SignedInRequest, slug: str) -> HttpResponse:
    """Leave an organization with a personal account; the page says what that means before the button does it."""
    organization = get_object_or_404(Organization, slug=slug, members__user=request.user, members__state__in=MAY_LEAVE)
    form = forms.Form(request.POST if request.method == "POST" else None)
    if form.is_bound:
        with form_errors(form):
            leave_organization(actor=request.actor, organization=organization)
        if not form.errors:
            messages.success(request, _("You left {name}.").format(name=organization.name))
            return redirect("me:home")
    context = {"organization": organization, "form": form}
    return render(request, "me/leave.html", context, status=422 if form.is_bound else 200)


@signed_in_view
@require_http_methods(["GET", "HEAD", "POST"])
def call_detail(request: SignedInRequest, slug: str) -> HttpResponse:
    """Whether administrators see whom the owner of a personal account calls: what was decided, and a button."""
    present = _memberships(request).filter(state__in=[Member.State.ACTIVE, Member.State.BLOCKED])
    member = get_object_or_404(present, organization__slug=slug)
    history = list_consents(member)
    given = bool(history) and history[0].given
    form = forms.Form(request.POST if request.method == "POST" else None)
    if form.is_bound:
        with form_errors(form):
            agrees = request.POST.get("given") == "yes"
            decide_call_detail(actor=request.actor, organization=member.organization, given=agrees)
            text = (
                _("Administrators of {name} may see whom you call.")
                if agrees
                else _("Administrators of {name} don’t see whom you call.")
            )
            messages.success(request, text.format(name=member.organization.name))
        if not form.errors:
            return redirect("me:call_detail", slug)
    context = {"member": member, "organization": member.organization, "form": form, "given": given, "history": history}
    return render(request, "me/call_detail.html", context, status=422 if form.is_bound else 200)


@signed_in_view
@require_safe
def seen(request: SignedInRequest, slug: str) -> HttpResponse:
    """What an organization sees of whoever asks, who there sees it, and when somebody looked."""
    present = _memberships(request).filter(state__in=[Member.State.ACTIVE, Member.State.BLOCKED])
    member = get_object_or_404(present, organization__slug=slug)
    consents = list_consents(member)
    context = {
        "member": member,
        "organization": member.organization,
        "sight": sight_of(member.organization, member.account_kind, agreed=bool(consents) and consents[0].given),
        "looks": [(entry.at, action_text(entry)) for entry in list_looks(member)],
    }
    return render(request, "me/seen.html", context)


@signed_in_view
@require_safe
def colleagues(request: SignedInRequest, slug: str) -> HttpResponse:
    """Who else is a member, where the organization lets its members see that."""
    mine = _memberships(request).filter(state=Member.State.ACTIVE, organization__show_colleagues=True)
    organization = get_object_or_404(mine, organization__slug=slug).organization
    search = read_text(request.GET)
    context = {
        "organization": organization,
        "search": search,
        "page": colleagues_page(organization, request.GET, search=search, text=_("Shown: {shown}, by name")),
    }
    return render(request, "me/colleagues.html", context)


def _memberships(request: SignedInRequest) -> MemberQuerySet:
    return Member.objects.filter(user=request.user).select_related("organization", "user")
