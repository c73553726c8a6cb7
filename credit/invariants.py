"""What must be true of credit, whatever has crashed. Figures only, no names."""

from decimal import Decimal

from django.db.models import F

from credit.models import RechargePlan
from credit.recharging import recharged_in
from credit.verification import find_differences
from members.audit import Action
from members.models import AuditEntry, Organization
from members.months import present_month
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
def bands_are_those_of_balances() -> Findings:
    """Who has little is found by bands of balances, which are written with them."""
    if number := count("""
        SELECT count(*) FROM credit_ledgeraccount
        WHERE balance IS NOT NULL AND band IS DISTINCT FROM credit_band(balance)
    """):
        yield f"{number} accounts are in another band than their balance."


@invariant
def wallets_are_closed_with_their_organizations() -> Findings:
    """A wallet is closed when its organization is: whoever moves credit from or to it asks nothing else."""
    if number := count("""
        SELECT count(*) FROM members_organization organization
        LEFT JOIN credit_ledgeraccount wallet
            ON wallet.organization_id = organization.id AND wallet.kind = 'wallet'
        WHERE (organization.closed_at IS NOT NULL) <> coalesce(wallet.closed, false)
    """):
        yield f"{number} organizations are closed and their wallets open, or the other way round."


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


@invariant
def recharges_keep_their_limits() -> Findings:
    """I6: nobody was recharged by more this month than the highest limit that they had in it."""
    number = 0
    for organization in Organization.objects.filter(recharge_plans__isnull=False).distinct().order_by("pk"):
        month = present_month(organization)
        plans = RechargePlan.objects.filter(organization=organization)
        used = plans.annotate(used=recharged_in(month, "member__ledger_account")).filter(used__gt=F("monthly_limit"))
        for plan in used:
            changes = AuditEntry.objects.filter(
                organization=organization,
                subject_member=plan.member_id,
                action__in=[Action.RECHARGE_ACTIVATED, Action.RECHARGE_STOPPED],
                at__gte=month.start,
            )
            limits = {facts.get("recharge_limit") for pair in changes.values_list("before", "after") for facts in pair}
            # As they were written: "50.00 EUR".
            number += plan.used > max((Decimal(limit.split()[0]) for limit in limits if limit), default=0)
    if number:
        yield f"{number} members were recharged by more than their monthly limit."


@invariant
def credit_is_inactive_after_a_warning() -> Findings:
    """What is known of idle credit is about a member's account, as it was; what is inactive was warned of before."""
    if number := count("""
        SELECT count(*) FROM credit_idlecredit idle JOIN credit_ledgeraccount account ON account.id = idle.account_id
        LEFT JOIN members_letter letter ON letter.id = idle.letter_id
        WHERE account.kind <> 'member' OR idle.version > account.version
            OR letter.member_id <> account.member_id OR letter.kind <> 'credit_inactive'
            OR (idle.inactive_at IS NOT NULL AND letter.state <> 'sent')
    """):
        yield f"{number} notes of idle credit are untrue, or no letter warned of what they say."


@invariant
def money_that_came_in_is_billed_and_in_the_ledger() -> Findings:
    """I6: each payment has its order, invoice and purchase; each refund its credit note and transfer."""
    if number := count("""
        SELECT count(*) FROM credit_order placed LEFT JOIN credit_payment payment ON payment.order_id = placed.id
        WHERE (placed.state IN ('paid', 'refunded')) <> (payment.id IS NOT NULL) OR payment.amount <> placed.gross
    """):
        yield f"{number} orders are paid without their payment, or have another than theirs."
    if number := count("""
        SELECT count(*) FROM credit_payment payment JOIN credit_order placed ON placed.id = payment.order_id
        LEFT JOIN credit_invoice invoice ON invoice.payment_id = payment.id
        LEFT JOIN credit_transfer transfer ON transfer.organization_id = placed.organization_id
            AND transfer.operation = 'purchase' AND transfer.key = placed.key
        WHERE invoice.gross IS DISTINCT FROM payment.amount OR transfer.amount IS DISTINCT FROM placed.net
    """):
        yield f"{number} payments lack their invoice or their purchase."
    if number := count("""
        SELECT count(*) FROM credit_refund refund LEFT JOIN credit_invoice note ON note.refund_id = refund.id
        LEFT JOIN credit_transfer transfer ON transfer.organization_id = refund.organization_id
            AND transfer.operation = 'refund' AND transfer.key = refund.key
        WHERE note.gross IS DISTINCT FROM refund.gross OR coalesce(transfer.amount, 0) <> refund.net
    """):
        yield f"{number} refunds lack their credit note or their transfer."
    if number := count("""
        SELECT count(*) FROM (
            SELECT refund.order_id FROM credit_refund refund JOIN credit_order placed ON placed.id = refund.order_id
            GROUP BY refund.order_id, placed.gross, placed.net, placed.state
            HAVING sum(refund.gross) > placed.gross OR sum(refund.net) > placed.net
                OR (sum(refund.gross) = placed.gross) <> (placed.state = 'refunded')
        ) AS wrong
    """):
        yield f"Of {number} orders more went back than came in, or all of it unnoticed."


@invariant
def numbers_have_no_gaps() -> Findings:
    """Invoices, and credit notes, of a year are numbered from 1 without a gap."""
    if number := count("""
        SELECT count(*) FROM (
            SELECT kind, year, count(*) AS issued, max(sequence) AS highest FROM credit_invoice GROUP BY kind, year
        ) AS found FULL JOIN credit_numberseries series USING (kind, year)
        WHERE coalesce(issued, 0) <> coalesce(highest, 0) OR coalesce(highest, 0) <> coalesce(last, 0)
    """):
        yield f"{number} series of invoices have gaps."


@invariant
def wallets_are_recharged_within_their_limits() -> Findings:
    """I6: auto-recharge of a wallet bought at most so much in each month as its limit said then, and what it charged
    is paid for."""
    if number := count("""
        SELECT count(*) FROM (
            SELECT monthly_limit, sum(amount) OVER (PARTITION BY organization_id, month ORDER BY id) AS so_far
            FROM credit_walletcharge WHERE state IN ('requested', 'succeeded', 'wrong')
        ) AS charges WHERE so_far > monthly_limit
    """):
        yield f"{number} charges of auto-recharge pass the limit of their month."
    if number := count("""
        SELECT count(*) FROM credit_walletcharge charge JOIN credit_order ordered ON ordered.id = charge.order_id
        WHERE charge.amount <> ordered.net OR charge.key <> ordered.key
            OR (charge.state = 'succeeded') <> (ordered.state IN ('paid', 'refunded'))
            OR (charge.state = 'requested' AND ordered.state <> 'waiting')
    """):
        yield f"{number} charges of auto-recharge contradict their order."
