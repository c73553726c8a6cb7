"""What an organization has of licenses and numbers at this moment, how much of it is used, and what a month costs."""

from dataclasses import dataclass
from decimal import Decimal

from django.db import connection

from members.models import Organization
from members.places import country_name
from telephony.product_names import name_of

NOTHING = Decimal("0.0000")


@dataclass(frozen=True)
class Holding:
    """Seats of a product, or numbers of a country and a type: how many are owned, and how many people have.

    ``monthly`` is what all of them cost in a month, ``unused`` what those that nobody has cost.
    """

    label: str
    owned: int
    assigned: int
    monthly: Decimal
    unused: Decimal
    kind: str = ""

    @property
    def free(self) -> int:
        return self.owned - self.assigned


def list_seats(organization: Organization) -> list[Holding]:
    """Seats by product, asleep or not, the dearest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT product.code, sum(quantity), sum(assigned), sum(quantity * monthly_price),
                sum((quantity - assigned) * monthly_price)
            FROM telephony_license license JOIN telephony_product product ON product.id = license.product_id
            WHERE organization_id = %s AND ended_at IS NULL
            GROUP BY product.code ORDER BY 4 DESC, 1
            """,
            [organization.pk],
        )
        return [Holding(name_of(code), *figures) for code, *figures in cursor.fetchall()]


def list_number_groups(organization: Organization) -> list[Holding]:
    """Numbers by country and type, the most first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT area.country, area.type, count(*), count(held.id), coalesce(sum(number.monthly_price), 0),
                coalesce(sum(number.monthly_price) FILTER (WHERE held.id IS NULL), 0)
            FROM telephony_phonenumber number JOIN telephony_numberarea area ON area.id = number.area_id
            LEFT JOIN telephony_numberassignment held ON held.number_id = number.id AND held.until IS NULL
            WHERE number.organization_id = %s
            GROUP BY area.country, area.type ORDER BY 3 DESC, 1, 2
            """,
            [organization.pk],
        )
        found = cursor.fetchall()
    return [
        Holding(country_name(country), owned, assigned, monthly, unused, kind)
        for country, kind, owned, assigned, monthly, unused in found
    ]
