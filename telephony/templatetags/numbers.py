"""Phone numbers, places and rates as people read them."""

from decimal import Decimal

from django import template
from django.utils.translation import pgettext

from members.places import country_name
from skypemgr.money import money
from telephony.models import NumberArea
from telephony.phone_numbers import shown_number
from telephony.rating.prices import RATE_DECIMALS

register = template.Library()
register.filter(country_name)


@register.filter
def phone(number: str) -> str:
    """A number in groups: +33 1 99 00 45 10."""
    return shown_number(number)


@register.filter
def place(area: NumberArea) -> str:
    """The city and country of an area: Lyon, France."""
    country = country_name(area.country)
    if not area.city:
        return country
    return pgettext("place", "{city}, {country}").format(city=area.city, country=country)


@register.filter
def rate(value: Decimal | None, currency: str) -> str:
    """What a minute or a connection costs, to the last decimal of a rate: €0.00215."""
    return "–" if value is None else money(value, currency, most=RATE_DECIMALS)
