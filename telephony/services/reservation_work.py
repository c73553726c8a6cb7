"""Tidiness: reservations whose time is over are said to be, for whoever reads them later. Nothing waits for it."""

from django.db import transaction

from members.models import Organization
from telephony.holding import expire


def expire_reservations() -> int:
    """Write down which reservations have expired; gives how many."""
    number = 0
    while some := expire_some(organization=None):
        number += some
    return number


@transaction.atomic(durable=True)
def expire_some(*, organization: Organization | None) -> int:
    """The same, of a thousand at the most: of one organization, or of all."""
    if organization is None:
        return expire("true", [])
    return expire("organization_id = %s", [organization.pk])
