"""The second step of signing in, signing in with a passkey, and showing once more who one is."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from members.access import Actor
from members.decorators import SignedInRequest, client_address, public_view, signed_in_view
from members.errors import PasskeyNeedsScript, PasskeyRefused, PasskeysUnavailable, TooManyTries
from members.factors import factors_of
from members.forms.accounts import SignInForm
from members.forms.security import CodeForm, PasskeyForm, PasswordProofForm
from members.models import User
from members.passkeys import passkey_url, relying_party
from members.services.accounts import confirm_who
from members.services.factors import use_code, use_passkey
from members.sessions import (
    Pending,
    drop_second_step,
    keep_challenge,
    open_session,
    pending_second_step,
    prove,
    take_challenge,
)
from members.views.accounts import show_sign_in
from members.views.answers import page_with_form
from skypemgr.forms import form_errors
from skypemgr.redirects import return_path

SIGN_IN, SECOND_STEP, PROOF = "sign_in", "second_step", "proof"


def _visitor(request: HttpRequest) -> Actor:
    return Actor.visitor(address=client_address(request))


# Signing in with a passkey alone


@public_view
@require_POST
def passkey_options(request: HttpRequest) -> HttpResponse:
    """What the browser needs to use a passkey: for whoever has one, for the second step, or as a proof."""
    party = relying_party(request)
    if party is None:
        return JsonResponse({"problem": str(PasskeysUnavailable())}, status=409)
    purpose, user = _purpose(request)
    options, challenge = party.request_options(user)
    keep_challenge(request, purpose, challenge)
    return JsonResponse(options)


def _purpose(request: HttpRequest) -> tuple[str, User | None]:
    if request.user.is_authenticated:
        return PROOF, request.user
    pending = pending_second_step(request)
    return (SECOND_STEP, pending.user) if pending else (SIGN_IN, None)


@public_view
@require_POST
def passkey_sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in with a passkey and nothing else."""
    form = PasskeyForm(request.POST)
    if form.is_valid():
        with form_errors(form):
            user = _passkey_user(request, form, SIGN_IN)
            return open_session(request, user, then=return_path(request), verified=True)
    # The page asks for the password below; what the passkey was refused for stands above.
    return show_sign_in(request, SignInForm(initial={"next": request.POST.get("next", "")}), refused=form)


def _passkey_user(request: HttpRequest, form: PasskeyForm, purpose: str, user: User | None = None) -> User:
    """Whose passkey it was that answered. Raises PasskeyRefused and its like."""
    party = relying_party(request)
    if party is None:
        raise PasskeysUnavailable
    if not form.cleaned_data["credential"]:
        raise PasskeyNeedsScript
    challenge = take_challenge(request, purpose)
    if not challenge:
        raise PasskeyRefused
    return use_passkey(
        actor=_visitor(request), party=party, challenge=challenge, answer=form.cleaned_data["credential"], user=user
    )


# The second step


@public_view
@require_http_methods(["GET", "HEAD", "POST"])
def second_step(request: HttpRequest) -> HttpResponse:
    """A code or a passkey, after the password was right."""
    pending = pending_second_step(request)
    if pending is None:
        drop_second_step(request)
        if request.user.is_authenticated:
            return redirect("home")
        messages.info(request, _("That took too long. Sign in once more."))
        return redirect("accounts:sign_in")
    factors = factors_of(pending.user)
    form = CodeForm(request.POST if "code" in request.POST else None, has_app=factors.app is not None)
    passkey = PasskeyForm(request.POST if request.method == "POST" and "credential" in request.POST else None)
    if form.is_valid():
        with form_errors(form):
            use_code(actor=_visitor(request), user=pending.user, code=form.cleaned_data["code"])
            response = _finish(request, pending)
            _tell_codes_left(request, before=factors.codes_left, left=factors_of(pending.user).codes_left)
            return response
    elif passkey.is_valid():
        with form_errors(passkey):
            _passkey_user(request, passkey, SECOND_STEP, pending.user)
            return _finish(request, pending)
    refused = passkey if passkey.is_bound else form
    if isinstance(getattr(refused, "refusal", None), TooManyTries):
        # Whoever guesses codes begins again at the password.
        drop_second_step(request)
    context = {
        "form": form,
        "passkey": passkey,
        "refused": refused,
        "factors": factors,
        "account": pending.user,
        "has_passkeys": bool(factors.passkeys) and relying_party(request) is not None,
        "passkeys_at": passkey_url(request) if factors.passkeys and relying_party(request) is None else "",
    }
    return page_with_form(request, "accounts/second_step.html", context, refused)


def _finish(request: HttpRequest, pending: Pending) -> HttpResponse:
    return open_session(request, pending.user, stay=pending.stay, then=pending.then, verified=True)


def _tell_codes_left(request: HttpRequest, *, before: int, left: int) -> None:
    """Lead whoever used up a recovery code to where a lost phone is removed and a new one set up."""
    if left == before:
        return
    text = ngettext(
        "That was a recovery code; {count} is left. If your phone is lost, remove it and set up another.",
        "That was a recovery code; {count} are left. If your phone is lost, remove it and set up another.",
        left,
    ).format(count=left)
    messages.info(request, format_html('{} <a href="{}">{}</a>', text, reverse("me:security"), _("Open Security")))


# A fresh proof


@signed_in_view
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: SignedInRequest) -> HttpResponse:
    """Show once more who one is, by password, code or passkey, and go back to where one was."""
    factors = factors_of(request.user)
    way = request.POST.get("way", "") if request.method == "POST" else ""
    password = PasswordProofForm(request.POST if way == "password" else None)
    code = CodeForm(request.POST if way == "code" else None, has_app=factors.app is not None)
    passkey = PasskeyForm(request.POST if way == "passkey" else None)
    refused = next((form for form in (password, code, passkey) if form.is_bound), None)
    if refused is not None and refused.is_valid():
        with form_errors(refused):
            if refused is password:
                confirm_who(actor=request.actor, password=password.cleaned_data["password"])
            elif refused is code:
                use_code(actor=request.actor, user=request.user, code=code.cleaned_data["code"])
            else:
                _passkey_user(request, passkey, PROOF, request.user)
            prove(request)
            return redirect(return_path(request))
    context = {
        "password": password,
        "code": code,
        "passkey": passkey,
        "refused": refused,
        "factors": factors,
        "next": request.POST.get("next") or request.GET.get("next", ""),
        "has_passkeys": bool(factors.passkeys) and relying_party(request) is not None,
    }
    return page_with_form(request, "accounts/confirm.html", context, refused)
