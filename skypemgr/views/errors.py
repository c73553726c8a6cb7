"""Pages for what went wrong.

They are shown when anything may be broken, so those of 400, 500 and 503 touch neither session nor database:
without a request no context processor runs.
"""

import errno
import logging
import secrets
import sys

from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from psycopg import errors as postgres

from skypemgr.context import chosen_theme

logger = logging.getLogger(__name__)

type Text = str | Promise

# Without letters and digits that are taken for one another when read aloud.
REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
RETRY_SECONDS = 5
# The disk, what one may have of it, or the largest file that the process may write.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    person = getattr(request, "user", None)
    if request.method not in SAFE_METHODS and person is not None and person.is_authenticated:
        # Pages offer no such form: what it is for is another organization's, or gone since the page was shown.
        organization = getattr(request, "organization", None)
        logger.warning(
            "A form was sent to what is not there.",
            extra={"user": person.pk, "organization": getattr(organization, "pk", None)},
        )
    return render(request, "404.html", status=404)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    person = getattr(request, "user", None)
    logger.warning("Access was refused.", extra={"user": getattr(person, "pk", None)})
    return render(request, "403.html", status=403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return HttpResponse(render_to_string("400.html", {"theme": chosen_theme(request)}), status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    """A page with a reference that also stands in the log, next to the traceback.

    Where the database was away or too busy it says that instead: trying again is all that is needed.
    """
    error = sys.exception()
    if error is not None and is_passing(error):
        return unavailable(request, error)
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        logger.error("There is no room on the disk for what was sent.", exc_info=error)
        return refused(request, 507)
    reference = "-".join("".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(4)) for _ in range(2))
    logger.error("A fault was shown with the reference %s.", reference, exc_info=error)
    context = {"theme": chosen_theme(request), "reference": reference}
    return HttpResponse(render_to_string("500.html", context), status=500)


def is_passing(error: BaseException) -> bool:
    """Whether the database may well carry out tomorrow, or in a second, what it did not now."""
    if isinstance(error, InternalError):
        return isinstance(error.__cause__, postgres.ReadOnlySqlTransaction)  # a standby that is being promoted
    return isinstance(error, OperationalError | InterfaceError)


def unavailable(request: HttpRequest, error: BaseException) -> HttpResponse:
    """A page that asks to come back; nothing was done, or everything."""
    logger.warning("The database did not answer.", exc_info=error)
    # Who is asking may be what the database could not tell; the browser knows its language.
    language = getattr(request, "LANGUAGE_CODE", None) or translation.get_language_from_request(request)
    with translation.override(language):
        page = render_to_string("503.html", {"theme": chosen_theme(request)})
    headers = {"Retry-After": str(RETRY_SECONDS), "Content-Language": language}
    return HttpResponse(page, status=503, headers=headers)


REFUSALS: dict[int, tuple[Text, Text]] = {
    405: (
        _("This page can’t be used that way"),
        _("It was asked for something it doesn’t do. Nothing was done. Open it from the start."),
    ),
    413: (
        _("That is too much at once"),
        _("What was sent is larger than this page takes. Nothing was done. Send less, or split the file."),
    ),
    415: (
        _("We could not read that form"),
        _("It was not sent as the forms of these pages are. Nothing was done. Open the page and send it from there."),
    ),
    507: (
        _("There is no room for that now"),
        _("The disk of this server is full. Nothing was done. Tell whoever runs it, and send it again later."),
    ),
}


def refused(request: HttpRequest, status: int, *, language: str = "") -> HttpResponse:
    """The page of 405, 413, 415 or 507, in ``language`` (that of the browser unless given); asks no database."""
    title, text = REFUSALS[status]
    language = language or translation.get_language_from_request(request)
    with translation.override(language):
        context = {"theme": chosen_theme(request), "code": status, "title": title, "text": text}
        page = render_to_string("refused.html", context)
    return HttpResponse(page, status=status, headers={"Content-Language": language})


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was open too long, or sent from elsewhere."""
    # What follows the dash quotes the request.
    logger.warning("A form was refused.", extra={"reason": reason.partition(" - ")[0]})
    return HttpResponse(render_to_string("403_csrf.html", {"theme": chosen_theme(request)}), status=403)
