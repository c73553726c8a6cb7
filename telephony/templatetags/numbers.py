"""Phone numbers and places as people read them."""

from django import template
from django.utils.translation import pgettext

from members.places import country_name
from telephony.models import NumberArea
from telephony.phone_numbers import shown_number

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
