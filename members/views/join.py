"""The pages of an invitation's link. Opening one consumes nothing, and is noted; only a button answers."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import wraps

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.access import Actor
from members.decorators import View, client_address, public_view
from members.forms.join import JoinForm, JoinWithOwnAccountForm, NewAccountForm
from members.letter_texts import language_of
from members.models import Invitation, Member, User
from members.names import propose_skype_name
from members.seen import sight_of
from members.selectors.invitations import closed_because
from members.selectors.memberships import is_member
from members.services import joining
from members.sessions import open_session
from members.skype_names import free_skype_name
from members.tokens import read_invitation_token
from skypemgr.forms import form_errors, told_refusals

type LinkView = Callable[[HttpRequest, str, Invitation, bool], HttpResponse]


def link_view(view: LinkView) -> View:
    """Give a view the invitation its link speaks of, and whether it is the link that was sent last."""

    @wraps(view)
    def resolved(request: HttpRequest, token: str) -> HttpResponse:
        found = read_invitation_token(token)
        if found is None:
            context = {
                "title": _("There is no such invitation"),
                "text": _("The link is not complete, or was never ours. Open it from the letter, or copy all of it."),
                "actions": [(_("Sign in"), reverse("accounts:sign_in"), False)],
            }
            return render(request, "accounts/link_closed.html", context, status=404)
        invitation, newest = found
        with _language_of_letter(request, invitation):
            response = view(request, token, invitation, newest)
            response.headers["Content-Language"] = translation.get_language() or ""
        return response

    return public_view(resolved)


def _language_of_letter(request: HttpRequest, invitation: Invitation) -> AbstractContextManager[None]:
    # Whoever comes from a letter goes on in its language, unless they are signed in or have chosen another. A
    # personal account belongs to no organization: it has the language of its owner, or of their browser.
    user = _invited_user(invitation)
    own = user is not None and (user.owner is not None or user.language)
    if not own or request.user.is_authenticated or settings.LANGUAGE_COOKIE_NAME in request.COOKIES:
        return nullcontext()
    return translation.override(language_of(user, invitation.organization))


def _invited_user(invitation: Invitation) -> User | None:
    return invitation.member.user if invitation.member else invitation.user


def _actor(request: HttpRequest) -> Actor:
    address = client_address(request)
    if request.user.is_authenticated:
        return Actor.of_person(request.user, address=address)
    return Actor.visitor(address=address)


@link_view
@require_safe
def invitation(request: HttpRequest, token: str, invitation: Invitation, newest: bool) -> HttpResponse:
    """What a letter's link opens: who invites, to what, and the form to accept."""
    if (answer := _answer_without_form(request, token, invitation, newest)) is not None:
        return answer
    if _is_shut_out(invitation):
        return _closed(request, token, invitation, "personal_refused")
    if request.method == "GET" and invitation.opened_at is None:
        joining.note_opened(actor=_actor(request), invitation=invitation)
    return _show(request, token, invitation, _form(request, invitation))


@link_view
@require_http_methods(["GET", "HEAD", "POST"])
def accept(request: HttpRequest, token: str, invitation: Invitation, newest: bool) -> HttpResponse:
    """Join: finish a business account, or take a personal one, old or new, into the organization."""
    if request.method != "POST":
        return redirect("join:invitation", token)
    if (answer := _answer_without_form(request, token, invitation, newest)) is not None:
        return answer
    if _is_shut_out(invitation):
        return _closed(request, token, invitation, "personal_refused")
    form = _form(request, invitation)
    if form.is_valid():
        with form_errors(form):
            member = _join(request, invitation, form)
        if not form.errors:
            name = invitation.organization.name
            messages.success(request, _("Welcome. You are part of {name} now.").format(name=name))
            if request.user.is_authenticated:
                return redirect("me:home")
            return open_session(request, member.user, then=reverse("me:home"))
        # What was refused may be the link itself: somebody else was quicker, or it was taken back just now.
        found = read_invitation_token(token)
        if found is not None and (answer := _answer_without_form(request, token, *found)) is not None:
            return answer
    return _show(request, token, invitation, form, status=422)


@link_view
@require_POST
def decline(request: HttpRequest, token: str, invitation: Invitation, newest: bool) -> HttpResponse:
    """Say no to an invitation for a personal account."""
    if (answer := _answer_without_form(request, token, invitation, newest)) is not None:
        return answer
    with told_refusals(request):
        joining.decline_invitation(actor=_actor(request), invitation=invitation)
        messages.success(request, _("You declined the invitation of {name}.").format(name=invitation.organization.name))
    return redirect("home")


