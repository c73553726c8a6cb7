"""A stock of numbers that nobody has, for the installation of the demo company. Local mode only.

All are of ranges that are kept for stories, as far as a country has such.
"""

from collections.abc import Iterator

from django.conf import settings
from django.core.exceptions import PermissionDenied

from members.access import Actor
from members.models import Organization
from members.registry import DemoMany, DemoPart, registry
from telephony.demo_calls import add_calls
from telephony.models import PhoneNumber
from telephony.services.stock import load_numbers
from telephony.stock_file import StockRow

# Country, region, city, how their numbers begin, and how many there are.
PLACES = (
    ("FR", "Île-de-France", "Paris", "+33199004", 120),
    ("FR", "Bretagne", "Rennes", "+33261914", 60),
    ("FR", "Grand Est", "Strasbourg", "+33353013", 60),
    ("FR", "Auvergne-Rhône-Alpes", "Lyon", "+33465712", 120),
    ("FR", "Occitanie", "Toulouse", "+33536491", 60),
    ("SE", "Stockholms län", "Stockholm", "+468465004", 60),
    ("SE", "Västra Götalands län", "Göteborg", "+463139006", 60),
    ("SE", "Skåne län", "Malmö", "+464062804", 60),
    ("GB", "Greater London", "London", "+442079460", 90),
    ("GB", "Greater Manchester", "Manchester", "+441614960", 60),
    ("US", "New York", "New York", "+12125550", 60),
    ("US", "Washington", "Redmond", "+14255550", 60),
)


def register() -> None:
    """Called once at start-up."""
    registry.add(
        DemoPart(key="numbers", order=40, add=add_stock),
        DemoMany(key="calls", order=50, help="how many calls (0); more are added, of three months", add=add_calls),
    )


def add_stock(organization: Organization) -> None:
    """Load the stock, unless there is any. Raises PermissionDenied elsewhere."""
    if not settings.LOCAL:
        raise PermissionDenied
    if not PhoneNumber.objects.exists():
        load_numbers(actor=Actor.system(), rows=_rows())


def _rows() -> Iterator[StockRow]:
    row = 0
    for country, region, city, begin, number in PLACES:
        # In Sweden two digits are left to count with, elsewhere three.
        first = 10 if country == "SE" else 100
        for place in range(first, first + number):
            row += 1
            yield StockRow(row, f"{begin}{place}", country, region, city, "user", None, "")
