"""Browsers that have signed in before keep a signed cookie, so that others can't use up their tries (decision 18)."""

import secrets
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase

from members.models import User

A_YEAR = 365 * 24 * 3600
MOST_ACCOUNTS = 8
SALT = "members.known_browser"


@dataclass(frozen=True)
class KnownBrowser:
    """What a browser can prove about itself: its mark, and whom it has signed in, the last one first."""

    mark: str = ""
    accounts: tuple[str, ...] = ()

    def knows(self, user: User) -> bool:
        return _person(user) in self.accounts


def known_browser(request: HttpRequest) -> KnownBrowser:
    """What the cookie of a request proves; nothing when there is none of ours."""
    try:
        mark, accounts = signing.loads(
            request.COOKIES.get(settings.KNOWN_BROWSER_COOKIE_NAME, ""), salt=SALT, max_age=A_YEAR
        )
    except (signing.BadSignature, ValueError, TypeError):
        return KnownBrowser()
    return KnownBrowser(mark=mark, accounts=tuple(map(str, accounts)))


def remember_browser(request: HttpRequest, response: HttpResponseBase, user: User) -> None:
    """Let the browser prove from now on that ``user`` has signed in with it."""
    known = known_browser(request)
    person = _person(user)
    accounts = [person, *(other for other in known.accounts if other != person)][:MOST_ACCOUNTS]
    response.set_cookie(
        settings.KNOWN_BROWSER_COOKIE_NAME,
        signing.dumps([known.mark or secrets.token_urlsafe(16), accounts], salt=SALT),
        max_age=A_YEAR,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


def _person(user: User) -> str:
    """An account while it is one person's: the browsers of whoever had it before are strange to it."""
    return f"{user.pk}.{user.handed_over_at.timestamp():.6f}" if user.handed_over_at else str(user.pk)
