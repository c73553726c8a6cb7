"""What a member sees and takes along of the licenses they have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import HttpRequest
from django.template.loader import render_to_string

from members.models import Member
from members.tenures import Stint
from telephony.catalog import Catalog
from telephony.models import LicenseAssignment, Product


@dataclass(frozen=True)
class OwnFeature:
    """A product that somebody has: by a seat, or through another product that includes it (then ``through``)."""

    product: Product
    through: str
    asleep: bool


def own_features(member: Member) -> Sequence[OwnFeature]:
    """All that a member has, in the order of products. The same few queries however much it is."""
    seats = LicenseAssignment.objects.filter(organization=member.organization_id, member=member).open()
    asleep: Mapping[str, bool] = {
        code: since is not None for code, since in seats.values_list("product__code", "license__asleep_since")
    }
    if not asleep:
        return []
    catalog = Catalog.load()
    found = []
    for code, product in catalog.products.items():
        if code in asleep:
            found.append(OwnFeature(product, "", asleep[code]))
        elif through := catalog.includers(code, [seat for seat in asleep if not asleep[seat]]):
            found.append(OwnFeature(product, catalog.names(through[:1]), asleep=False))
    return found


def render_own_features(request: HttpRequest, member: Member) -> str:
    """The panel of /me/ with what ``member`` has; "" when that is nothing."""
    features = own_features(member)
    if not features:
        return ""
    has_settings = any(feature.product.settings and not feature.asleep for feature in features)
    context = {"member": member, "features": features, "has_settings": has_settings}
    return render_to_string("telephony/my_features.html", context, request)


def licenses_of(member: Member, stint: Stint) -> list[dict[str, object]]:
    """The seats that somebody had in their time, for the file they may ask for."""
    seats = LicenseAssignment.objects.filter(stint.covers("assigned_at"), organization=member.organization_id)
    return [
        {"product": seat.product.name, "from": seat.assigned_at, "to": seat.ended_at, "ended_by": seat.ending}
        for seat in seats.filter(member=member).select_related("product").order_by("assigned_at", "pk")
    ]
