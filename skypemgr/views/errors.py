"""Pages for what went wrong.

They are shown when anything may be broken, so those of 400 and 500 touch neither session nor database:
without a request no context processor runs.
"""

import logging
import secrets

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from skypemgr.context import chosen_theme

logger = logging.getLogger(__name__)

# Without letters and digits that are taken for one another when read aloud.
REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=404)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", status=403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return HttpResponse(render_to_string("400.html", {"theme": chosen_theme(request)}), status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    """A page with a reference that also stands in the log, next to the traceback."""
    reference = "-".join("".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(4)) for _ in range(2))
    logger.error("The fault at %s was shown with the reference %s.", request.path, reference)
    context = {"theme": chosen_theme(request), "reference": reference}
    return HttpResponse(render_to_string("500.html", context), status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was open too long, or sent from elsewhere."""
    logger.warning("Refused a form at %s: %s", request.path, reason)
    return HttpResponse(render_to_string("403_csrf.html", {"theme": chosen_theme(request)}), status=403)
