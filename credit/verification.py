"""The ledger, added up again from its transfers: what every account must hold, and how it came to that."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.db import connection, transaction

from members.models import Organization

# Each transfer twice, once for each account that keeps a balance: by how much it changed, and what it held then.
STEPS = """
    SELECT organization_id, source_id AS account, source_version AS version, -amount AS change, source_after AS after,
        operation = 'charge' AS uncovered
    FROM credit_transfer WHERE source_version IS NOT NULL {scope}
    UNION ALL
    SELECT organization_id, target_id, target_version, amount, target_after, true
    FROM credit_transfer WHERE target_version IS NOT NULL {scope}
"""
# Balances and numbers that don't follow from the step before, and steps that went below zero without being a call.
BROKEN_STEPS = """
    SELECT organization.slug, account, count(*)
    FROM (
        SELECT organization_id, account,
            version <> row_number() OVER so_far
            OR after <> change + lag(after, 1, 0) OVER so_far
            OR (after < 0 AND NOT uncovered) AS is_broken
        FROM ({steps}) AS step
        WINDOW so_far AS (PARTITION BY account ORDER BY version)
    ) AS step
    JOIN members_organization organization ON organization.id = organization_id
    WHERE is_broken GROUP BY organization.slug, account ORDER BY organization.slug, account
"""
# Accounts that hold something else than their transfers add up to.
WRONG_BALANCES = """
    SELECT organization.slug, account.id, account.balance, coalesce(summed.balance, 0),
        account.version, coalesce(summed.version, 0)
    FROM credit_ledgeraccount account
    JOIN members_organization organization ON organization.id = account.organization_id
    LEFT JOIN (SELECT account, sum(change) AS balance, count(*) AS version FROM ({steps}) AS step GROUP BY account)
        AS summed ON summed.account = account.id
    WHERE account.balance IS NOT NULL {scope}
        AND (account.balance <> coalesce(summed.balance, 0) OR account.version <> coalesce(summed.version, 0))
    ORDER BY organization.slug, account.id
"""
# Transfers that name accounts of others, or say of an account what it doesn't keep.
STRAY_TRANSFERS = """
    SELECT organization.slug, transfer.id
    FROM credit_transfer transfer
    JOIN members_organization organization ON organization.id = transfer.organization_id
    LEFT JOIN credit_ledgeraccount source ON source.id = transfer.source_id
    LEFT JOIN credit_ledgeraccount target ON target.id = transfer.target_id
    WHERE (
        source.organization_id IS DISTINCT FROM transfer.organization_id
        OR target.organization_id IS DISTINCT FROM transfer.organization_id
        OR (source.balance IS NULL) <> (transfer.source_after IS NULL)
        OR (target.balance IS NULL) <> (transfer.target_after IS NULL)
        OR (source.kind = 'member' AND target.kind = 'wallet')
        OR transfer.amount <= 0
    ) {scope}
    ORDER BY organization.slug, transfer.id
"""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Something in the ledger that can't be: whose, in which account or transfer, and a sentence with figures."""

    organization: str
    account: int | None = None
    transfer: int | None = None
    problem: str

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def find_differences(organization: Organization | None = None) -> Iterator[Difference]:
    """Everything in which the ledger contradicts itself, of one organization or of all."""
    for slug, account, number in _ask(BROKEN_STEPS, organization):
        yield Difference(
            organization=slug, account=account, problem=f"{number} of its transfers don’t follow from the one before."
        )
    for slug, account, balance, summed, version, number in _ask(WRONG_BALANCES, organization, of="account"):
        yield Difference(
            organization=slug,
            account=account,
            problem=f"It holds {balance} after {version} transfers; {number} transfers add up to {summed}.",
        )
    for slug, transfer in _ask(STRAY_TRANSFERS, organization, of="transfer"):
        yield Difference(organization=slug, transfer=transfer, problem="It doesn’t fit the accounts that it names.")


@transaction.atomic(savepoint=False)
def _ask(sql: str, organization: Organization | None, *, of: str = "") -> list[tuple[Any, ...]]:
    condition = "" if organization is None else f"organization_id = {int(organization.pk)}"
    scope = condition and f"AND {of}.{condition}" if of else condition and f"AND {condition}"
    steps = STEPS.format(scope=condition and f"AND {condition}")
    with connection.cursor() as cursor:
        # Everything that ever happened is read.
        cursor.execute("SET LOCAL statement_timeout = '30min'")
        cursor.execute(sql.format(steps=steps, scope=scope))
        return cursor.fetchall()
