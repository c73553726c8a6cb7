"""What somebody with a number sees of it: which it is, where they are found, and how emergency calls work."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_POST, require_safe

from members.decorators import SignedInRequest, signed_in_view
from members.models import Member
from skypemgr.forms import told_refusals
from telephony.emergency import civic_of, lines_of
from telephony.models import CountryRule, Disclaimer
from telephony.selectors.acknowledgments import Standing, standings_of, standings_of_account
from telephony.services.acknowledgments import acknowledge_emergency_calls


@signed_in_view
@require_safe
def my_phone(request: SignedInRequest) -> HttpResponse:
    """The number of whoever asks, in each organization that gave them one."""
    standings = standings_of_account(request.user)
    countries = {one.assignment.number.area.country for one in standings}
    rules = {rule.country: rule for rule in CountryRule.objects.filter(country__in=countries)} if standings else {}
    texts = Disclaimer.objects.in_bulk([one.disclaimer for one in standings if one.disclaimer])
    context = {"phones": [_shown(one, rules, texts) for one in standings]}
    return render(request, "telephony/my_phone.html", context)


@signed_in_view
@require_POST
def my_phone_acknowledge(request: SignedInRequest, slug: str) -> HttpResponse:
    """Note that whoever asks has read how emergency calls work with their number."""
    mine = Member.objects.filter(user=request.user, state=Member.State.ACTIVE).select_related("organization")
    organization = get_object_or_404(mine, organization__slug=slug).organization
    form = StampForm(request.POST)
    with told_refusals(request):
        stamp = form.cleaned_data["stamp"] if form.is_valid() else ""
        acknowledge_emergency_calls(actor=request.actor, organization=organization, stamp=stamp)
        messages.success(request, gettext("Thank you. It is noted that you have read how emergency calls work."))
    return redirect("my_phone:phone")


class StampForm(forms.Form):
    """Which text somebody has read."""

    stamp = forms.CharField(max_length=64)


def render_own_phone(request: HttpRequest, member: Member) -> str:
    """The panel of /me/ with the number of ``member``, and whether anything is missing; "" for who has none."""
    found = standings_of(member.organization, [member])
    if not found:
        return ""
    return render_to_string("telephony/my_phone_panel.html", {**_shown(found[0], {}, {}), "member": member}, request)


def _shown(standing: Standing, rules: dict[str, CountryRule], texts: dict[int, Disclaimer]) -> dict[str, Any]:
    assignment = standing.assignment
    rule, text = rules.get(assignment.number.area.country), texts.get(standing.disclaimer or 0)
    return {
        "standing": standing,
        "assignment": assignment,
        "organization": assignment.member.organization,
        "lines": lines_of(civic_of(assignment.emergency_address)),
        "emergency_numbers": [one.strip() for one in rule.emergency_numbers.split(",")] if rule else [],
        "disclaimer": text,
        "text": text.text_in(get_language() or "en") if text else "",
    }
