"""The people and the numbers that use emergency addresses and places."""

from collections.abc import Collection, Mapping

from django.db.models import Count
from django.urls import reverse

from telephony.address_uses import Use, UseFinder, add_finder
from telephony.models import EmergencyAddress, NumberAssignment
from telephony.phone_numbers import shown_number


def register() -> None:
    """Called once at start-up."""
    add_finder(UseFinder(key="people", list=_list, count=_count, count_at=_count_at))


def _list(address: EmergencyAddress, most: int) -> list[Use]:
    found = NumberAssignment.objects.filter(organization=address.organization_id, emergency_address=address, until=None)
    rows = found.select_related("member__user", "member__organization", "number", "place").order_by("number__number")
    return [
        Use(
            kind="person",
            name=f"{row.member.user.display_name} · {shown_number(row.number.number)}",
            url=reverse("members:member_profile", args=[row.member.organization.slug, row.member.user.skype_name]),
            place=row.place.name if row.place is not None else "",
        )
        for row in rows[:most]
    ]


def _count(addresses: Collection[int]) -> Mapping[int, int]:
    found = NumberAssignment.objects.filter(emergency_address__in=addresses, until=None).values("emergency_address")
    return dict(found.annotate(number=Count("pk")).values_list("emergency_address", "number"))


def _count_at(places: Collection[int]) -> Mapping[int, int]:
    found = NumberAssignment.objects.filter(place__in=places, until=None).values("place")
    return dict(found.annotate(number=Count("pk")).values_list("place", "number"))
