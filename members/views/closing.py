"""The end of an organization: what it needs and what it means, asked for and called off."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from members.access import Capability
from members.decorators import OrganizationRequest, fresh_proof, organization_view
from members.forms.organization import ClosingForm
from members.registry import ClosingStep, registry
from members.services.closing import ask_to_close, call_closing_off
from members.views.answers import page_with_form
from skypemgr.forms import form_errors, told_refusals
from skypemgr.templatetags.look import day


@organization_view(Capability.MANAGE_ORGANIZATION)
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof
def closing(request: OrganizationRequest) -> HttpResponse:
    """What has to end before, what will happen, what to export, and the form that asks for it."""
    organization = request.organization
    steps = registry.all(ClosingStep)
    consequences = [text for step in steps for text in step.consequences(organization)]
    form = ClosingForm(request.POST if request.method == "POST" else None, consequences=consequences)
    if form.is_valid():
        with form_errors(form):
            closing_one = ask_to_close(actor=request.actor, organization=organization, name=form.cleaned_data["name"])
            text = gettext("This Skype Manager closes on {date}. Every administrator gets a letter.")
            messages.success(request, text.format(date=day(closing_one.closes_at)))
            return redirect("members:organization_closing", organization.slug)
    context = {
        "section": "settings",
        "form": form,
        "obstacles": [obstacle for step in steps for obstacle in step.obstacles(organization)],
        "files": [file for step in steps for file in step.files(organization)],
        "days": settings.CLOSING_DAYS,
    }
    return page_with_form(request, "members/organization_closing.html", context, form)


@organization_view(Capability.MANAGE_ORGANIZATION)
@require_POST
def call_off(request: OrganizationRequest) -> HttpResponse:
    """Let it go on."""
    with told_refusals(request):
        if call_closing_off(actor=request.actor, organization=request.organization):
            messages.success(request, gettext("This Skype Manager stays open."))
    return redirect("members:organization_settings", request.organization.slug)
