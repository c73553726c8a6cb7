from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext

from members.sessions import follow_session
from skypemgr.translations import begin_page


class LanguageMiddleware:
    """Every page in the language of the person, then of their organization, then of the browser.

    A visitor's own choice (the language menu) is a cookie; a signed-in person's is stored with the account.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = self._language(request)
        begin_page()
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        # A view of an organization turned the clock to its time zone.
        timezone.deactivate()
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ["Accept-Language", "Cookie"])
        return response

    def _language(self, request: HttpRequest) -> str:
        # Static files and health checks don't ask who is there.
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            if request.user.language:
                return request.user.language
            if request.user.owner is not None:
                return request.user.owner.language
        # The cookie first, then Accept-Language.
        return translation.get_language_from_request(request)


class SessionLimitsMiddleware:
    """Ends sessions that nobody uses, that are too old, or that their owner has ended from elsewhere."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Static files and health checks don't ask who is there.
        known = settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated
        if known and not follow_session(request):
            messages.info(request, gettext("Your session has ended. Sign in again to go on."))
        return self.get_response(request)
