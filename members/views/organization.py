from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_http_methods

from members.access import Capability
from members.decorators import OrganizationRequest, fresh_proof, organization_view
from members.factors import has_second_factor
from members.forms.organization import OrganizationSettingsForm
from members.forms.security import SecondFactorRuleForm
from members.places import country_choices, currency_choices
from members.selectors.factors import count_administrators
from members.services.organization_settings import change_organization_settings, change_second_factor_rule
from members.views.answers import page_with_form
from skypemgr.forms import form_errors

CHANGEABLE = ("name", "time_zone", "language", "allow_personal_accounts", "show_colleagues")


@organization_view(Capability.MANAGE_ORGANIZATION)
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: OrganizationRequest) -> HttpResponse:
    organization = request.organization
    form = OrganizationSettingsForm(
        request.POST if request.method == "POST" else None,
        initial={name: getattr(organization, name) for name in CHANGEABLE},
    )
    if form.is_valid():
        with form_errors(form):
            change_organization_settings(actor=request.actor, organization=organization, **form.cleaned_data)
            messages.success(request, gettext("The settings are saved."))
            return redirect("members:organization_settings", organization.slug)
    language = get_language() or "en"
    context = {
        "section": "settings",
        "form": form,
        "country": dict(country_choices(language)).get(organization.country, organization.country),
        "currency": dict(currency_choices(language)).get(organization.currency, organization.currency),
    }
    return render(request, "members/organization_settings.html", context, status=422 if form.errors else 200)


@organization_view(Capability.MANAGE_ORGANIZATION)
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof
def second_factor_rule(request: OrganizationRequest) -> HttpResponse:
    """Say whether administrators need a second factor, with what that means before the button does it."""
    organization = request.organization
    form = SecondFactorRuleForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with form_errors(form):
            change_second_factor_rule(actor=request.actor, organization=organization, **form.cleaned_data)
            if form.cleaned_data["required"]:
                messages.success(request, gettext("Administrators need a second factor from now on."))
            else:
                messages.success(request, gettext("Administrators may sign in with a password alone."))
            return redirect("members:organization_settings", organization.slug)
    administrators, with_factor = count_administrators(organization)
    context = {
        "section": "settings",
        "form": form,
        "administrators": administrators,
        "with_factor": with_factor,
        "has_own": has_second_factor(request.user),
    }
    return page_with_form(request, "members/second_factor_rule.html", context, form)
