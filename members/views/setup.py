"""Set-up in three steps; what was answered waits in the session until the last one."""

from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from members.access import Actor
from members.decorators import client_address, public_view
from members.forms.setup import CompanyForm, ExistingFounderForm, FinishForm, NewFounderForm
from members.known_browsers import known_browser
from members.models import User
from members.names import propose_admin_name
from members.places import country_choices, country_of, currency_choices, currency_of, time_zone_choices, time_zone_of
from members.services.accounts import sign_in_user
from members.services.organizations import Company, Founder, set_up_organization, setup_is_open
from members.sessions import open_session
from members.skype_names import free_skype_name
from members.views.answers import page_with_form
from skypemgr.forms import form_errors

DRAFT = "setup"


def _actor(request: HttpRequest) -> Actor:
    user = request.user if request.user.is_authenticated else None
    address = client_address(request)
    if user is not None and user.is_operator:
        return Actor.operator(user, address=address)
    return Actor.of_person(user, address=address) if user else Actor.visitor(address=address)


def _steps() -> list[tuple[Any, str]]:
    return [
        (_("Your company"), reverse("setup")),
        (_("Your account"), reverse("setup_account")),
        (_("Check and finish"), ""),
    ]


def _closed(request: HttpRequest) -> HttpResponse:
    return render(request, "setup/closed.html", status=403)


@public_view
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """Step one: the company."""
    if not setup_is_open(_actor(request)):
        return _closed(request)
    draft = request.session.get(DRAFT, {})
    country = country_of(get_language() or "en")
    initial = draft.get("company") or {"country": country, "currency": currency_of(country)}
    form = CompanyForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        request.session[DRAFT] = {**draft, "company": form.cleaned_data}
        return redirect("setup_account")
    context = {"form": form, "steps": _steps()}
    return render(request, "setup/company.html", context, status=422 if form.is_bound else 200)


@public_view
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Step two: a new account for the administrator, or a personal one that exists."""
    draft = request.session.get(DRAFT, {})
    if "company" not in draft:
        return redirect("setup")
    if request.user.is_authenticated and request.user.kind == User.Kind.PERSONAL and "new" not in request.GET:
        if request.method == "POST":
            request.session[DRAFT] = {**draft, "account": {"existing": request.user.pk}}
            return redirect("setup_check")
        return render(request, "setup/account_own.html", {"steps": _steps()})
    if "existing" in request.GET:
        return _existing_account(request, draft)
    initial = {"skype_name": free_skype_name(propose_admin_name(draft["company"]["name"])), **draft.get("account", {})}
    form = NewFounderForm(request.POST or None, initial=initial, company=draft["company"]["name"])
    if request.method == "POST" and form.is_valid():
        facts = form.cleaned_data
        # What waits in the session is a hash, as it will be in the account.
        request.session[DRAFT] = {**draft, "account": {**facts, "password": make_password(facts["password"])}}
        return redirect("setup_check")
    context = {"form": form, "steps": _steps()}
    return render(request, "setup/account_new.html", context, status=422 if form.is_bound else 200)


def _existing_account(request: HttpRequest, draft: dict[str, Any]) -> HttpResponse:
    form = ExistingFounderForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with form_errors(form):
            user = sign_in_user(actor=_actor(request), browser=known_browser(request), **form.cleaned_data)
            if user.kind == User.Kind.PERSONAL:
                request.session[DRAFT] = {**draft, "account": {"existing": user.pk}}
                return open_session(request, user, then=reverse("setup_check"))
            form.add_error("login", gettext("This is a business account of a company. Use a personal account."))
    context = {"form": form, "steps": _steps()}
    return page_with_form(request, "setup/account_existing.html", context, form)


@public_view
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest) -> HttpResponse:
    """Step three: everything once more, and the button that sets up."""
    draft = request.session.get(DRAFT, {})
    if "account" not in draft:
        return redirect("setup_account")
    company, founder = Company(**draft["company"]), draft["account"]
    own = request.user if request.user.is_authenticated and request.user.pk == founder.get("existing") else None
    if own is None and "existing" in founder:
        return redirect("setup_account")
    # Whoever set up in one language goes on in it, whatever the company's letters are written in.
    language = get_language() or "en"
    form = FinishForm(request.POST or None, initial={"key": uuid4()})
    if request.method == "POST" and form.is_valid():
        with form_errors(form):
            member = set_up_organization(
                actor=_actor(request),
                company=company,
                founder=Founder(user=own) if own else Founder(**founder, language=language),
                key=form.cleaned_data["key"],
            )
            request.session.pop(DRAFT, None)
            messages.success(
                request, gettext("%(company)s is set up, and you are signed in.") % {"company": company.name}
            )
            console = reverse("reports:dashboard", args=[member.organization.slug])
            # Whoever was signed in already goes on; a new account has no second factor yet.
            return redirect(console) if own else open_session(request, member.user, then=console)
    zones = {zone: label for _country, group in time_zone_choices(language) for zone, label in group}
    context = {
        "form": form,
        "steps": _steps(),
        "company": company,
        "founder": founder,
        "own": own,
        "country": dict(country_choices(language))[company.country],
        "currency": dict(currency_choices(language))[company.currency],
        "time_zone": zones[company.time_zone or time_zone_of(company.country)],
    }
    return render(request, "setup/check.html", context, status=422 if form.is_bound else 200)
