"""Credit that is ordered, and paid for by bank transfer."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4, uuid5

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext

from credit.errors import (
    AmountDiffers,
    CreditDiffers,
    NoReference,
    NothingToRefund,
    OrderOfAnother,
    PaidByCard,
    ReferenceUsed,
)
from credit.letters import write_order_letter
from credit.models import Gateway, Order, Payment, Refund
from credit.purchases import close, give_back, lock_order, place, quote, require_seller, require_waiting, settle
from credit.sellers import price_for
from members.access import Actor, Capability, require
from members.audit import Action, record
from members.models import Organization
from members.operations import claim
from members.operations import settle as remember
from skypemgr.money import money

State, Method = Order.State, Order.Method
EXPIRED_AT_ONCE = 500
LONGEST_REFERENCE = 200
REFERENCES = UUID("5f7b5d0e-6f0a-4a0e-9f0b-3a1d1f5a8c11")


@dataclass(frozen=True)
class Received:
    """The order that a bank transfer paid for, and whether that is news."""

    order: Order
    new: bool


@transaction.atomic(durable=True)
def place_order(*, actor: Actor, organization: Organization, amount: Decimal, key: UUID) -> Order:
    """Order ``amount`` of credit, to be paid by bank transfer with VAT on top. Once for each ``key``.

    Raises SellerIncomplete, BillingMissing, AmountAboveLimit, MonthAboveLimit, KeyReused.
    """
    require(actor, organization, Capability.MANAGE_CREDIT)
    name = "credit.place_order"
    if claim(organization=organization, name=name, key=key, facts={"amount": f"{amount:.4f}"}):
        return Order.objects.get(organization=organization, key=key)
    order = place(
        organization=organization,
        actor=actor,
        price=quote(organization=organization, net=amount, gateway=Gateway.BANK_TRANSFER),
        method=Method.BANK_TRANSFER,
        key=key,
        member=actor.member,
        expires_at=timezone.now() + timedelta(days=settings.ORDER_DAYS),
    )
    write_order_letter(order)
    remember(organization=organization, name=name, key=key, result={"order": order.pk})
    return order


@transaction.atomic(durable=True)
def cancel_order(*, actor: Actor, organization: Organization, order: Order) -> Order:
    """Call an order off that waits for a bank transfer. Raises OrderClosed, PaidByCard."""
    require(actor, organization, Capability.MANAGE_CREDIT)
    order = lock_order(organization, order)
    _require_bank_transfer(order)
    if order.state == State.CANCELED:
        return order
    require_waiting(order)
    close(order, State.CANCELED)
    after = {"order": order.number}
    record(organization=organization, actor=actor, action=Action.ORDER_CANCELED, subject=order, after=after)
    return order


@transaction.atomic(durable=True)
def confirm_order(*, actor: Actor, organization: Organization, order: Order, amount: Decimal) -> Payment:
    """Confirm that the bank transfer of an order came in: ``amount``, exactly its gross.

    The same again gives the same payment. Raises AmountDiffers with what to do, OrderClosed, PaidByCard,
    SellerIncomplete.
    """
    require(actor, organization, Capability.RUN_INSTALLATION)
    order = lock_order(organization, order)
    _require_bank_transfer(order)
    if order.state in (State.PAID, State.REFUNDED) and amount == order.gross:
        return order.payment
    require_waiting(order)
    if amount != order.gross:
        raise _amount_differs(order, amount)
    require_seller(Gateway.BANK_TRANSFER)
    return settle(order, actor=actor, gateway=Gateway.BANK_TRANSFER, reference=order.number)


@transaction.atomic(durable=True)
def receive_payment(*, actor: Actor, organization: Organization, amount: Decimal, reference: str) -> Received:
    """Record a bank transfer that pays for ``amount`` of credit, VAT on top. Once for each ``reference``.

    The number of an order that waits confirms this order; anything else is an order of its own. Raises NoReference,
    CreditDiffers, ReferenceUsed, OrderOfAnother, PaidByCard, SellerIncomplete.
    """
    require(actor, organization, Capability.RUN_INSTALLATION)
    require_seller(Gateway.BANK_TRANSFER)
    if not 0 < len(reference) <= LONGEST_REFERENCE:
        raise NoReference(most=LONGEST_REFERENCE)
    waiting = Order.objects.filter(number=reference.upper()).first()
    if waiting is not None and waiting.organization_id != organization.pk:
        raise OrderOfAnother(number=waiting.number)
    if waiting is not None:
        waiting = lock_order(organization, waiting)
        if waiting.state == State.WAITING:
            _require_bank_transfer(waiting)
            if amount != waiting.net:
                currency = organization.currency
                raise CreditDiffers(
                    number=waiting.number, net=money(waiting.net, currency), gross=money(waiting.gross, currency)
                )
            settle(waiting, actor=actor, gateway=Gateway.BANK_TRANSFER, reference=waiting.number)
            return Received(order=waiting, new=True)
        reference = waiting.number
    # Whoever records the same reference at this moment waits, and finds the payment.
    claim(organization=organization, name="credit.receive_payment", key=uuid5(REFERENCES, reference), facts={})
    if known := _find_received(organization, reference, amount):
        return known
    order = place(
        organization=organization,
        actor=actor,
        price=price_for(organization, amount),
        method=Method.BANK_TRANSFER,
        key=uuid4(),
        member=actor.member,
    )
    settle(order, actor=actor, gateway=Gateway.BANK_TRANSFER, reference=reference)
    return Received(order=order, new=True)


@transaction.atomic(durable=True)
def refund_order(
    *, actor: Actor, organization: Organization, order: Order, amount: Decimal, reason: str, key: UUID
) -> Refund:
    """Write down that ``amount`` of a bank transfer goes back to the buyer, with a credit note. Once for each ``key``.

    The wallet gives the credit; what it lacks is owed, and the next purchase pays it first. Raises OrderClosed,
    RefundTooLarge, NothingToRefund, KeyReused.
    """
    require(actor, organization, Capability.RUN_INSTALLATION)
    name = "credit.refund_order"
    facts = {"order": order.pk, "amount": f"{amount:.4f}", "reason": reason}
    if claim(organization=organization, name=name, key=key, facts=facts):
        return Refund.objects.get(organization=organization, key=key)
    order = lock_order(organization, order)
    if order.method != Method.BANK_TRANSFER:
        raise NothingToRefund(number=order.number)
    number = Refund.objects.filter(organization=organization, order=order).count() + 1
    refund = give_back(
        order,
        actor=actor,
        gateway=Gateway.BANK_TRANSFER,
        reference=f"{order.number}-R{number}",
        amount=amount,
        key=key,
        reason=reason,
    )
    remember(organization=organization, name=name, key=key, result={"refund": refund.pk})
    return refund


def expire_orders() -> int:
    """Close every order that waited for too long; gives how many."""
    number = 0
    while closed := _expire_some():
        number += closed
    return number


@transaction.atomic(durable=True)
def _expire_some() -> int:
    due = Order.objects.filter(state=State.WAITING, method=Method.BANK_TRANSFER, expires_at__lt=Now())
    # Whoever confirms or cancels one at this moment is quicker.
    due = due.select_for_update(no_key=True, skip_locked=True, of=("self",)).select_related("organization")
    orders = list(due.order_by("pk")[:EXPIRED_AT_ONCE])
    for order in orders:
        close(order, State.EXPIRED)
        after = {"order": order.number}
        record(
            organization=order.organization,
            actor=Actor.system(),
            action=Action.ORDER_EXPIRED,
            subject=order,
            after=after,
        )
    return len(orders)


def _find_received(organization: Organization, reference: str, amount: Decimal) -> Received | None:
    payments = Payment.objects.filter(organization=organization, gateway=Gateway.BANK_TRANSFER, reference=reference)
    payment = payments.select_related("order").first()
    if payment is None:
        return None
    if payment.order.net != amount:
        raise ReferenceUsed(amount=money(payment.order.net, organization.currency), reference=reference)
    return Received(order=payment.order, new=False)


def _require_bank_transfer(order: Order) -> None:
    if order.method != Method.BANK_TRANSFER:
        raise PaidByCard(number=order.number)


def _amount_differs(order: Order, received: Decimal) -> AmountDiffers:
    currency = order.organization.currency
    difference = money(abs(order.gross - received), currency)
    advice = (
        gettext("Ask for the {difference} that is missing, and confirm the order when all of it is there.")
        if received < order.gross
        else gettext("Send the {difference} that is too much back, then confirm the order with its own amount.")
    )
    return AmountDiffers(
        number=order.number,
        gross=money(order.gross, currency),
        received=money(received, currency),
        advice=advice.format(difference=difference),
    )
