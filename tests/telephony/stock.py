"""Numbers for tests, and organizations that may have them."""

from telephony.models import NumberQuota, PhoneNumber
from tests.factories import NumberAreaFactory, PhoneNumberFactory


def stocked(number, **area):
    """So many free numbers of a place, and that place."""
    place = NumberAreaFactory(**area)
    PhoneNumberFactory.create_batch(number, area=place)
    return place


def allow(organization, numbers):
    """Let an organization have so many numbers, whatever its licenses."""
    NumberQuota.objects.update_or_create(organization=organization, defaults={"numbers": numbers, "reason": "Test"})


def holders():
    """Who holds or owns how many numbers."""
    held = PhoneNumber.objects.filter(organization=None, reservation__isnull=False)
    return {
        "owned": PhoneNumber.objects.filter(organization__isnull=False).count(),
        "held": held.count(),
    }
