from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from members.access import Actor
from members.decorators import client_address, public_view
from members.landing import landing_url
from members.selectors.memberships import is_new_installation
from members.services.organizations import setup_is_open
from members.services.profile import change_language
from skypemgr.redirects import return_path

A_YEAR = 365 * 24 * 3600


@public_view
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The start: one's own page or console, or sign-in; on a new installation set-up."""
    if request.user.is_authenticated:
        return redirect(landing_url(request.user))
    if is_new_installation() and setup_is_open(Actor.visitor()):
        return redirect("setup")
    return redirect("accounts:sign_in")


@public_view
@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Go on in another language: kept with the account, or in a cookie of a visitor's browser."""
    response = redirect(return_path(request))
    language = request.POST.get("language", "")
    if language not in dict(settings.LANGUAGES):
        return response
    if request.user.is_authenticated:
        actor = Actor.of_person(request.user, address=client_address(request))
        change_language(actor=actor, language=language)
    else:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=A_YEAR,
            secure=settings.HTTPS,
            httponly=True,
            samesite="Lax",
        )
    return response
