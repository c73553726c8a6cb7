"""How somebody signs in: password, second factors, recovery codes, and the browsers they are signed in with."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.browser_names import browser_name
from members.codes import RECOVERY_CODES, app_url, new_secret, picture_of
from members.decorators import SignedInRequest, fresh_proof, signed_in_view
from members.errors import NoSecondFactor, PasskeyNeedsScript, PasskeyRefused, PasskeysUnavailable
from members.factors import factors_of
from members.forms.me import PasswordForm
from members.forms.security import AppForm, NewPasskeyForm, PasskeyNameForm, PasswordProofForm, RecoveryCodesForm
from members.models import Passkey
from members.passkeys import passkey_url, relying_party
from members.sealed_secrets import write_draft
from members.selectors.sessions import list_sessions
from members.services import factors as verbs
from members.services.accounts import change_password as replace_password
from members.services.accounts import confirm_who
from members.services.sessions import end_other_sessions, end_session
from members.sessions import keep_challenge, renew_session, take_challenge
from members.views.answers import page_with_form
from skypemgr.forms import form_errors, told_refusals

NEW_PASSKEY = "new_passkey"


@signed_in_view
@require_safe
def security(request: SignedInRequest) -> HttpResponse:
    return _show(request, PasswordForm(person=request.user))


def _show(request: SignedInRequest, password: PasswordForm) -> HttpResponse:
    sessions = [
        {
            "session": session,
            "browser": browser_name(session.browser),
            "is_this": session.key == request.session.session_key,
        }
        for session in list_sessions(request.user)
    ]
    context = {
        "password": password,
        "factors": factors_of(request.user),
        "all_codes": RECOVERY_CODES,
        "sessions": sessions,
        **_where_passkeys_work(request),
    }
    return page_with_form(request, "me/security.html", context, password)


def _where_passkeys_work(request: SignedInRequest) -> dict[str, Any]:
    here = relying_party(request) is not None
    return {"passkeys_here": here, "passkeys_at": "" if here else passkey_url(request)}


@signed_in_view
@require_POST
def change_password(request: SignedInRequest) -> HttpResponse:
    """Choose another password; every other place where the account is signed in is signed out."""
    form = PasswordForm(request.POST, person=request.user)
    if form.is_valid():
        with form_errors(form):
            user = replace_password(actor=request.actor, **form.cleaned_data)
            renew_session(request, user)
            messages.success(request, _("Your password is changed. Everywhere else you are signed out."))
            return redirect("me:security")
    return _show(request, form)


# Authenticator app


@signed_in_view
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof
def add_app(request: SignedInRequest) -> HttpResponse:
    """Show a secret to an authenticator app, and take the code that proves that the app has it."""
    if request.method != "POST" and factors_of(request.user).app is not None:
        return redirect("me:security")
    form = AppForm(request.POST if request.method == "POST" else None, account=request.user.pk)
    if form.is_valid():
        with form_errors(form):
            added = verbs.add_app(
                actor=request.actor, secret=form.cleaned_data["draft"], code=form.cleaned_data["code"]
            )
            return _factor_added(request, added, _("The authenticator app is set up."))
    # The same secret again, unless it can't be read any more.
    secret = form.cleaned_data.get("draft") if form.is_bound else None
    secret = secret or new_secret()
    size, path = picture_of(app_url(secret, account=request.user.skype_name))
    context = {
        "title": _("Set up an authenticator app"),
        "form": form,
        "draft": write_draft(secret, account=request.user.pk),
        "secret": " ".join(_groups(secret)),
        "size": size,
        "path": path,
    }
    return page_with_form(request, "me/app_add.html", context, form)


def _groups(secret: str) -> list[str]:
    return [secret[place : place + 4] for place in range(0, len(secret), 4)]


@signed_in_view
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof
def remove_app(request: SignedInRequest) -> HttpResponse:
    """Take no codes of the app any more."""
    if factors_of(request.user).app is None:
        return redirect("me:security")
    context = {"title": _("Remove the authenticator app"), "name": _("Authenticator app")}
    return _remove(request, context, lambda password: verbs.remove_app(actor=request.actor, password=password))


# Passkeys


@signed_in_view
@require_POST
@fresh_proof
def passkey_options(request: SignedInRequest) -> HttpResponse:
    """What the browser needs to make a passkey."""
    party = relying_party(request)
    if party is None:
        return JsonResponse({"problem": str(PasskeysUnavailable())}, status=409)
    options, challenge = party.creation_options(request.user)
    keep_challenge(request, NEW_PASSKEY, challenge)
    return JsonResponse(options)


@signed_in_view
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof
def add_passkey(request: SignedInRequest) -> HttpResponse:
    """Make a passkey with this browser, and give it a name."""
    form = NewPasskeyForm(request.POST if request.method == "POST" else None, initial={"name": _proposed_name(request)})
    if form.is_valid():
        with form_errors(form):
            return _factor_added(request, _add_passkey(request, form), _("The passkey is set up."))
    context = {"title": _("Add a passkey"), "form": form, **_where_passkeys_work(request)}
    return page_with_form(request, "me/passkey_add.html", context, form)


def _add_passkey(request: SignedInRequest, form: NewPasskeyForm) -> verbs.Changed:
    party = relying_party(request)
    if party is None:
        raise PasskeysUnavailable
    if not form.cleaned_data["credential"]:
        raise PasskeyNeedsScript
    challenge = take_challenge(request, NEW_PASSKEY)
    if not challenge:
        raise PasskeyRefused
    made = party.verify_made(challenge, form.cleaned_data["credential"])
    return verbs.add_passkey(actor=request.actor, name=form.cleaned_data["name"], made=made)


def _proposed_name(request: SignedInRequest) -> str:
    return browser_name(request.META.get("HTTP_USER_AGENT", ""))[:60]


@signed_in_view
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof
def rename_passkey(request: SignedInRequest, pk: int) -> HttpResponse:
    """Call a passkey something else."""
    passkey = get_object_or_404(Passkey, pk=pk, user=request.user)
    form = PasskeyNameForm(request.POST if request.method == "POST" else None, initial={"name": passkey.name})
    if form.is_valid():
        verbs.rename_passkey(actor=request.actor, passkey=passkey, **form.cleaned_data)
        messages.success(request, _("The passkey has another name."))
        return redirect("me:security")
    context = {"title": _("Rename {name}").format(name=passkey.name), "form": form}
    return page_with_form(request, "me/passkey_rename.html", context, form)


@signed_in_view
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof
def remove_passkey(request: SignedInRequest, pk: int) -> HttpResponse:
    """Let a passkey open nothing any more."""
    passkey = get_object_or_404(Passkey, pk=pk, user=request.user)
    context = {"title": _("Remove a passkey"), "name": passkey.name}
    return _remove(
        request,
        context,
        lambda password: verbs.remove_passkey(actor=request.actor, passkey=passkey, password=password),
    )


def _remove(request: SignedInRequest, context: dict[str, Any], remove: Callable[[str], verbs.Changed]) -> HttpResponse:
    factors = factors_of(request.user)
    is_last = len(factors.passkeys) + (factors.app is not None) == 1
    # Alone again, a password has to be long, and how long it is only its owner can show.
    form_class = PasswordProofForm if is_last else forms.Form
    form = form_class(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with form_errors(form):
            password = form.cleaned_data.get("password", "")
            if is_last:
                confirm_who(actor=request.actor, password=password)
            renew_session(request, remove(password).user)
            messages.success(request, _("It is removed. Everywhere else you are signed out."))
            return redirect("me:security")
    context |= {"form": form, "is_last": is_last, "minimum": settings.SHORTEST_PASSWORD}
    return page_with_form(request, "me/factor_remove.html", context, form)


# Recovery codes


@signed_in_view
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof
def recovery_codes(request: SignedInRequest) -> HttpResponse:
    """Make new recovery codes, which are shown once: by the answer to the button."""
    if not factors_of(request.user):
        return redirect("me:security")
    if request.method == "POST":
        try:
            return _show_codes(request, verbs.renew_recovery_codes(actor=request.actor))
        except NoSecondFactor:
            # Gone since the page was asked for.
            return redirect("me:security")
    return render(request, "me/recovery_codes_renew.html", {"title": _("New recovery codes")})


@signed_in_view
@require_POST
def recovery_codes_file(request: SignedInRequest) -> HttpResponse:
    """The codes of the page they are shown on, as a file. They come from that page: nothing here knows them."""
    form = RecoveryCodesForm(request.POST)
    if not form.is_valid() or not verbs.are_codes_of(user=request.user, codes=form.cleaned_data["codes"].split()):
        raise Http404
    lines = [_("Recovery codes of {name} for Skype Manager").format(name=request.user.skype_name), ""]
    text = "\r\n".join([*lines, *form.cleaned_data["codes"].split(), ""])
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="skype-manager-recovery-codes.txt"'
    return response


def _factor_added(request: SignedInRequest, added: verbs.Changed, text: str) -> HttpResponse:
    renew_session(request, added.user)
    messages.success(request, text)
    return _show_codes(request, added.codes) if added.codes else redirect("me:security")


def _show_codes(request: SignedInRequest, codes: Sequence[str]) -> HttpResponse:
    context = {"title": _("Your recovery codes"), "codes": codes, "joined": " ".join(codes)}
    return render(request, "me/recovery_codes.html", context)


# Sessions


@signed_in_view
@require_POST
@fresh_proof
def end_one_session(request: SignedInRequest, pk: int) -> HttpResponse:
    """Sign another browser out."""
    with told_refusals(request):
        if not end_session(actor=request.actor, key=pk):
            raise Http404
        messages.success(request, _("That browser is signed out."))
    return redirect(f"{reverse('me:security')}#sessions")


@signed_in_view
@require_POST
@fresh_proof
def end_others(request: SignedInRequest) -> HttpResponse:
    """Sign every other browser out."""
    number = end_other_sessions(actor=request.actor, keep=request.session.session_key or "")
    text = ngettext("%(count)d other browser is signed out.", "%(count)d other browsers are signed out.", number)
    messages.success(request, text % {"count": number})
    return redirect(f"{reverse('me:security')}#sessions")
