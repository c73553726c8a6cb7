"""The ledger, added up again from its transfers: what every account must hold, and how it came to that."""

import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from django.db import connection, transaction

from members.models import Organization

# Each transfer twice, once for each of its accounts: by how much it changed, and what it held then if it keeps a
# balance.
STEPS = """
    SELECT organization_id, source_id AS account, source_version AS version, -amount AS change, source_after AS after,
        amount <= 0 OR (source_after < 0 AND operation <> 'charge') AS is_odd
    FROM credit_transfer {scope}
    UNION ALL
    SELECT organization_id, target_id, target_version, amount, target_after, false FROM credit_transfer {scope}
"""
# Accounts of which something can't be, found without sorting what may be a hundred million steps. Each step says what
# was there before it and what is there after it. Hashed with their places, all of these cancel each other out in
# pairs, but for the nothing at the beginning and the balance at the end: if one step didn't follow from the one
# before, something else would be left. Nobody can prepare for it, since the hashes differ each time.
SUSPECTS = """
    SELECT coalesce(account.id, folded.account)
    FROM (
        SELECT account, count(*) AS steps, count(version) AS numbered, sum(change) AS balance,
            bool_or(is_odd) AS is_odd,
            bit_xor(
                hash_numeric_extended(after - change, version + %(salt)s)
                # hash_numeric_extended(after, version + 1 + %(salt)s)
            ) AS chain,
            min(organization_id) AS organization_id, max(organization_id) AS other_organization_id
        FROM ({steps}) AS step GROUP BY account
    ) AS folded
    FULL JOIN (SELECT * FROM credit_ledgeraccount {scope}) AS account ON account.id = folded.account
    WHERE CASE
        WHEN account.id IS NULL THEN true
        WHEN folded.account IS NULL THEN account.balance <> 0 OR account.version <> 0
        ELSE is_odd OR account.organization_id <> folded.organization_id
            OR account.organization_id <> other_organization_id
            OR numbered <> CASE WHEN account.balance IS NULL THEN 0 ELSE steps END
            OR (account.balance IS NOT NULL AND (
                account.balance <> folded.balance OR account.version <> steps
                OR chain IS DISTINCT FROM hash_numeric_extended(0, 1 + %(salt)s)
                    # hash_numeric_extended(folded.balance, steps + 1 + %(salt)s)
            ))
    END
"""
# Balances and numbers that don't follow from the step before, and steps that went below zero without being a call.
BROKEN_STEPS = """
    SELECT organization.slug, account, count(*)
    FROM (
        SELECT organization_id, account,
            version <> row_number() OVER so_far OR after <> change + lag(after, 1, 0) OVER so_far OR is_odd AS is_broken
        FROM ({steps}) AS step WHERE account = ANY (%(suspects)s) AND version IS NOT NULL
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
    LEFT JOIN (
        SELECT account, sum(change) AS balance, count(*) AS version
        FROM ({steps}) AS step WHERE account = ANY (%(suspects)s) GROUP BY account
    ) AS summed ON summed.account = account.id
    WHERE account.id = ANY (%(suspects)s) AND account.balance IS NOT NULL
        AND (account.balance <> coalesce(summed.balance, 0) OR account.version <> coalesce(summed.version, 0))
    ORDER BY organization.slug, account.id
"""
# Transfers that name accounts of others, or say of an account what it doesn't keep.
STRAY_TRANSFERS = """
    SELECT organization.slug, transfer.id
    FROM (SELECT * FROM credit_transfer {scope}) AS transfer
    JOIN members_organization organization ON organization.id = transfer.organization_id
    LEFT JOIN credit_ledgeraccount source ON source.id = transfer.source_id
    LEFT JOIN credit_ledgeraccount target ON target.id = transfer.target_id
    WHERE (transfer.source_id = ANY (%(suspects)s) OR transfer.target_id = ANY (%(suspects)s)) AND (
        source.organization_id IS DISTINCT FROM transfer.organization_id
        OR target.organization_id IS DISTINCT FROM transfer.organization_id
        OR (source.balance IS NULL) <> (transfer.source_after IS NULL)
        OR (target.balance IS NULL) <> (transfer.target_after IS NULL)
        OR transfer.amount <= 0
    )
    ORDER BY organization.slug, transfer.id
"""
# Wallets hardly ever get anything, so that it is asked of them.
TAKEN_BACK = """
    SELECT organization.slug, transfer.id
    FROM (SELECT * FROM credit_ledgeraccount {scope}) AS wallet
    JOIN credit_transfer transfer ON transfer.target_id = wallet.id
    JOIN credit_ledgeraccount source ON source.id = transfer.source_id AND source.kind = 'member'
    JOIN members_organization organization ON organization.id = transfer.organization_id
    WHERE wallet.kind = 'wallet' ORDER BY organization.slug, transfer.id
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


@transaction.atomic(savepoint=False)
def find_differences(organization: Organization | None = None) -> list[Difference]:
    """Everything in which the ledger contradicts itself, of one organization or of all."""
    with connection.cursor() as cursor:
        # Everything that ever happened is read.
        cursor.execute("SET LOCAL statement_timeout = '30min'")
        cursor.execute("SET LOCAL work_mem = '64MB'")
    scope = "" if organization is None else f"WHERE organization_id = {int(organization.pk)}"
    ask = partial(_ask, scope=scope, salt=secrets.randbits(62))
    suspects = [account for (account,) in ask(SUSPECTS)]
    found = list(_of_suspects(partial(ask, suspects=suspects))) if suspects else []
    return found + [
        Difference(organization=slug, transfer=transfer, problem="It takes back what was allocated.")
        for slug, transfer in ask(TAKEN_BACK)
    ]


def _of_suspects(ask: Callable[[str], Iterable[tuple[Any, ...]]]) -> Iterator[Difference]:
    for slug, account, number in ask(BROKEN_STEPS):
        yield Difference(
            organization=slug, account=account, problem=f"{number} of its transfers don’t follow from the one before."
        )
    for slug, account, balance, summed, version, number in ask(WRONG_BALANCES):
        yield Difference(
            organization=slug,
            account=account,
            problem=f"It holds {balance} after {version} transfers; {number} transfers add up to {summed}.",
        )
    for slug, transfer in ask(STRAY_TRANSFERS):
        yield Difference(organization=slug, transfer=transfer, problem="It doesn’t fit the accounts that it names.")


def _ask(sql: str, *, scope: str, **facts: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql.format(steps=STEPS.format(scope=scope), scope=scope), facts)
        return cursor.fetchall()
