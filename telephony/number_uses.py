"""Which numbers use an emergency address, registered when the app starts."""

from collections.abc import Collection

from django.db.models import Count
from django.urls import reverse

from telephony.address_uses import Use, UseFinder, add_finder
from telephony.models import EmergencyAddress, PhoneNumber
from telephony.phone_numbers import shown_number


def _list(address: EmergencyAddress, most: int) -> list[Use]:
    numbers = PhoneNumber.objects.of(address.organization).filter(emergency_address=address).order_by("number")[:most]
    return [
        Use(
            "number",
            shown_number(number.number),
            reverse("telephony:number_detail", args=[address.organization.slug, number.digits]),
        )
        for number in numbers
    ]


def _count(addresses: Collection[int]) -> dict[int, int]:
    numbers = PhoneNumber.objects.filter(emergency_address__in=addresses).order_by()
    return dict(numbers.values_list("emergency_address").annotate(Count("pk")))


def register() -> None:
    """Called once at start-up."""
    add_finder(UseFinder(key="numbers", list=_list, count=_count, count_at=lambda places: {}))
