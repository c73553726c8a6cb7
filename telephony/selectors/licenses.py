"""Which seats an organization owns, who has them, and what they open."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet, Sum

from members.models import Member, Organization
from telephony.models import License, LicenseAssignment

# Who has it, itself or in another product, can be given a number.
PHONE_SYSTEM = "phone-system"


@dataclass(frozen=True)
class SeatCount:
    """Seats of a product that can be used: how many are owned, and how many people have."""

    owned: int = 0
    assigned: int = 0

    @property
    def free(self) -> int:
        return self.owned - self.assigned


def count_seats(organization: Organization) -> dict[str, SeatCount]:
    """The awake seats of an organization by the code of their product; a product without any is left out."""
    found = License.objects.filter(organization=organization).awake().values("product__code")
    counted = found.annotate(owned=Sum("quantity"), taken=Sum("assigned")).order_by("product__code")
    return {row["product__code"]: SeatCount(row["owned"], row["taken"]) for row in counted}


def owned_seats(organization: Organization) -> dict[str, int]:
    """How many awake seats an organization owns, by the code of their product, taken or not. One query.

    What a product includes is not counted.
    """
    return {code: seats.owned for code, seats in count_seats(organization).items()}


@dataclass(frozen=True)
class OwnedSeats:
    """Of which product an organization owns seats, those that are awake or those that are asleep."""

    code: str
    opens_voice: bool
    asleep: bool


def owned_on_page(organization: Organization) -> list[OwnedSeats]:
    """What seats are owned, in the order of products; asked once for an organization in memory.

    For a page, whose parts all ask it.
    """
    known = vars(organization)
    if "_owned_seats" not in known:
        owned = License.objects.filter(organization=organization).owned().order_by("product__order").distinct()
        found = owned.values_list("product__code", "product__opens_voice", "asleep_since")
        known["_owned_seats"] = list(
            dict.fromkeys(OwnedSeats(code, opens_voice, since is not None) for code, opens_voice, since in found)
        )
    return list(known["_owned_seats"])


def shows_voice(organization: Organization) -> bool:
    """As ``voice_is_open``, for a page."""
    return any(seats.opens_voice and not seats.asleep for seats in owned_on_page(organization))


def voice_is_open(organization: Organization) -> bool:
    """Whether any awake license is of a product that opens the Voice section (004-10)."""
    return License.objects.filter(organization=organization, product__opens_voice=True).awake().exists()


def covered_by(organization: Organization, members: Sequence[Member | int], code: str) -> dict[int, int]:
    """By member, the awake seat through which they have a product: one of its own, or of one that includes it.

    Who does not have it is left out; the values are keys of LicenseAssignment.
    """
    of_product = Q(product__code=code) | Q(product__includes__code=code)
    seats = LicenseAssignment.objects.filter(of_product, organization=organization, member__in=members).awake()
    return dict(seats.order_by("-pk").values_list("member_id", "pk"))


def who_has(organization: Organization, code: str) -> QuerySet[LicenseAssignment, Any]:
    """The keys of all members who have a product, itself or in another one, by an awake seat."""
    of_product = Q(product__code=code) | Q(product__includes__code=code)
    return LicenseAssignment.objects.filter(of_product, organization=organization).awake().values("member")
