from typing import Any

from django.conf import settings
from django.http import HttpRequest

from skypemgr.translations import is_incomplete

THEME_COOKIE = "theme"
THEMES = ("light", "dark")


def frame(request: HttpRequest) -> dict[str, Any]:
    """What the frame around every page needs to know; costs no query."""
    return {
        "languages": settings.LANGUAGES,
        "theme": chosen_theme(request),
        "local_mode": settings.LOCAL,
        # Asked at the foot of the page, when its texts have been looked up.
        "incomplete_translation": is_incomplete,
        "setup_open": settings.SETUP == "open",
    }


def chosen_theme(request: HttpRequest) -> str:
    """The theme chosen in this browser: light, dark, or "" to follow the system."""
    theme = request.COOKIES.get(THEME_COOKIE, "")
    return theme if theme in THEMES else ""
