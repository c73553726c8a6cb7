"""The only ways from a URL to a view. Each view says who may open it, and a test walks the URLs to see that it does."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone, translation

from members.access import Actor, Capability
from members.models import Member, Organization, User

type View = Callable[..., HttpResponseBase]


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
    the capability 403, visitors the sign-in page.
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
            if member is None:
                raise Http404
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
        request.actor = Actor.of_person(person, address=client_address(request))  # type: ignore[attr-defined]
        return view(request, **kwargs)

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
        request.actor = Actor.of_person(person, address=client_address(request))  # type: ignore[attr-defined]
        return view(request, **kwargs)

    return _mark(guarded, "first_password")


def operator_view(view: View) -> View:
    """Open a view to those who run the installation; to everybody else it does not exist."""

    @wraps(view)
    def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        person = _person_or_detour(request)
        if isinstance(person, HttpResponse):
            return person
        if not person.is_operator:
            raise Http404
        request.actor = Actor.operator(person, address=client_address(request))  # type: ignore[attr-defined]
        return view(request, **kwargs)

    return _mark(guarded, "operator")


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


def _person_or_detour(request: HttpRequest) -> User | HttpResponse:
    """Who is signed in, or where they have to go first."""
    person = request.user
    if not person.is_authenticated:
        return redirect_to_login(request.get_full_path())
    # Nothing works before a password that somebody else chose is replaced (001-16).
    if person.must_change_password:
        return redirect("accounts:first_password")
    return person
