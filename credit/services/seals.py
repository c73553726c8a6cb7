"""Sealing what is new in the ledgers, every hour; on behalf of nobody, and safe to repeat."""

import logging

from django.db import OperationalError, transaction

from credit.sealing import LEDGER
from members.sealing import last_row, seal_some, unsealed

logger = logging.getLogger(__name__)


def seal_ledgers() -> int:
    """Seal what is new in every organization, each in transactions of its own; gives how many seals were made."""
    try:
        last = _last_transfer()
    except OperationalError:
        # Somebody has been posting for long; that is sealed in an hour.
        logger.info("The ledgers were not sealed now: somebody is writing to them.")
        return 0
    made = 0
    for organization in unsealed(LEDGER):
        while _seal_some(organization, last):
            made += 1
    return made


@transaction.atomic(durable=True)
def _last_transfer() -> int:
    return last_row(LEDGER)


@transaction.atomic(durable=True)
def _seal_some(organization: int, last: int) -> bool:
    return seal_some(LEDGER, organization, last)
