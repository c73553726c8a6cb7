"""What an organization holds at this moment, and what there is to be held."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection
from django.db.models import QuerySet

from members.models import Organization
from skypemgr.clock import DatabaseClock, database_now
from skypemgr.lists import Total
from telephony.models import NumberArea, PhoneNumber, Reservation

# Of a place no more free numbers are counted: whoever wants more can't have them at once.
MOST_FREE = 200


@dataclass(frozen=True)
class Held:
    """A reservation with its numbers, by number, and the seconds that are left of it by the database's clock."""

    reservation: Reservation
    numbers: Sequence[PhoneNumber]
    left: int

    @property
    def shown_left(self) -> str:
        """The time that is left in minutes and seconds: 8:32."""
        return f"{self.left // 60}:{self.left % 60:02}"

    @property
    def price(self) -> Decimal:
        """What its numbers cost in a month together."""
        return sum((number.monthly_price for number in self.numbers if number.monthly_price), Decimal(0))


def live_reservations(organization: Organization) -> QuerySet[Reservation]:
    """Those that hold numbers at this moment, by the database's clock."""
    return Reservation.objects.filter(organization=organization, ended_at=None, expires_at__gt=DatabaseClock())


def has_overdue(organization: Organization) -> bool:
    """Whether the time of a reservation is over, which nobody has written down yet."""
    overdue = Reservation.objects.filter(organization=organization, ended_at=None, expires_at__lte=DatabaseClock())
    return overdue.exists()


def list_held(organization: Organization) -> list[Held]:
    """What an organization holds, reservation by reservation, the first that ends first."""
    live = list(live_reservations(organization).select_related("area").order_by("expires_at", "pk"))
    if not live:
        return []
    now = database_now()
    numbers: dict[int, list[PhoneNumber]] = {reservation.pk: [] for reservation in live}
    for number in PhoneNumber.objects.held_by(organization).select_related("area").order_by("number"):
        assert number.reservation_id is not None
        numbers.get(number.reservation_id, []).append(number)
    return [Held(one, numbers[one.pk], _seconds(one.expires_at, now)) for one in live]


def _seconds(end: datetime, now: datetime) -> int:
    return max(0, round((end - now).total_seconds()))


def countries_of_stock(type_: str) -> list[str]:
    """The countries that have numbers of a type, free or not, by code."""
    areas = NumberArea.objects.filter(type=type_).order_by("country")
    return list(areas.values_list("country", flat=True).distinct())


@dataclass(frozen=True)
class AreaInStock:
    """An area, and how many of its numbers are free at this moment, counted no further than MOST_FREE."""

    area: NumberArea
    free: Total


def areas_in_stock(country: str, type_: str) -> list[AreaInStock]:
    """The areas of a country, by city, each with its free numbers.

    So many entries of an index are read for each area as are counted, however many numbers there are.
    """
    areas = list(NumberArea.objects.filter(country=country, type=type_).order_by("city", "region"))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT area.id, (
                SELECT count(*) FROM (
                    SELECT FROM telephony_phonenumber number
                    WHERE number.area_id = area.id AND number.organization_id IS NULL AND number.retired_at IS NULL
                        AND number.reserved_until < asked.moment AND number.kept_until < asked.moment
                    ORDER BY number.reserved_until LIMIT %s
                ) AS found
            ) FROM unnest(%s::bigint[]) AS area (id), (SELECT clock_timestamp() AS moment) AS asked
            """,
            [MOST_FREE + 1, [area.pk for area in areas]],
        )
        free: dict[int, int] = dict(cursor.fetchall())
    return [AreaInStock(area, Total.up_to(free[area.pk], MOST_FREE)) for area in areas]


def find_areas(country: str, city: str, type_: str, region: str = "") -> list[NumberArea]:
    """The areas that a country and a city name, in whatever case they are written."""
    areas = NumberArea.objects.filter(country=country.upper(), type=type_)
    if region:
        areas = areas.filter(region__iexact=region)
    return [area for area in areas.order_by("region") if area.city.casefold() == city.strip().casefold()]
