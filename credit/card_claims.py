"""Money that goes back to a card: refunds and disputes, as building blocks of whoever hears of them.

A refund takes its part of the credit back, with a credit note. A dispute takes it while the money is away: one that
is won gives it back, one that is lost becomes a refund.
"""

import dataclasses
import logging
from decimal import Decimal
from uuid import UUID, uuid5

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q

from credit.funding import fund, take_back
from credit.gateways.payments import Dispute, DisputeState, Refund
from credit.ledger import hold_open
from credit.models import CardDispute, CardMessage, Gateway, Order, Payment, Treatment
from credit.models import Refund as RefundRow
from credit.purchases import give_back, lock_order, refunded_of
from credit.vat import Price, part_of
from members.access import Actor
from members.audit import Action, record
from skypemgr.clock import DatabaseClock

logger = logging.getLogger(__name__)

Outcome = CardMessage.Outcome
# Of keys that are made of the names a card processor gives: the same name is the same key.
NAMES = UUID("6b0f3c52-5d0c-4b8e-9b1c-1f6a7d3c9e20")


def contradicts() -> Q:
    """Of messages, those about a refund or a dispute that contradicts what was ordered.

    They wait for whoever settles it by hand, until a later one about the same says that there is nothing to do.
    """
    later = CardMessage.objects.filter(subject=OuterRef("subject"), pk__gt=OuterRef("pk"))
    settled = Exists(later.filter(outcome__in=[Outcome.DONE, Outcome.NOTHING]))
    return Q(~Q(subject=""), ~settled, outcome=Outcome.WRONG)


def lock_payment(payment: str) -> None:
    """Let nobody else act on what a card processor calls ``payment`` until the transaction ends, known or not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"card payment {payment}"])


@transaction.atomic(savepoint=False)
def act_on_claim(claim: Refund | Dispute) -> Outcome:
    """Do what follows from a refund or a dispute, once. Unknown while its payment is.

    Of a closed organization it is wrong, as one of other money than was paid: operators settle it outside.
    """
    lock_payment(claim.payment)
    payment = Payment.objects.filter(gateway=Gateway.STRIPE, reference=claim.payment).select_related("organization")
    paid = payment.first()
    if paid is None or not claim.payment:
        return Outcome.UNKNOWN
    order = lock_order(paid.organization, paid.order_id)
    if claim.currency != order.organization.currency or not hold_open(order.organization):
        return _tell_contradiction(order, claim)
    return _refund(order, claim) if isinstance(claim, Refund) else _dispute(order, claim)


@transaction.atomic(savepoint=False)
def act_on_early_claims(payment: str) -> None:
    """Do what follows from messages that came before that of the payment itself, which is known by now."""
    early = CardMessage.objects.filter(payment=payment, outcome=Outcome.UNKNOWN).order_by("pk")
    for message in early:
        outcome = act_on_claim(claim_of(message.facts))
        CardMessage.objects.filter(pk=message.pk).update(outcome=outcome)


def facts_of(claim: Refund | Dispute) -> dict[str, object]:
    """A claim as it can be kept."""
    return {"is": type(claim).__name__, **dataclasses.asdict(claim), "amount": str(claim.amount)}


def claim_of(facts: dict[str, object]) -> Refund | Dispute:
    """A claim that was kept."""
    values = {**facts, "amount": Decimal(str(facts["amount"]))}
    if values.pop("is") == "Refund":
        return Refund(**values)  # type: ignore[arg-type]
    return Dispute(**{**values, "state": DisputeState(str(values["state"]))})  # type: ignore[arg-type]


def _refund(order: Order, refund: Refund) -> Outcome:
    organization = order.organization
    row = RefundRow.objects.filter(organization=organization, gateway=Gateway.STRIPE, reference=refund.id).first()
    if not refund.stands:
        if row is None or not row.net:
            return Outcome.NOTHING
        posted = fund(
            organization=organization,
            actor=Actor.system(),
            amount=row.net,
            key=uuid5(NAMES, f"failed {refund.id}"),
            reason=order.number,
        )
        if posted.new:
            after = {"order": order.number, "amount": str(row.net)}
            record(
                organization=organization,
                actor=Actor.system(),
                action=Action.REFUND_FAILED,
                subject=order,
                after=after,
            )
        return Outcome.DONE
    failed = CardMessage.objects.filter(subject=refund.id, facts__stands=False)
    if row is not None or failed.exists():
        return Outcome.NOTHING
    return _give_back(order, refund, uuid5(NAMES, refund.id))


def _dispute(order: Order, dispute: Dispute) -> Outcome:
    row = CardDispute.objects.filter(reference=dispute.id).first()
    if row is None:
        gross, net = refunded_of(order)
        if dispute.amount > order.gross - gross:
            return _tell_contradiction(order, dispute)
        part = part_of(
            _price_of(order), back=dispute.amount, before=gross, net_before=net, currency=order.organization.currency
        )
        row = CardDispute.objects.create(
            organization=order.organization,
            order=order,
            reference=dispute.id,
            state=CardDispute.State.INQUIRY,
            net=part.net,
            gross=dispute.amount,
            key=uuid5(NAMES, dispute.id),
        )
        _note(row, Action.DISPUTE_OPENED)
    if row.closed_at is not None or row.state == dispute.state:
        return Outcome.NOTHING
    match dispute.state:
        case DisputeState.OPEN:
            _take(row)
        case DisputeState.LOST:
            # The credit goes with it, if it had not gone before: one key takes it once.
            if _give_back(order, dispute, row.key) is Outcome.WRONG:
                return Outcome.WRONG
            row.taken = True
        case DisputeState.WON if row.taken:
            fund(
                organization=order.organization,
                actor=Actor.system(),
                amount=row.net,
                key=row.key,
            )
            row.taken = False
    over = dispute.state in (DisputeState.WON, DisputeState.LOST)
    CardDispute.objects.filter(pk=row.pk).update(
        state=dispute.state, taken=row.taken, closed_at=DatabaseClock() if over else None
    )
    if over:
        row.state = CardDispute.State(dispute.state)
        _note(row, Action.DISPUTE_CLOSED)
    return Outcome.DONE


def _take(row: CardDispute) -> None:
    if row.net:
        take_back(
            organization=row.organization,
            actor=Actor.system(),
            amount=row.net,
            key=row.key,
        )
        row.taken = True


def _give_back(order: Order, claim: Refund | Dispute, key: UUID) -> Outcome:
    gross, _net = refunded_of(order)
    if order.state != Order.State.PAID or claim.amount > order.gross - gross:
        return _tell_contradiction(order, claim)
    give_back(order, actor=Actor.system(), gateway=Gateway.STRIPE, reference=claim.id, amount=claim.amount, key=key)
    return Outcome.DONE


def _price_of(order: Order) -> Price:
    return Price(Treatment(order.treatment), order.vat_rate, order.net, order.vat, order.gross)


def _note(row: CardDispute, action: Action) -> None:
    record(
        organization=row.organization,
        actor=Actor.system(),
        action=action,
        subject=row.order,
        after={"amount": str(row.gross), "state": row.state, "order": row.order.number},
    )


def _tell_contradiction(order: Order, claim: Refund | Dispute) -> Outcome:
    logger.error("What goes back by %s is not what order %s allows: nothing was taken.", claim.id, order.number)
    record(
        organization=order.organization,
        actor=Actor.system(),
        action=Action.PAYMENT_DIFFERS,
        subject=order,
        before={"amount": str(order.gross), "currency": order.organization.currency},
        after={"amount": str(claim.amount), "currency": claim.currency, "payment": claim.payment},
    )
    return Outcome.WRONG
