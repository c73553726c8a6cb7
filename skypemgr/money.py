"""Amounts of money: read as people type them, and shown as their language writes them.

An amount is a Decimal of at most four places, in a currency named by its ISO 4217 code. There are no floats.
"""

import re
from copy import copy
from decimal import Decimal
from functools import cache, lru_cache

from babel.numbers import NumberPattern, get_currency_precision, get_currency_symbol
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from skypemgr.errors import DomainError
from skypemgr.locales import locale_of, present_locale

# Of an amount that somebody types: seven digits before the point.
MOST = Decimal(9_999_999)
PLACES = 4
_TYPED = re.compile(r"(?P<whole>\d{1,7})(?:[.,](?P<part>\d+))?", re.ASCII)
_ALMOST = re.compile(r"(?P<whole>\d{1,7}),(?P<part>\d{1,2})", re.ASCII)
# Languages in which 1,50 is one and a half; in the others a comma may as well mark thousands.
_WITH_COMMA = {"fr", "sv"}


class NotAnAmount(DomainError):
    """What was typed is no amount; ``str()`` says what to do instead."""


def places_of(currency: str) -> int:
    """How many places amounts of a currency have: 2 of EUR, 0 of JPY, 3 of TND."""
    return get_currency_precision(currency)


def read_amount(text: str, currency: str, *, zero: bool = False) -> Decimal:
    """The positive amount that ``text`` means, as reliability §5.1 reads it.

    Plain digits, and a point (in French and Swedish also a comma) before as many places as the currency has. Nothing
    else is guessed. Raises NotAnAmount. ``zero`` allows none.
    """
    text = text.strip(" ")
    typed = _TYPED.fullmatch(text)
    if typed is None or (len(typed["whole"]) > 1 and typed["whole"].startswith("0")):
        raise NotAnAmount(_("Type an amount in plain digits, as {example}.").format(example=example(currency)))
    if "," in text and (get_language() or "en")[:2] not in _WITH_COMMA:
        if _ALMOST.fullmatch(text) and places_of(currency):
            meant = text.replace(",", ".")
            meant += "0" * (places_of(currency) - len(meant.partition(".")[2]))
            raise NotAnAmount(_("Write the amount with a point. Is {meant} meant?").format(meant=meant))
        raise NotAnAmount(_("Type an amount in plain digits, as {example}.").format(example=example(currency)))
    if len(typed["part"] or "") > places_of(currency):
        if places_of(currency) == 0:
            raise NotAnAmount(_("Amounts in {currency} have no decimals.").format(currency=currency))
        raise NotAnAmount(
            _("Amounts in {currency} have at most {places} decimals.").format(
                currency=currency, places=places_of(currency)
            )
        )
    amount = Decimal(text.replace(",", "."))
    if not amount and not zero:
        raise NotAnAmount(_("The amount must be more than zero."))
    return amount


def example(currency: str) -> str:
    """An amount as it can be typed: "12.50", "12,50" or "12"."""
    places = places_of(currency)
    if not places:
        return "12"
    point = "," if (get_language() or "en")[:2] in _WITH_COMMA else "."
    return f"12{point}5{'0' * (places - 1)}"


def typed(amount: Decimal, currency: str) -> str:
    """An amount as it stands in an input of the present language: "1284.50", "1284,50"."""
    text = f"{amount:.{places_of(currency)}f}"
    return text.replace(".", ",") if (get_language() or "en")[:2] in _WITH_COMMA else text


def money(amount: Decimal, currency: str, *, sign: bool = False, least: int = 0, most: int = PLACES) -> str:
    """An amount as the present language writes it: €1,284.50, 1 284,50 €; with ``sign`` also a plus.

    As many decimals as the currency has, ``least`` at least; more only where the amount has more, up to ``most``.
    """
    text = _money(abs(amount), currency, least, most, get_language() or "en")
    return ("−" if amount < 0 else "+" if sign and amount else "") + text


# Lists repeat few amounts, and the CLDR writes each the same for ever.
@lru_cache(maxsize=1_000)
def _money(amount: Decimal, currency: str, least: int, most: int, language: str) -> str:
    exact = amount.normalize()
    places = max(places_of(currency), least, min(most, -int(exact.as_tuple().exponent)))
    return _pattern(language, places).apply(exact, locale_of(language), currency=currency, currency_digits=False)


def symbol_of(currency: str) -> str:
    """What stands beside an input for money: "€", "kr", "CHF"."""
    return get_currency_symbol(currency, locale=present_locale())


@cache
def _pattern(language: str, places: int) -> NumberPattern:
    pattern = copy(locale_of(language).currency_formats["standard"])
    pattern.frac_prec = (places, places)
    return pattern
