"""How invoices write percentages, days and countries, in the language that is active."""

from datetime import date
from decimal import Decimal

from babel.dates import format_date
from babel.numbers import format_decimal
from django import template

from members.places import country_name
from skypemgr.locales import present_locale

register = template.Library()


@register.filter
def percent(rate: Decimal) -> str:
    """A percentage: 25.5% in English, 25,5 % in French."""
    number = format_decimal(rate.normalize(), format="0.##", locale=present_locale())
    return f"{number}%" if present_locale().language == "en" else f"{number}\u00a0%"


@register.filter
def full_day(day: date) -> str:
    """A day with its year, whichever that is: 22 November 2026."""
    return str(format_date(day, "long", locale=present_locale()))


register.filter(country_name)
