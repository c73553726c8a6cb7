"""How commands name numbers and reservations."""

from members.management.base import Refused
from members.models import Organization
from telephony.models import PhoneNumber, Reservation
from telephony.phone_numbers import read_phone_number


def find_reservation(organization: Organization, key: int) -> Reservation:
    """A reservation of an organization. Raises Refused."""
    found = Reservation.objects.filter(organization=organization, pk=key).select_related("area").first()
    if found is None:
        raise Refused(f"There is no reservation {key}.")
    return found


def find_number(organization: Organization, text: str) -> PhoneNumber:
    """A number that an organization owns. Raises Refused, NotANumber."""
    number = read_phone_number(text)
    found = PhoneNumber.objects.of(organization).select_related("area").filter(number=number).first()
    if found is None:
        raise Refused(f"{organization.name} has no number {number}.")
    return found
