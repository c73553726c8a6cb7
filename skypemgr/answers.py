import logging
import re
import secrets
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from skypemgr import logs, metrics

logger = logging.getLogger(__name__)

HEADERS = {
    # Pages hold personal data and the keys of their forms: nobody may keep a copy, unless the view says so.
    "Cache-Control": "private, no-store",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}
WELL_FORMED = re.compile(r"[A-Za-z0-9-]{8,64}")
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
# Asked every few seconds by machines, or many times by each page.
QUIET = {"healthz", "readyz", "metrics", "static"}


class AnswerMiddleware:
    """The outermost: gives each request an id and a line in the log, and each answer the headers that all have."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        request_id = id_of(request)
        logs.bind(request_id=request_id)
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers["X-Request-ID"] = request_id
        self._tell(request, response, time.perf_counter() - began)
        metrics.measure_pool()
        logs.unbind()
        return response

    def _tell(self, request: HttpRequest, response: HttpResponse, seconds: float) -> None:
        route = route_of(request)
        metrics.REQUESTS.labels(method_of(request), route, f"{response.status_code // 100}xx").inc()
        metrics.REQUEST_SECONDS.labels(route).observe(seconds)
        # Who it was is told where the view has asked anyway; asking costs a query.
        person = getattr(request, "_cached_user", None)
        organization = getattr(request, "organization", None)
        quiet = route in QUIET and response.status_code < 500
        logger.log(
            logging.DEBUG if quiet else logging.INFO,
            "request",
            extra={
                "method": method_of(request),
                "route": route,
                "status": response.status_code,
                "seconds": round(seconds, 4),
                "user": getattr(person, "pk", None),
                "organization": getattr(organization, "pk", None),
            },
        )


def id_of(request: HttpRequest) -> str:
    """The id that the proxy in front gave the request, or a new one."""
    given = request.headers.get("X-Request-ID", "")
    # In local mode no proxy stands in front, so whoever asks could choose.
    if not settings.LOCAL and WELL_FORMED.fullmatch(given):
        return given
    return secrets.token_hex(16)


def route_of(request: HttpRequest) -> str:
    """The name of the URL pattern that matched: never the path, which may name a person or hold a token."""
    if request.resolver_match is not None:
        return request.resolver_match.view_name or "unnamed"
    return "static" if request.path_info.startswith(settings.STATIC_URL) else "none"


def method_of(request: HttpRequest) -> str:
    """The method, where it is one that exists."""
    return request.method if request.method in METHODS else "other"
