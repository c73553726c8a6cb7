"""The only ways from a URL to a view. Each view says who may open it, and a test walks the URLs to see that it does."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext

from members.access import Actor, Capability
from members.errors import SessionOver
from members.factors import has_second_factor
from members.models import Member, Organization, User
from members.sessions import end_this_session, is_proved, is_too_old_to_administer

type View = Callable[..., HttpResponseBase]

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class SignedInRequest(HttpRequest):
    """A request of somebody who is signed in."""

    user: User
    actor: Actor


class OrganizationRequest(SignedInRequest):
    """A request inside an organization, by one of its active members."""

    member: Member
    organization: Organization


def _mark(view: View, access: str) -> View:
    view.access = access  # type: ignore[attr-defined]
    return view


def client_address(request: HttpRequest) -> str:
    """The IP address a request came from, as the proxy in front reports it (gunicorn trusts only that one)."""
    return request.META.get("REMOTE_ADDR", "")


def organization_view(capability: Capability) -> Callable[[View], View]:
    """Open a view to active members of the organization in the URL who hold ``capability``.

    The view gets a request with ``organization``, ``member`` and ``actor``. Strangers get 404, members without
    the capability 403, visitors the sign-in page. Administrators of an organization that says so are led to set up
    a second factor first, if they have none.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, org_slug: str, **kwargs: Any) -> HttpResponseBase:
            person = _person_or_detour(request)
            if isinstance(person, HttpResponse):
                return person
            # A stranger gets 404, not 403: the address itself must not leak.
            member = (
                Member.objects.select_related("organization", "user")
                .filter(organization__slug=org_slug, user=person, state=Member.State.ACTIVE)
                .first()
            )
            if member is None or member.organization.closed_at is not None:
                return _closed_page(request, org_slug, person)
            if member.role == Member.Role.ADMINISTRATOR:
                if is_too_old_to_administer(request):
                    return _sign_in_again(request)
                if member.organization.require_second_factor and not has_second_factor(person):
                    return _to_set_up_factor(request, member.organization.name)
            request.member = member  # type: ignore[attr-defined]
            request.organization = member.organization  # type: ignore[attr-defined]
            request.actor = Actor.of_member(member, address=client_address(request))  # type: ignore[attr-defined]
            timezone.activate(ZoneInfo(member.organization.time_zone))
            if not member.user.language:
                translation.activate(member.organization.language)
            if not request.actor.can(capability):  # type: ignore[attr-defined]
                raise PermissionDenied
            return view(request, **kwargs)

        return _mark(guarded, capability)

    return decorate


def signed_in_view(view: View) -> View:
    """Open a view to whoever is signed in, for their own account."""

    @wraps(view)
    def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        person = _person_or_detour(request)
        if isinstance(person, HttpResponse):
            return person
        if person.owner is not None:
            timezone.activate(ZoneInfo(person.owner.time_zone))
        return _as_oneself(view, request, person, **kwargs)

    return _mark(guarded, "signed_in")


def first_password_view(view: View) -> View:
    """Open a view to people who signed in with a password that an administrator had set, and to nobody else."""

    @wraps(view)
    def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        person = request.user
        if not person.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not person.must_change_password:
            return redirect("home")
        return _as_oneself(view, request, person, **kwargs)

    return _mark(guarded, "first_password")


def _as_oneself(view: View, request: HttpRequest, person: User, **kwargs: Any) -> HttpResponseBase:
    """The answer of a view to somebody who acts on their own account; to sign in, when their session ends meanwhile."""
    session = request.session.session_key or ""
    request.actor = Actor.of_person(person, address=client_address(request), session=session)  # type: ignore[attr-defined]
    try:
        return view(request, **kwargs)
    except SessionOver:
        # What the view has put into it has no place any more. The cookie stays: after a double click it may be that
        # of the session which goes on.
        request.session.modified = False
        return redirect_to_login(_page_of(request))


