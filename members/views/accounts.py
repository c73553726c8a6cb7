"""Signing in and out, forgotten passwords, first passwords, and addresses that are confirmed."""

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.access import Actor
from members.decorators import SignedInRequest, client_address, first_password_view, public_view, signed_in_view
from members.errors import LinkDead
from members.forms.accounts import FirstPasswordForm, RequestResetForm, ResetPasswordForm, SignInForm
from members.forms.security import PasskeyForm
from members.known_browsers import known_browser
from members.landing import landing_url
from members.passkeys import passkey_url, relying_party
from members.selectors.accounts import find_account_of_link
from members.selectors.memberships import list_consoles
from members.services import accounts
from members.services.organizations import setup_is_open
from members.sessions import end_this_session, open_session, renew_session
from members.tokens import read_address_token
from members.views.answers import page_with_form
from skypemgr.forms import form_errors, told_refusals
from skypemgr.redirects import return_path


def _visitor(request: HttpRequest) -> Actor:
    return Actor.visitor(address=client_address(request))


@public_view
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in by Skype Name or e-mail address."""
    form = SignInForm(request.POST or None, initial={key: request.GET.get(key, "") for key in ("next", "login")})
    if request.method == "POST" and form.is_valid():
        with form_errors(form):
            user = accounts.sign_in_user(
                actor=_visitor(request),
                login=form.cleaned_data["login"],
                password=form.cleaned_data["password"],
                browser=known_browser(request),
            )
            return open_session(request, user, stay=form.cleaned_data["stay"], then=return_path(request))
    elif request.user.is_authenticated:
        return redirect(landing_url(request.user))
    return show_sign_in(request, form)


def show_sign_in(request: HttpRequest, form: SignInForm, refused: BaseForm | None = None) -> HttpResponse:
    """The page to sign in, with what was refused on it, if anything was: of ``form``, or of a passkey."""
    context = {
        "form": form,
        "refused": refused or form,
        "passkey": PasskeyForm(initial=form.initial),
        "passkeys_at": "" if relying_party(request) else passkey_url(request),
        "has_passkeys": relying_party(request) is not None,
        "setup_open": setup_is_open(_visitor(request)),
    }
    return page_with_form(request, "accounts/sign_in.html", context, refused or form)


@public_view
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Sign out of this browser."""
    path = return_path(request)
    end_this_session(request)
    messages.success(request, _("You are signed out."))
    return redirect(path)


@signed_in_view
@require_safe
def choose(request: SignedInRequest) -> HttpResponse:
    """Where to go, for somebody who opens several consoles."""
    return render(request, "accounts/choose.html", {"memberships": list_consoles(request.user)})


@first_password_view
@require_http_methods(["GET", "HEAD", "POST"])
def first_password(request: SignedInRequest) -> HttpResponse:
    """Finish the profile and choose a password, before anything else works."""
    names = {"first_name": request.user.first_name, "last_name": request.user.last_name}
    form = FirstPasswordForm(request.POST or None, initial=names, person=request.user)
    if request.method == "POST" and form.is_valid():
        with form_errors(form):
            user = accounts.choose_first_password(actor=request.actor, **form.cleaned_data)
            renew_session(request, user)
            messages.success(request, _("The password is yours alone now."))
            return redirect(landing_url(user))
    return page_with_form(request, "accounts/first_password.html", {"form": form}, form)


@public_view
@require_http_methods(["GET", "HEAD", "POST"])
def reset_request(request: HttpRequest) -> HttpResponse:
    """Ask for a letter to choose a new password. The answer is always the same."""
    form = RequestResetForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with form_errors(form):
            accounts.request_password_reset(actor=_visitor(request), login=form.cleaned_data["login"])
            return redirect("accounts:reset_sent")
    return page_with_form(request, "accounts/reset_request.html", {"form": form}, form)


@public_view
@require_safe
def reset_sent(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/reset_sent.html")


@public_view
@require_http_methods(["GET", "HEAD", "POST"])
def reset_password(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    """Choose a new password by the link of a letter."""
    user = find_account_of_link(uid)
    if user is None or not accounts.is_reset_link_alive(user, token):
        return _closed(
            request,
            title=_("This link can’t be used any more"),
            text=_("It works once, for a short time, and only until you sign in again. A new one is quickly made."),
            actions=[
                (_("Send me a new link"), reverse("accounts:reset_request"), True),
                (_("Sign in"), reverse("accounts:sign_in"), False),
            ],
        )
    form = ResetPasswordForm(request.POST or None, person=user)
    if request.method == "POST" and form.is_valid():
        with form_errors(form):
            user = accounts.reset_password(
                actor=_visitor(request), user=user, token=token, password=form.cleaned_data["password"]
            )
            messages.success(request, _("Your new password is set."))
            return open_session(request, user)
    return page_with_form(request, "accounts/reset_password.html", {"form": form, "account": user}, form)


@public_view
@require_http_methods(["GET", "HEAD", "POST"])
def verify_address(request: HttpRequest, token: str) -> HttpResponse:
    """Confirm an address. Opening the link does nothing yet: mail programs open links to look at them."""
    user = read_address_token(token)
    try:
        if user is None or not user.is_active:
            raise LinkDead
        if request.method == "POST":
            accounts.verify_address(actor=_visitor(request), token=token)
    except LinkDead:
        return _closed(
            request,
            title=_("This link can’t be used any more"),
            text=_("It is too old, or your account has another address by now. You can send a new one to yourself."),
            actions=[(_("Open my settings"), reverse("me:settings"), True)],
        )
    if request.method == "POST":
        messages.success(request, _("Your address is confirmed."))
        return redirect("home")
    return render(request, "accounts/verify_address.html", {"account": user})


@signed_in_view
@require_POST
def resend_verification(request: SignedInRequest) -> HttpResponse:
    """Send another letter to confirm the address."""
    with told_refusals(request):
        accounts.resend_verification(actor=request.actor)
        messages.success(request, _("A letter is on its way to {email}.").format(email=request.user.email))
    return redirect(return_path(request))


def _closed(request: HttpRequest, *, title: str, text: str, actions: list[tuple[str, str, bool]]) -> HttpResponse:
    context = {"title": title, "text": text, "actions": actions}
    return render(request, "accounts/link_closed.html", context, status=410)
