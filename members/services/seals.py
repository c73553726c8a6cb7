"""Sealing what is new in the audit logs, every hour; on behalf of nobody, and safe to repeat."""

import logging

from django.db import OperationalError, transaction

from members.sealing import AUDIT_LOG, last_row, seal_some, unsealed

logger = logging.getLogger(__name__)


def seal_audit_logs() -> int:
    """Seal what is new in every organization, each in transactions of its own; gives how many seals were made."""
    try:
        last = _last_entry()
    except OperationalError:
        # Somebody has been writing for long; what they write is sealed in an hour.
        logger.info("The audit logs were not sealed now: somebody is writing to them.")
        return 0
    made = 0
    for organization in unsealed(AUDIT_LOG):
        while _seal_some(organization, last):
            made += 1
    return made


@transaction.atomic(durable=True)
def _last_entry() -> int:
    return last_row(AUDIT_LOG)


@transaction.atomic(durable=True)
def _seal_some(organization: int, last: int) -> bool:
    return seal_some(AUDIT_LOG, organization, last)