@link_view
@require_POST
def tell_inviter(request: HttpRequest, token: str, invitation: Invitation, newest: bool) -> HttpResponse:
    """Show those who invited that a new link is wanted, or that the letter reached somebody else."""
    with told_refusals(request):
        reply = joining.tell_inviter(actor=_actor(request), invitation=invitation, newest=newest)
        if reply == Invitation.Reply.NEW_LINK:
            messages.success(request, _("Whoever runs Skype Manager there sees that you want a new link."))
        else:
            messages.success(request, _("Whoever runs Skype Manager there sees that this letter is not for you."))
    return redirect("join:invitation", token)


def _form(request: HttpRequest, invitation: Invitation) -> forms.Form:
    organization, data = invitation.organization, request.POST or None
    if invitation.member is not None:
        user = invitation.member.user
        names = {"first_name": user.first_name, "last_name": user.last_name}
        return JoinForm(data, initial=names, person=user, organization=organization)
    if request.user.is_authenticated or invitation.user is not None:
        answers = request.POST if request.method == "POST" else None
        return JoinWithOwnAccountForm(answers, organization=organization)
    initial = {}
    if data is None:
        proposal, _notes = propose_skype_name(address=invitation.email, company=organization.name)
        initial["skype_name"] = free_skype_name(proposal)
    return NewAccountForm(data, initial=initial, person=User(email=invitation.email), organization=organization)


def _join(request: HttpRequest, invitation: Invitation, form: forms.Form) -> Member:
    actor = _actor(request)
    if invitation.kind == User.Kind.BUSINESS:
        return joining.accept_business_invitation(actor=actor, invitation=invitation, **form.cleaned_data)
    if isinstance(form, NewAccountForm):
        return joining.join_with_new_account(actor=actor, invitation=invitation, **form.cleaned_data)
    return joining.accept_personal_invitation(actor=actor, invitation=invitation, **form.cleaned_data)


def _show(
    request: HttpRequest, token: str, invitation: Invitation, form: forms.Form, status: int = 200
) -> HttpResponse:
    inviter = invitation.invited_by
    template = "join/join.html" if invitation.kind == User.Kind.BUSINESS else "join/personal.html"
    context = {
        "token": token,
        "invitation": invitation,
        "organization": invitation.organization,
        "inviter": invitation.inviter_name,
        "told": inviter.user.greeting_name if inviter and invitation.inviter_is_there else invitation.organization.name,
        "expires_at": invitation.expires_at,
        "form": form,
        "can_make_account": isinstance(form, NewAccountForm),
        "sight": sight_of(invitation.organization, invitation.kind),
        "already": request.user.is_authenticated and is_member(request.user, invitation.organization),
    }
    return render(request, template, context, status=status)


def _answer_without_form(request: HttpRequest, token: str, invitation: Invitation, newest: bool) -> HttpResponse | None:
    """The answer when there is nothing to fill in: the link is closed, or somebody else is signed in here."""
    reason = closed_because(invitation, newest=newest)
    invited, user = _invited_user(invitation), request.user
    if user.is_authenticated and user == invited and (reason == "used" or user.must_change_password):
        return redirect("home")
    if reason:
        return _closed(request, token, invitation, reason)
    if user.is_authenticated and (user.kind == User.Kind.BUSINESS or invited not in (None, user)):
        context = {
            "organization": invitation.organization,
            "invited": invited,
            "path": reverse("join:invitation", args=[token]),
        }
        return render(request, "join/other_account.html", context, status=409)
    return None


def _is_shut_out(invitation: Invitation) -> bool:
    """Whether the organization takes no personal accounts any more; the link works again when it does."""
    return invitation.kind == User.Kind.PERSONAL and not invitation.organization.allow_personal_accounts


def _closed(request: HttpRequest, token: str, invitation: Invitation, reason: str) -> HttpResponse:
    name = invitation.organization.name
    sentences = {
        "used": (
            _("This invitation was already used"),
            _("The account is finished, and its link works once. Sign in with your Skype Name and password."),
        ),
        "declined": (
            _("This invitation was declined"),
            _("If you changed your mind, ask somebody at {name} to invite you again.").format(name=name),
        ),
        "canceled": (
            _("This invitation was taken back"),
            _("Somebody at {name} canceled it. They can send you a new one.").format(name=name),
        ),
        "replaced": (
            _("There is a newer letter"),
            _("Another letter was sent after this one, and only its link works. Look for the newest in your mail."),
        ),
        "personal_refused": (
            _("{name} takes no accounts of people’s own now").format(name=name),
            _("That was switched off after the letter was sent. The link works again when somebody there allows it."),
        ),
        "expired": (
            _("This link is too old"),
            _("It worked for {days} days. {name} can send you a new one.").format(
                days=settings.INVITATION_DAYS, name=name
            ),
        ),
    }
    title, text = sentences[reason]
    context = {
        "title": title,
        "text": text,
        "token": token,
        "may_ask": reason in ("canceled", "replaced", "expired"),
        "asked": invitation.reply == Invitation.Reply.NEW_LINK,
        "may_sign_in": reason == "used",
    }
    return render(request, "join/closed.html", context, status=410)
