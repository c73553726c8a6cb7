"""Which VAT a purchase bears, and what that makes of an amount. The rule stands in docs/credit.md.

Nothing here asks anybody on the network: whether a VAT id exists is looked up by an operator, who records it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from stdnum.eu import vat as vat_ids
from stdnum.exceptions import ValidationError

from credit.models import Treatment
from skypemgr.money import places_of

NO_VAT = Decimal("0.00")
# Greece writes EL in VAT ids; Northern Ireland's XI is for goods alone.
EU = frozenset(code.upper() for code in vat_ids.MEMBER_STATES) - {"XI"}


@dataclass(frozen=True)
class Vat:
    """Which rule applies, and the percentage by it."""

    treatment: Treatment
    rate: Decimal


@dataclass(frozen=True)
class Price:
    """What a purchase of ``net`` costs: net + vat = gross."""

    treatment: Treatment
    vat_rate: Decimal
    net: Decimal
    vat: Decimal
    gross: Decimal


def read_vat_id(text: str) -> str:
    """A VAT id of the EU as it is kept: compact, with its country ("FR40303265045"). Raises ValueError."""
    try:
        return str(vat_ids.validate(text)).upper()
    except ValidationError as error:
        raise ValueError(text) from error


def country_of_vat_id(vat_id: str) -> str:
    """The country that gave a VAT id: "GR" of "EL094259216"."""
    return "GR" if vat_id[:2] == "EL" else vat_id[:2]


def vat_for(
    *, seller_country: str, rates: Mapping[str, Decimal], buyer_country: str, buyer_vat_id: str, evidence: bool
) -> Vat:
    """The VAT for a buyer. ``evidence``: an operator has recorded that the buyer's VAT id is valid.

    ``rates`` hold a percentage for the seller's country, and for others where another applies.
    """
    at_home = rates.get(seller_country, NO_VAT)
    if buyer_country == seller_country:
        return Vat(Treatment.STANDARD, at_home)
    if not {seller_country, buyer_country} <= EU:
        return Vat(Treatment.OUTSIDE, NO_VAT)
    if evidence and buyer_vat_id and country_of_vat_id(buyer_vat_id) == buyer_country:
        return Vat(Treatment.REVERSE_CHARGE, NO_VAT)
    return Vat(Treatment.STANDARD, rates.get(buyer_country, at_home))


def rounded(amount: Decimal, currency: str) -> Decimal:
    """An amount as it can be paid, halves up."""
    return amount.quantize(Decimal(1).scaleb(-places_of(currency)), ROUND_HALF_UP)


def price_of(net: Decimal, vat: Vat, currency: str) -> Price:
    """What ``net`` costs. VAT is rounded, once; net stays what it is."""
    tax = rounded(net * vat.rate / 100, currency)
    return Price(treatment=vat.treatment, vat_rate=vat.rate, net=net, vat=tax, gross=net + tax)


def part_of(price: Price, *, back: Decimal, before: Decimal, net_before: Decimal, currency: str) -> Price:
    """What of a price goes back when ``back`` of its gross does, after ``before`` of it with ``net_before``.

    The parts of a price that goes back whole add up to it exactly.
    """
    net = rounded(price.net * (before + back) / price.gross, currency) - net_before
    return Price(treatment=price.treatment, vat_rate=price.vat_rate, net=net, vat=back - net, gross=back)
