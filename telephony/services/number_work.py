"""Numbers that cost something are renewed once a day, each on its own day of the month."""

import logging

from django.db import transaction

from members.jobs import Run
from members.locks import lock_organization
from members.models import Organization
from telephony.license_errors import WalletTooSmall
from telephony.licensing import today_of
from telephony.models import PhoneNumber
from telephony.number_fees import pay_next_month

logger = logging.getLogger(__name__)


def renew_numbers(run: Run) -> None:
    """Renew the numbers of an organization that are due, the oldest first, as far as its wallet covers them.

    What it doesn't cover is tried again the next day; the numbers stay meanwhile.
    """
    assert run.organization is not None
    try:
        while renew_oldest(organization=run.organization):
            pass
    except WalletTooSmall:
        logger.warning("A wallet does not cover the numbers.", extra={"organization": run.organization.pk})


@transaction.atomic(durable=True)
def renew_oldest(*, organization: Organization) -> bool:
    """Renew all numbers of the first day that is due; False when none is."""
    lock_organization(organization)
    due = PhoneNumber.objects.of(organization).filter(renews_on__lte=today_of(organization))
    day = due.order_by("renews_on").values_list("renews_on", flat=True).first()
    if day is None:
        return False
    pay_next_month(organization=organization, day=day)
    return True
