"""Products and seats as commands name them and tell of them."""

from argparse import ArgumentParser
from typing import Any

from members.management.base import named_member
from members.models import Member, Organization
from members.models.people import MemberQuerySet
from telephony.license_errors import NoSuchProduct
from telephony.models import Product
from telephony.selectors.licenses import SeatCount, count_seats


def add_product(parser: ArgumentParser) -> None:
    """The argument that names a product."""
    parser.add_argument("--product", metavar="CODE", required=True, help="which product, as phone-system")


def add_members(parser: ArgumentParser) -> None:
    """The argument that names members, one or several."""
    parser.add_argument(
        "--member",
        metavar="NAME",
        action="append",
        required=True,
        help="whom: a Skype Name or an address; may be repeated",
    )


def find_product(code: str) -> Product:
    """The product of a code. Raises NoSuchProduct."""
    found = Product.objects.filter(code=code.lower()).first() if code.isascii() and "\0" not in code else None
    if found is None:
        raise NoSuchProduct(product=code)
    return found


def find_members(organization: Organization, names: list[str]) -> MemberQuerySet:
    """The members of some names. Raises Refused when there is no such one."""
    return Member.objects.of(organization).filter(pk__in={named_member(organization, name).pk for name in names})


def seats_now(organization: Organization, product: Product) -> dict[str, Any]:
    """What ``--json`` gives of the awake seats of a product."""
    seats = count_seats(organization).get(product.code, SeatCount())
    return {"product": product.code, "owned": seats.owned, "assigned": seats.assigned, "free": seats.free}


def sentence_of(result: dict[str, Any]) -> str:
    """The same for people."""
    return "{product}: {owned} owned, {assigned} assigned, {free} free.".format(**result)
