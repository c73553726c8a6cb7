"""Sealing what is new in the ledgers, every hour; on behalf of nobody, and safe to repeat."""

import logging
from textwrap import wrap

from django.db import connection, transaction

from credit.models import LedgerSeal
from credit.sealing import seal_of
from members.locks import take_time, take_turn

logger = logging.getLogger(__name__)

# At most so many transfers lie under one seal, so that memory is bounded.
AT_MOST = 50_000
UNSEALED = """
    SELECT organization.id FROM members_organization organization
    CROSS JOIN LATERAL (
        SELECT max(through) AS through FROM credit_ledgerseal WHERE organization_id = organization.id
    ) seal
    WHERE EXISTS (
        SELECT FROM credit_transfer
        WHERE organization_id = organization.id AND id > coalesce(seal.through, 0)
    )
    ORDER BY organization.id
"""
LAST = "SELECT coalesce(max(id), 0) FROM credit_transfer WHERE organization_id = %s"


def seal_ledgers() -> int:
    """Seal what is new in every organization, each in transactions of its own; gives how many seals were made."""
    with connection.cursor() as cursor:
        cursor.execute(UNSEALED)
        organizations = [key for (key,) in cursor.fetchall()]
    return sum(seal_ledger(organization) for organization in organizations)


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
    if not take_turn("seal", organization):
        return False
    take_time()
    before = LedgerSeal.objects.filter(organization=organization).order_by("-number").first()
    found = seal_of(organization, before.hash if before else "", before.through if before else 0, last, AT_MOST)
    if found is None:
        return False
    hash_, transfers, through = found
    number = before.number + 1 if before else 1
    LedgerSeal.objects.create(
        organization_id=organization, number=number, through=through, transfers=transfers, hash=hash_
    )
    logger.info(
        "The ledger was sealed.",
        # In groups, since a long word might be a secret, and is left out of the log.
        extra={"organization": organization, "seal": number, "hash": " ".join(wrap(hash_, 16))},
    )
    return True
