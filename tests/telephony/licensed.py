"""Licenses and seats as the tests need them."""

from uuid import uuid4

from members.access import Actor
from members.models import Member
from telephony.models import Product
from telephony.services.licenses import buy_licenses
from telephony.services.seats import assign_licenses, unassign_licenses


def product(code):
    return Product.objects.get(code=code)


def buying(organization, code="phone-system", quantity=1, months=1, **facts):
    """Buy seats from the wallet."""
    facts = {"actor": Actor.system(), "key": uuid4(), **facts}
    return buy_licenses(organization=organization, product=product(code), quantity=quantity, months=months, **facts)


def people(*members):
    return Member.objects.filter(pk__in=[member.pk for member in members])


def assigning(code, *members, **facts):
    facts = {"actor": Actor.system(), "organization": members[0].organization, **facts}
    return assign_licenses(product=product(code), members=people(*members), **facts)


def unassigning(code, *members, **facts):
    facts = {"actor": Actor.system(), "organization": members[0].organization, **facts}
    return unassign_licenses(product=product(code), members=people(*members), **facts)


def has(member):
    """The codes of the products of which somebody has a seat."""
    return sorted(member.seats.filter(ended_at=None).values_list("product__code", flat=True))
