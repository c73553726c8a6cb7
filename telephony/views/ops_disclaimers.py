"""What countries ask and what has to be accepted for them, kept by those who run the installation."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from members.decorators import SignedInRequest, operator_view
from members.places import country_name
from skypemgr.forms import form_errors
from telephony.address_errors import DisclaimerReplaced
from telephony.countries import rule_of
from telephony.forms.emergency_addresses import CountryRuleForm, DisclaimerForm
from telephony.models import CountryRule, Disclaimer
from telephony.selectors.disclaimers import list_disclaimers
from telephony.services.disclaimers import change_country_rule, publish_disclaimer


@operator_view
@require_safe
def disclaimer_list(request: SignedInRequest) -> HttpResponse:
    """Every country with its rule and the version that counts."""
    context = {"operator_page": "disclaimers", "rows": list_disclaimers()}
    return render(request, "telephony/ops_disclaimer_list.html", context)


@operator_view
@require_safe
def disclaimer_detail(request: SignedInRequest, country: str) -> HttpResponse:
    return _show(request, country)


@operator_view
@require_POST
def disclaimer_publish(request: SignedInRequest, country: str) -> HttpResponse:
    """Publish the next version, which every organization has to accept anew."""
    last = _last(country)
    form = DisclaimerForm(request.POST)
    if form.is_valid():
        with form_errors(form):
            texts = {**form.cleaned_data}
            if texts.pop("version") != last.version:
                raise DisclaimerReplaced
            disclaimer = publish_disclaimer(actor=request.actor, country=country, **texts)
            text = gettext("Version {version} for {country} is published.")
            messages.success(request, text.format(version=disclaimer.version, country=country_name(country)))
            return redirect("emergency_ops:disclaimer_list")
    return _show(request, country, form=form)


@operator_view
@require_POST
def rule_change(request: SignedInRequest, country: str) -> HttpResponse:
    """Save what a country asks of numbers and emergency addresses."""
    _last(country)
    form = CountryRuleForm(request.POST, matches=CountryRule.AreaMatch.choices)
    if form.is_valid():
        change_country_rule(actor=request.actor, country=country, **form.cleaned_data)
        messages.success(request, gettext("The rule of {country} is saved.").format(country=country_name(country)))
        return redirect("emergency_ops:disclaimer_detail", country)
    return _show(request, country, rule_form=form)


def _last(country: str) -> Disclaimer:
    last = Disclaimer.objects.filter(country=country).order_by("-version").first()
    if last is None:
        raise Http404
    return last


def _show(request: SignedInRequest, country: str, **forms: Any) -> HttpResponse:
    last, rule = _last(country), rule_of(country)
    texts = {name: getattr(last, name) for name in ("text_en", "text_fr", "text_sv", "version")}
    asked = {name: getattr(rule, name) for name in ("address_first", "area_match", "place_needed", "emergency_numbers")}
    context = {
        "operator_page": "disclaimers",
        "country": country,
        "name": country_name(country),
        "rule": rule,
        "versions": Disclaimer.objects.filter(country=country).select_related("published_by").order_by("-version")[:20],
        "form": DisclaimerForm(initial=texts),
        "rule_form": CountryRuleForm(initial=asked, matches=CountryRule.AreaMatch.choices),
        **forms,
        "refused": next(iter(forms.values()), None),
    }
    return render(request, "telephony/ops_disclaimer.html", context, status=422 if forms else 200)
