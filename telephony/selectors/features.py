"""The catalog as an organization sees it: what it owns of each product, what that costs, and what can be bought."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import F, Min, Sum

from members.models import Member, Organization
from telephony.catalog import Catalog
from telephony.license_errors import NotOffered, NotSold
from telephony.licensing import require_offered
from telephony.models import License, LicenseAssignment, Product, ProductPrice
from telephony.selectors.licenses import SeatCount, count_seats

LAMPS = {"active": "success", "grace": "warning", "asleep": "danger", "ended": "off"}
# Of the people of a license, and of the periods that were paid.
MOST_SHOWN = 50


@dataclass(frozen=True)
class Feature:
    """A product with its awake seats, what they cost a month on average and when the next ones are renewed.

    ``price`` is what a seat costs a month now, None where it has none; ``why_not`` says why it can't be bought.
    """

    product: Product
    seats: SeatCount
    price: Decimal | None
    monthly: Decimal
    renews_on: dt.date | None
    why_not: str

    @property
    def can_be_bought(self) -> bool:
        return self.price is not None and not self.why_not


def list_features(organization: Organization) -> list[Feature]:
    """All products that are sold or owned, in their order."""
    catalog, seats = Catalog.load(), count_seats(organization)
    owned = {code: count.owned for code, count in seats.items()}
    found = ProductPrice.objects.filter(currency=organization.currency).values_list("product_id", "monthly")
    prices: dict[int, Decimal] = dict(found)
    licenses = License.objects.filter(organization=organization).awake().values("product_id")
    costs: dict[int, dict[str, Any]] = {
        row["product_id"]: dict(row)
        for row in licenses.annotate(
            monthly=Sum(F("renewed_quantity") * F("monthly_price")), renews_on=Min("renews_on")
        ).order_by("product_id")
    }
    features = []
    for code, product in catalog.products.items():
        if not product.on_sale and code not in seats:
            continue
        try:
            require_offered(catalog, product, owned)
            why_not = ""
        except (NotSold, NotOffered) as refusal:
            why_not = str(refusal)
        cost = costs.get(product.pk, {})
        features.append(
            Feature(
                product=product,
                seats=seats.get(code, SeatCount()),
                price=prices.get(product.pk),
                monthly=cost.get("monthly") or Decimal(),
                renews_on=cost.get("renews_on"),
                why_not=why_not,
            )
        )
    return features


def list_licenses(organization: Organization) -> list[tuple[License, str]]:
    """The licenses of an organization that have not ended, each with the lamp of its state."""
    found = License.objects.filter(organization=organization).owned().select_related("product")
    return [(one, LAMPS[one.state]) for one in found.order_by("product__order", "pk")]


def licenses_of(feature: Feature, organization: Organization) -> list[tuple[License, str, Decimal]]:
    """The licenses of a product that have not ended, each with the lamp of its state and what its next period costs.

    At the price of today.
    """
    owned = License.objects.filter(organization=organization, product=feature.product).owned().order_by("pk")
    found = []
    for one in owned.select_related("product"):
        each = one.monthly_price if feature.price is None else feature.price
        found.append((one, LAMPS[one.state], each * one.renewed_quantity * one.months))
    return found


def seats_by_member(
    organization: Organization, product: Product, members: Sequence[Member]
) -> dict[int, LicenseAssignment]:
    """The open seats of a product that some members have, with their licenses."""
    seats = LicenseAssignment.objects.filter(organization=organization, product=product, member__in=members).open()
    return {seat.member_id: seat for seat in seats.select_related("license")}


def list_holders(bought: License) -> Sequence[LicenseAssignment]:
    """Some of those who have a seat of a license, by name."""
    seats = bought.seats.filter(ended_at=None).select_related("member__user")
    return list(seats.order_by("member__sort_key", "pk")[:MOST_SHOWN])


@dataclass(frozen=True)
class MemberFeature:
    """A product as one member has it: by a seat of its own (asleep or not), or through others; or how many are free."""

    product: Product
    seat: LicenseAssignment | None
    through: str
    dependents: str
    free: int


def list_member_features(organization: Organization, member: Member) -> list[MemberFeature]:
    """What a member has, and what is owned and could be assigned to them, in the order of products."""
    catalog, counted = Catalog.load(), count_seats(organization)
    open_seats = LicenseAssignment.objects.filter(organization=organization, member=member).open()
    seats = {seat.product.code: seat for seat in open_seats.select_related("product", "license")}
    has = set(seats)
    return [
        MemberFeature(
            product=product,
            seat=seats.get(code),
            through=catalog.names(catalog.includers(code, has)[:1]),
            dependents=catalog.names(catalog.dependents(has, code)) if code in has else "",
            free=counted.get(code, SeatCount()).free,
        )
        for code, product in catalog.products.items()
        if code in has or code in counted or catalog.includers(code, has)
    ]
