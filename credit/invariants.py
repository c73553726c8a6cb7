"""What must be true of credit, whatever has crashed. Figures only, no names."""

from credit.verification import find_differences
from skypemgr.invariants import Findings, count, invariant

MOST_TOLD = 20


@invariant
def ledger_adds_up() -> Findings:
    """I1–I3: both sides of each transfer belong to its organization, balances are the sums of their transfers, and
    nothing but a call has gone below zero."""
    for place, difference in enumerate(find_differences()):
        if place == MOST_TOLD:
            yield "There are more differences: verify_ledger tells them all."
            return
        what = f"account {difference.account}" if difference.account else f"transfer {difference.transfer}"
        yield f"{difference.organization}, {what}: {difference.problem}"


@invariant
def what_came_in_is_held_or_spent() -> Findings:
    """I5: of each organization, what came from outside less what went there is what its wallet and members hold."""
    if number := count("""
        SELECT count(*) FROM (
            SELECT account.organization_id, sum(account.balance) AS held
            FROM credit_ledgeraccount account WHERE account.balance IS NOT NULL GROUP BY account.organization_id
        ) AS held FULL JOIN (
            SELECT transfer.organization_id,
                coalesce(sum(amount) FILTER (WHERE source_after IS NULL), 0)
                - coalesce(sum(amount) FILTER (WHERE target_after IS NULL), 0) AS kept
            FROM credit_transfer transfer GROUP BY transfer.organization_id
        ) AS moved USING (organization_id)
        WHERE coalesce(held, 0) <> coalesce(kept, 0)
    """):
        yield f"In {number} organizations, what came in is neither held nor spent."
