from collections.abc import Callable
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from skypemgr.kill_points import kill_point
from skypemgr.views.errors import bad_request, refused

URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
# The largest file that a page takes, with room for the rest of its form.
LARGEST_UPLOAD = 33 * 1024 * 1024
# Where other machines speak to us, and how much they may say at once; what takes calls says itself what is too much.
LARGEST_MESSAGES = {"/payments/stripe/": 256 * 1024, "/api/v1/calls/": LARGEST_UPLOAD}


class RequestGuardMiddleware:
    """Refuses what no page of ours can read before anybody looks at it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._refuse(request) or self._answer(request)
        if request.method == "POST":
            kill_point("web.before_response")
        return response

    def _refuse(self, request: HttpRequest) -> HttpResponse | None:
        if not is_readable(request):
            # No other middleware has seen this request, so nobody has chosen a language yet.
            with translation.override(translation.get_language_from_request(request)):
                return bad_request(request, BadRequest())
        if request.method == "POST" and (size := body_size(request)):
            message = LARGEST_MESSAGES.get(request.path_info)
            if message is None and not is_form(request):
                return refused(request, 415)
            limit = LARGEST_UPLOAD if request.content_type == MULTIPART else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
            if size > (message or limit):
                return refused(request, 413)
        return None

    def _answer(self, request: HttpRequest) -> HttpResponse:
        forget_broken_session(request)
        response = self.get_response(request)
        if response.status_code != 405 or "json" in response.get("Content-Type", ""):
            return response
        page = refused(request, 405, language=response.get("Content-Language", ""))
        for name, value in response.headers.items():
            if name not in ("Content-Type", "Content-Length"):
                page.headers[name] = value
        return page


def is_readable(request: HttpRequest) -> bool:
    """Whether path and query hold no NUL and the query is UTF-8; PostgreSQL answers the rest with an error."""
    query = unquote_to_bytes(request.META.get("QUERY_STRING", "").encode("latin-1"))
    try:
        # Django itself has put percent signs back where a path is not UTF-8.
        return "\0" not in request.path_info + query.decode()
    except UnicodeDecodeError:
        return False


def body_size(request: HttpRequest) -> int:
    """How many bytes a request says its body has; 0 where it says nothing that is a number."""
    size = request.META.get("CONTENT_LENGTH") or "0"
    return int(size) if size.isascii() and size.isdigit() and len(size) < 20 else 0


def is_form(request: HttpRequest) -> bool:
    """Whether a body is what the forms of our pages send; anything else comes from a page that is not ours."""
    # A compressed body would be read as one without any field, which empties what a form may leave empty.
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        return False
    charset = (request.content_params or {}).get("charset", "utf-8")
    return request.content_type in (URLENCODED, MULTIPART) and charset.strip("\"'").lower() in ("utf-8", "utf8")


def forget_broken_session(request: HttpRequest) -> None:
    """Leave out a session's cookie that no session of ours has: its key could hold what the database refuses."""
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if key is not None and not (key.isascii() and key.isalnum() and len(key) <= 40):
        del request.COOKIES[settings.SESSION_COOKIE_NAME]
