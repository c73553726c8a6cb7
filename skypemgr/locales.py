"""How the present language writes numbers, days and names."""

from functools import cache

from babel import Locale
from django.utils.translation import get_language


def present_locale() -> Locale:
    """The locale of the language that is active."""
    return locale_of(get_language() or "en")


@cache
def locale_of(language: str) -> Locale:
    """The locale of one of our languages, by its code."""
    # Our English puts the day before the month and counts hours to 24, as its readers do.
    return Locale("en", "GB") if language == "en" else Locale.parse(language, sep="-")
