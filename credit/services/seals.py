"""Sealing what is new in the ledgers, every hour; on behalf of nobody, and safe to repeat."""

from django.db import connection, transaction

from credit.sealing import LEDGER
from members.sealing import seal_some, unsealed

LAST = "SELECT coalesce(max(id), 0) FROM credit_transfer WHERE organization_id = %s"


def seal_ledgers() -> int:
    """Seal what is new in every organization, each in transactions of its own; gives how many seals were made."""
    return sum(seal_ledger(organization) for organization in unsealed(LEDGER))


def seal_ledger(organization: int) -> int:
    """Seal what is new in one organization, by its key; gives how many seals were made."""
    last = _last_transfer(organization)
    made = 0
    while _seal_some(organization, last):
        made += 1
    return made


@transaction.atomic(durable=True)
def _last_transfer(organization: int) -> int:
    """The key below which no transfer of an organization will ever come: those under way are waited for."""
    with connection.cursor() as cursor:
        # Whoever posts meanwhile waits for this, so it is brief, or comes back in an hour.
        cursor.execute("SET LOCAL lock_timeout = '2s'")
        cursor.execute("SELECT credit_wait_for_posts(%s)", [organization])
        cursor.execute(LAST, [organization])
        return int(cursor.fetchone()[0])


@transaction.atomic(durable=True)
def _seal_some(organization: int, last: int) -> bool:
    return seal_some(LEDGER, organization, last)
