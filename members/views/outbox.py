"""The letters of a development machine (local mode, and only while no mail server is configured)."""

import re

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe

from members.decorators import local_view
from members.gateways.mail import keeps_letters
from members.gateways.mailbox import KeptLetter, find_letter, list_letters
from skypemgr.lists import read_text

SHOWN = 100


@local_view
@require_safe
def letter_list(request: HttpRequest) -> HttpResponse:
    """The letters that were written here, newest first."""
    if not keeps_letters():
        raise Http404
    search = read_text(request.GET)
    letters, total = list_letters(limit=SHOWN, search=search)
    return render(request, "outbox/letter_list.html", {"letters": letters, "total": total, "search": search})


@local_view
@require_safe
def letter(request: HttpRequest, name: str) -> HttpResponse:
    """One letter as text, with its links leading to this site."""
    found = _find(name)
    return render(request, "outbox/letter.html", {"letter": found, "text": _with_links(found.text)})


@local_view
@require_safe
def letter_source(request: HttpRequest, name: str) -> HttpResponse:
    """One letter as a mail server would have got it."""
    return HttpResponse(_find(name).source, content_type="text/plain; charset=utf-8")


def _find(name: str) -> KeptLetter:
    found = find_letter(name) if keeps_letters() else None
    if found is None:
        raise Http404
    return found


def _with_links(text: str) -> SafeString:
    """``text`` escaped, with links to this site as paths, so that they work at whatever address it was opened."""
    pieces = re.split(rf"({re.escape(settings.BASE_URL)}/[^\s<>\"]*)", text)
    return mark_safe(  # noqa: S308 (each piece is escaped here)
        "".join(
            format_html('<a href="{}">{}</a>', piece.removeprefix(settings.BASE_URL), piece)
            if place % 2
            else escape(piece)
            for place, piece in enumerate(pieces)
        )
    )
