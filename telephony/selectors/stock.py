"""The stock as it was last counted, and who may have how much of it, for those who run the installation."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, Q, Sum
from django.http import QueryDict
from django.utils.translation import ngettext_lazy

from members.models import Organization
from skypemgr.lists import Ordering, Page, count_up_to, keyset_page, read_text
from telephony.models import NumberArea

BY_PLACE = Ordering("place", ("country", "city", "region", "type", "id"))
BY_ADDRESS = Ordering("address", ("slug", "id"))


@dataclass(frozen=True)
class StockTotals:
    """How many numbers there are, are free and are owned; counted at a moment, None for never."""

    total: int
    free: int
    owned: int
    counted_at: datetime | None


def totals_of_stock() -> StockTotals:
    """Of all areas together."""
    found = NumberArea.objects.aggregate(
        total=Sum("total", default=0),
        free=Sum("free", default=0),
        owned=Sum("owned", default=0),
        counted_at=Max("counted_at"),
    )
    return StockTotals(**found)


def page_of_areas(query: QueryDict) -> Page[NumberArea]:
    """The areas of the stock by place, or those that a search finds."""
    areas = NumberArea.objects.all()
    if search := read_text(query):
        areas = areas.filter(Q(city__icontains=search) | Q(region__icontains=search) | Q(country__iexact=search))
    total = count_up_to(areas)
    text = ngettext_lazy("{shown} of {total} place", "{shown} of {total} places")
    return keyset_page(areas, order=BY_PLACE, query=query, text=text % total.number, total=total)


def page_of_organizations(query: QueryDict) -> Page[Organization]:
    """Organizations whose quota was set, or those that a search finds."""
    organizations = Organization.objects.filter(closed_at=None).select_related("number_quota")
    if search := read_text(query):
        organizations = organizations.filter(Q(name__icontains=search) | Q(slug__icontains=search))
    else:
        organizations = organizations.filter(number_quota__isnull=False)
    total = count_up_to(organizations)
    text = ngettext_lazy("{shown} of {total} organization", "{shown} of {total} organizations")
    return keyset_page(organizations, order=BY_ADDRESS, query=query, text=text % total.number, total=total)
