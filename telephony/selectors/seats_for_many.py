"""What assigning seats to many, or taking them away, would come to; told before it is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, ngettext, ngettext_lazy

from members.bulk import Exceptions, Reach, left_alone, reach_of
from members.models import Organization
from members.models.people import MemberQuerySet
from members.selectors.members import for_list
from skypemgr.templatetags.look import count
from telephony.catalog import Catalog
from telephony.models import Product
from telephony.seat_reach import assign_exceptions, holders, unassign_exceptions
from telephony.seating import numbers_ending_with, plan_taking_away
from telephony.selectors.licenses import SeatCount, count_seats

SHOWN_NAMES = 5
WHY: Mapping[str, Any] = {
    "left": ngettext_lazy("{number} person has left", "{number} people have left"),
    "there": ngettext_lazy("{number} person has a seat already", "{number} people have a seat already"),
    "personal": ngettext_lazy(
        "{number} person can’t get one: {product} is for business accounts, and theirs is a personal one",
        "{number} people can’t get one: {product} is for business accounts, and theirs are personal ones",
    ),
    "included": ngettext_lazy(
        "{number} person has {product} already, with another product that includes it",
        "{number} people have {product} already, with another product that includes it",
    ),
    "lacking": ngettext_lazy(
        "{number} person can’t get one yet: {required} is needed first",
        "{number} people can’t get one yet: {required} is needed first",
    ),
    "none": ngettext_lazy("{number} person has none", "{number} people have none"),
}


@dataclass(frozen=True)
class LeftAlone:
    """Some who are left alone for one reason: a sentence, the names of the first, and how many others there are."""

    text: str
    names: Sequence[str]
    others: int


@dataclass(frozen=True, kw_only=True)
class SeatForecast:
    """Whom it reaches, who is left alone and why, and how many seats are free before it.

    ``along`` says of products that require this one how many people lose theirs with it.
    """

    product: Product
    reach: Reach
    left_alone: Sequence[LeftAlone]
    free: int
    along: Sequence[tuple[Product, int]] = ()
    # How many give their phone number back, since they can't have one without it.
    numbers: int = 0

    @property
    def missing(self) -> int:
        """How many seats have to be bought first."""
        return max(self.reach.changed - self.free, 0)

    @property
    def free_after_assigning(self) -> int:
        return self.free - self.reach.changed

    @property
    def dependents(self) -> list[str]:
        """Sentences about what goes along."""
        told = []
        for product, number in self.along:
            text = ngettext(
                "{number} person loses {product} too, which requires it.",
                "{number} people lose {product} too, which requires it.",
                number,
            )
            told.append(text.format(number=count(number), product=product.name))
        if self.numbers:
            text = ngettext(
                "{number} person gives their phone number back.",
                "{number} people give their phone numbers back.",
                self.numbers,
            )
            told.append(text.format(number=count(self.numbers)))
        return told


def owned_products(organization: Organization) -> list[tuple[Product, SeatCount]]:
    """The products of which awake seats are owned, with these, in their order."""
    counted = count_seats(organization)
    return [(product, counted[code]) for code, product in Catalog.load().products.items() if code in counted]


def foresee_assigning(organization: Organization, product: Product, chosen: MemberQuerySet) -> SeatForecast:
    """What assigning a product to all of ``chosen`` who can have it would come to."""
    exceptions = assign_exceptions(organization, product)
    reach = reach_of(chosen, exceptions)
    return SeatForecast(
        product=product,
        reach=reach,
        left_alone=_left_alone(chosen, exceptions, reach, product),
        free=count_seats(organization).get(product.code, SeatCount()).free,
    )


def foresee_unassigning(organization: Organization, product: Product, chosen: MemberQuerySet) -> SeatForecast:
    """What taking a product away from all of ``chosen`` would come to, with what requires it."""
    exceptions = unassign_exceptions(organization, product)
    reach = reach_of(chosen, exceptions)
    having = chosen.filter(holders(organization, product)).order_by().values("pk")
    ending = plan_taking_away(organization, product, having, with_dependents=True)
    products = Catalog.load().products
    return SeatForecast(
        product=product,
        reach=reach,
        left_alone=_left_alone(chosen, exceptions, reach, product),
        free=count_seats(organization).get(product.code, SeatCount()).free,
        along=[(products[code], len(keys)) for code, keys in ending.items() if code != product.code],
        numbers=len(numbers_ending_with(organization, ending)),
    )


def _left_alone(chosen: MemberQuerySet, exceptions: Exceptions, reach: Reach, product: Product) -> list[LeftAlone]:
    told = []
    for why, number in reach.untouched:
        first = for_list(left_alone(chosen, exceptions, why)).order_by("sort_key", "pk")[:SHOWN_NAMES]
        names = [member.user.display_name for member in first]
        text = (WHY[why] % number).format(number=count(number), product=product.name, required=_required(product, why))
        told.append(LeftAlone(text, names, max(number - SHOWN_NAMES, 0)))
    return told


def _required(product: Product, why: str) -> str:
    if why != "lacking":
        return ""
    catalog = Catalog.load()
    names = [catalog.products[code].name for code in catalog.products if code in catalog.requires[product.code]]
    return gettext(" or ").join(names)