def operator_view(view: View) -> View:
    """Open a view to those who run the installation; to everybody else it does not exist.

    They need a second factor, and what changes something a fresh proof of who they are.
    """

    @wraps(view)
    def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        person = _person_or_detour(request)
        if isinstance(person, HttpResponse):
            return person
        if not person.is_operator:
            raise Http404
        if is_too_old_to_administer(request):
            return _sign_in_again(request)
        if not has_second_factor(person):
            return _to_set_up_factor(request, gettext("Running the installation"))
        if request.method not in SAFE_METHODS and not is_proved(request):
            return to_proof(request)
        request.actor = Actor.operator(person, address=client_address(request))  # type: ignore[attr-defined]
        return view(request, **kwargs)

    return _mark(guarded, "operator")


def fresh_proof(view: View) -> View:
    """Open a view only to people who have shown lately who they are: by password, code or passkey.

    Everybody else is led to the page that asks, and from there back to where they were; what they sent changes
    nothing. Stands below the decorator that says who may open the view.
    """
    return _with_proof(view, when=None)


def fresh_proof_when(condition: Callable[[HttpRequest], bool]) -> Callable[[View], View]:
    """As ``fresh_proof``, for those requests of which ``condition`` is true."""
    return lambda view: _with_proof(view, when=condition)


def _with_proof(view: View, *, when: Callable[[HttpRequest], bool] | None) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if (when is None or when(request)) and not is_proved(request):
            return to_proof(request)
        return view(request, *args, **kwargs)

    guarded.fresh_proof = "always" if when is None else "sometimes"  # type: ignore[attr-defined]
    return guarded


def to_proof(request: HttpRequest) -> HttpResponse:
    """Where to show who one is, and then back to the page that was open."""
    return redirect(proof_url(request))


def proof_url(request: HttpRequest) -> str:
    """The way there and back."""
    return f"{reverse('accounts:confirm')}?{urlencode({'next': _page_of(request)})}"


def _page_of(request: HttpRequest) -> str:
    if request.method in SAFE_METHODS:
        return request.get_full_path()
    # A form is sent from the page it stands on, and may have an address that shows nothing.
    came_from = request.META.get("HTTP_REFERER", "")
    safe = url_has_allowed_host_and_scheme(
        came_from, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    parts = urlsplit(came_from)
    return f"{parts.path}?{parts.query}".rstrip("?") if safe and parts.path else "/"


def public_view(view: View) -> View:
    """Open a view to everybody."""
    return _mark(view, "public")


def local_view(view: View) -> View:
    """Open a view on a development machine, to administrators and operators; elsewhere it does not exist."""

    @wraps(view)
    def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        if not settings.LOCAL:
            raise Http404
        person = _person_or_detour(request)
        if isinstance(person, HttpResponse):
            return person
        administers = Member.objects.administrators().filter(user=person).exists()
        if not (administers or person.is_operator):
            raise Http404
        return view(request, **kwargs)

    return _mark(guarded, "local")


def _closed_page(request: HttpRequest, slug: str, person: User) -> HttpResponse:
    """That an organization was closed, for those who were its members. Raises Http404 for everybody else."""
    closed = Organization.objects.filter(slug=slug, closed_at__isnull=False, members__user=person).first()
    if closed is None:
        raise Http404
    with timezone.override(ZoneInfo(closed.time_zone)):
        return render(request, "members/closed.html", {"closed": closed}, status=410)


def _sign_in_again(request: HttpRequest) -> HttpResponse:
    end_this_session(request)
    messages.info(request, gettext("Your session has ended. Sign in again to go on."))
    return redirect_to_login(_page_of(request))


def _to_set_up_factor(request: HttpRequest, whose: str) -> HttpResponse:
    text = gettext("{whose} takes a second factor beside your password. Set one up here first.")
    messages.warning(request, text.format(whose=whose))
    return redirect("me:security")


def _person_or_detour(request: HttpRequest) -> User | HttpResponse:
    """Who is signed in, or where they have to go first."""
    person = request.user
    if not person.is_authenticated:
        return redirect_to_login(request.get_full_path())
    # Nothing works before a password that somebody else chose is replaced (001-16).
    if person.must_change_password:
        return redirect("accounts:first_password")
    return person
