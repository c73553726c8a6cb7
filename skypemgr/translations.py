"""A text without a translation is shown in English, and the page says so (002-10)."""

from contextvars import ContextVar
from gettext import NullTranslations

from django.conf import settings
from django.utils.translation import trans_real

_missing: ContextVar[bool] = ContextVar("untranslated", default=False)


class Untranslated(NullTranslations):
    """Stands behind every catalog, and remembers that somebody came this far."""

    def gettext(self, message: str) -> str:
        _missing.set(True)
        return message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        _missing.set(True)
        return msgid1 if n == 1 else msgid2


def install() -> None:
    """Put the watcher behind the catalog of each language but English; called once at start-up."""
    # The languages share English as their fallback, so one watcher stands behind it; English itself never gets
    # a note, since a page in English is what a reader of English asked for.
    for code, _name in settings.LANGUAGES:
        trans_real.translation(code)
    english = trans_real.translation(settings.LANGUAGE_CODE)
    english.add_fallback(Untranslated())


def begin_page() -> None:
    """Forget what an earlier page of this thread lacked."""
    _missing.set(False)


def is_incomplete() -> bool:
    """Whether a text of this page, so far, had no translation into the reader's language."""
    return _missing.get() and trans_real.get_language() != settings.LANGUAGE_CODE
