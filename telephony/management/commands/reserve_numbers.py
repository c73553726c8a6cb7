from argparse import ArgumentParser
from typing import Any
from uuid import uuid4

from members.access import Actor, Capability, require
from members.management.base import OrganizationCommand, Refused
from members.models import Organization
from telephony.errors import NothingFree
from telephony.models import NumberArea
from telephony.selectors.reservations import areas_in_stock, find_areas
from telephony.services.reservations import MOST_HELD, reserve_numbers


class Command(OrganizationCommand):
    help = "Hold free phone numbers of a city for ten minutes."
    nothing_done = {"reservation": None, "expires_at": None, "numbers": []}

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--country", required=True, help="its code, as FR")
        parser.add_argument("--city", default="", help="its name; needed for numbers for people")
        parser.add_argument("--region", default="", help="where several cities have that name")
        parser.add_argument("--quantity", required=True, type=_quantity, help=f"how many, {MOST_HELD} at the most")
        parser.add_argument(
            "--type",
            default="user",
            choices=[value.replace("_", "-") for value in NumberArea.Type],
            help="what they are for; user unless given",
        )

    def act(
        self,
        *,
        organization: Organization,
        actor: Actor,
        country: str,
        city: str,
        region: str,
        quantity: int,
        dry_run: bool,
        **options: Any,
    ) -> dict[str, Any]:
        require(actor, organization, Capability.MANAGE_VOICE)
        area = _find_area(country, city, options["type"].replace("-", "_"), region)
        if dry_run:
            free = next(one.free for one in areas_in_stock(area.country, area.type) if one.area == area)
            if not free.number:
                raise NothingFree(place=str(area))
            return {**self.nothing_done, "would_hold": min(quantity, free.number)}
        reservation = reserve_numbers(actor=actor, organization=organization, area=area, quantity=quantity, key=uuid4())
        numbers = reservation.numbers.order_by("number").values_list("number", flat=True)
        return {"reservation": reservation.pk, "expires_at": reservation.expires_at, "numbers": list(numbers)}

    def explain(self, result: dict[str, Any]) -> None:
        if "would_hold" in result:
            self.stdout.write(f"{result['would_hold']} would be held.")
            return
        self.stdout.write(f"Reservation {result['reservation']}, until {result['expires_at']:%H:%M:%S} UTC:")
        for number in result["numbers"]:
            self.stdout.write(number)


def _find_area(country: str, city: str, type_: str, region: str) -> NumberArea:
    found = find_areas(country, city, type_, region)
    if not found:
        raise Refused(f"There are no numbers of {city or 'that kind'} in {country.upper()}.")
    if len(found) > 1:
        raise Refused(f"Several places are called {city}. Name the region: {', '.join(one.region for one in found)}.")
    return found[0]


def _quantity(text: str) -> int:
    number = int(text)
    if not 1 <= number <= MOST_HELD:
        raise ValueError
    return number
