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
    """What a browser can prove about itself: its mark, and the accounts it has signed in to, the last one first."""

    mark: str = ""
    accounts: tuple[int, ...] = ()

    def knows(self, user: User) -> bool:
        return user.pk in self.accounts


def known_browser(request: HttpRequest) -> KnownBrowser:
    """What the cookie of a request proves; nothing when there is none of ours."""
    try:
        mark, accounts = signing.loads(
            request.COOKIES.get(settings.KNOWN_BROWSER_COOKIE_NAME, ""), salt=SALT, max_age=A_YEAR
        )
    except (signing.BadSignature, ValueError, TypeError):
        return KnownBrowser()
    return KnownBrowser(mark=mark, accounts=tuple(accounts))


def remember_browser(request: HttpRequest, response: HttpResponseBase, user: User) -> None:
    """Let the browser prove from now on that ``user`` has signed in with it."""
    known = known_browser(request)
    accounts = [user.pk, *(pk for pk in known.accounts if pk != user.pk)][:MOST_ACCOUNTS]
    response.set_cookie(
        settings.KNOWN_BROWSER_COOKIE_NAME,
        signing.dumps([known.mark or secrets.token_urlsafe(16), accounts], salt=SALT),
        max_age=A_YEAR,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )
