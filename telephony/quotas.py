"""How many numbers for people an organization may have: its seats, a tenth of them, and ten (004-12)."""

from dataclasses import dataclass

from members.models import Organization
from telephony.models import NumberArea, NumberQuota, PhoneNumber
from telephony.selectors.licenses import owned_seats

# The products whose seats count; plans add nothing.
COUNTED = ("phone-system", "e5")
User = NumberArea.Type.USER


@dataclass(frozen=True, kw_only=True)
class Quota:
    """``licenses`` make ``computed`` numbers, unless operators have ``set`` how many there may be.

    Those that are ``owned`` and ``held`` count. Ported numbers are not among them, nor those for services.
    """

    licenses: int
    owned: int
    held: int
    set: int | None = None

    @property
    def tenth(self) -> int:
        """Whole numbers only: in floating point 100 and its tenth and ten are a little more than 120."""
        return self.licenses // 10

    @property
    def computed(self) -> int:
        return computed_quota(self.licenses)

    @property
    def allowed(self) -> int:
        return self.computed if self.set is None else self.set

    @property
    def taken(self) -> int:
        return self.owned + self.held

    @property
    def can_acquire(self) -> int:
        """How many more can be reserved or acquired; a quota that fell takes nothing away."""
        return max(0, self.allowed - self.taken)

    @property
    def can_own(self) -> int:
        """How many more can be acquired out of those that are held."""
        return max(0, self.allowed - self.owned)


def computed_quota(licenses: int) -> int:
    """As many as there are licenses, a tenth of them rounded down, and ten; none without a license."""
    return licenses + licenses // 10 + 10 if licenses else 0


def quota_of(organization: Organization) -> Quota:
    """What an organization may have and has at this moment.

    It holds while the organization is locked: whoever reserves or acquires locks it first.
    """
    seats = owned_seats(organization)
    numbers = PhoneNumber.objects.filter(area__type=User)
    return Quota(
        licenses=sum(seats.get(product, 0) for product in COUNTED),
        owned=numbers.of(organization).filter(source=PhoneNumber.Source.STOCK).count(),
        held=numbers.held_by(organization).count(),
        set=NumberQuota.objects.filter(organization=organization).values_list("numbers", flat=True).first(),
    )
