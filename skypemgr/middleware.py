from collections.abc import Callable
from urllib.parse import unquote_to_bytes

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from skypemgr.views.errors import bad_request

HEADERS = {
    # Pages hold personal data and the keys of their forms: nobody may keep a copy, unless the view says so.
    "Cache-Control": "private, no-store",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class RequestGuardMiddleware:
    """Refuses addresses the database could not store, and says how a page may be kept and used."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_readable(request):
            response = self.get_response(request)
        else:
            # No other middleware has seen this request, so nobody has chosen a language yet.
            with translation.override(translation.get_language_from_request(request)):
                response = bad_request(request, BadRequest())
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response


def is_readable(request: HttpRequest) -> bool:
    """Whether path and query hold no NUL and the query is UTF-8; PostgreSQL answers the rest with an error."""
    query = unquote_to_bytes(request.META.get("QUERY_STRING", "").encode("latin-1"))
    try:
        # Django itself has put percent signs back where a path is not UTF-8.
        return "\0" not in request.path_info + query.decode()
    except UnicodeDecodeError:
        return False
