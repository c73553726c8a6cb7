"""What a card processor has said, turned into credit: building blocks of whoever hears it first.

A message, the answer to our own request and a look at the processor may all tell of the same payment, in any order
and any number of times. Each locks the row of ours that the payment belongs to, and acts by the state found there.
"""

import logging
from decimal import Decimal

from django.db import transaction

from credit.card_claims import act_on_early_claims, lock_payment
from credit.gateways.payments import Checkout, CheckoutState, Payment, PaymentState
from credit.ledger import hold_open
from credit.models import CardCheckout, CardMessage, Gateway, Order, SavedCard, WalletCharge, WalletRecharge
from credit.purchases import close, lock_order, settle
from members.access import Actor
from members.audit import Action, record
from skypemgr.clock import DatabaseClock

logger = logging.getLogger(__name__)

Outcome = CardMessage.Outcome
OPEN = (CardCheckout.State.ASKED, CardCheckout.State.OPEN)


def lock_checkout(**which: object) -> CardCheckout | None:
    """A checkout, held until the transaction ends; None when there is none like this."""
    checkouts = CardCheckout.objects.select_for_update(no_key=True, of=("self",)).select_related("organization")
    return checkouts.filter(**which).first()


def lock_charge(**which: object) -> WalletCharge | None:
    """A charge of auto-recharge, held until the transaction ends; None when there is none like this."""
    charges = WalletCharge.objects.select_for_update(no_key=True, of=("self",)).select_related("organization", "card")
    return charges.filter(**which).first()


@transaction.atomic(savepoint=False)
def settle_checkout(checkout: CardCheckout, found: Checkout) -> Outcome:
    """Do what follows from a checkout, which is locked, as the processor has it now."""
    if not checkout.session:
        checkout.session = found.id
        CardCheckout.objects.filter(pk=checkout.pk).update(session=found.id)
    elif checkout.session != found.id:
        return Outcome.UNKNOWN
    match found.state:
        case CheckoutState.PAID:
            return _paid(checkout, found)
        case CheckoutState.SAVED if checkout.order_id is None and checkout.state != CardCheckout.State.SAVED:
            # Which card it is only a look tells.
            _end(checkout, CardCheckout.State.SAVED, look=True)
            return Outcome.DONE
        case CheckoutState.EXPIRED if checkout.state in OPEN:
            _end(checkout, CardCheckout.State.EXPIRED)
            if checkout.order_id is not None:
                order = lock_order(checkout.organization, checkout.order_id)
                if order.state == Order.State.WAITING:
                    close(order, Order.State.EXPIRED)
            return Outcome.DONE
        case _:
            return Outcome.NOTHING


def _paid(checkout: CardCheckout, found: Checkout) -> Outcome:
    if checkout.state in (CardCheckout.State.PAID, CardCheckout.State.WRONG):
        return Outcome.NOTHING
    if checkout.order_id is None:
        return Outcome.WRONG
    lock_payment(found.payment)
    order = lock_order(checkout.organization, checkout.order_id)
    if not _is_due(order, found.amount, found.currency):
        _end(checkout, CardCheckout.State.WRONG, payment=found.payment)
        _tell_difference(order, found.payment, found.amount, found.currency)
        return Outcome.WRONG
    _settle(order, found.payment)
    _end(checkout, CardCheckout.State.PAID, payment=found.payment, look=checkout.save_card)
    return Outcome.DONE


@transaction.atomic(savepoint=False)
def settle_charge(charge: WalletCharge, payment: Payment) -> Outcome:
    """Do what follows from a payment by saved card, whose row is locked, as the processor has it now."""
    if payment.state is PaymentState.SUCCEEDED:
        if charge.state in (WalletCharge.State.SUCCEEDED, WalletCharge.State.WRONG):
            return Outcome.NOTHING
        lock_payment(payment.id)
        order = lock_order(charge.organization, charge.order_id)
        if not _is_due(order, payment.amount, payment.currency):
            end_charge(charge, WalletCharge.State.WRONG, payment=payment.id)
            pause(charge, "other_amount")
            _tell_difference(order, payment.id, payment.amount, payment.currency)
            return Outcome.WRONG
        _settle(order, payment.id)
        end_charge(charge, WalletCharge.State.SUCCEEDED, payment=payment.id)
        return Outcome.DONE
    if payment.state is PaymentState.FAILED and charge.state == WalletCharge.State.REQUESTED:
        fail_charge(charge, WalletCharge.State.DECLINED, code=payment.code or "declined", payment=payment.id)
        return Outcome.DONE
    return Outcome.NOTHING


@transaction.atomic(savepoint=False)
def fail_charge(
    charge: WalletCharge, state: WalletCharge.State, *, code: str, payment: str = "", go_on: bool = False
) -> None:
    """Nothing was paid: the order has failed, and auto-recharge pauses until somebody saves it again."""
    order = lock_order(charge.organization, charge.order_id)
    if order.state == Order.State.WAITING:
        close(order, Order.State.FAILED)
    end_charge(charge, state, code=code, payment=payment)
    if not go_on:
        pause(charge, code)


@transaction.atomic(savepoint=False)
def end_charge(charge: WalletCharge, state: WalletCharge.State, *, code: str = "", payment: str = "") -> None:
    """Note what became of a charge that is locked."""
    charge.state = state
    WalletCharge.objects.filter(pk=charge.pk).update(
        state=state, code=code, payment=payment, closed_at=DatabaseClock(), try_at=None, unknown_at=None
    )


@transaction.atomic(savepoint=False)
def pause(charge: WalletCharge, reason: str) -> None:
    """Charge no more by auto-recharge until somebody saves it again."""
    active = WalletRecharge.objects.filter(organization=charge.organization_id, state=WalletRecharge.State.ACTIVE)
    plan = active.first()
    if plan and active.update(state=WalletRecharge.State.PAUSED, reason=reason, paused_at=DatabaseClock()):
        record(
            organization=charge.organization,
            actor=Actor.system(),
            action=Action.WALLET_RECHARGE_PAUSED,
            subject=plan,
            reason=reason.replace("_", " "),
        )


@transaction.atomic(savepoint=False)
def keep_card(checkout: CardCheckout, found: Checkout) -> None:
    """Keep the card that a checkout, which is locked, has saved, in the place of the one there was."""
    card = found.card
    if card is None or SavedCard.objects.filter(method=card.method).exists():
        return
    organization = checkout.organization
    SavedCard.objects.filter(organization=organization, removed_at=None).update(removed_at=DatabaseClock())
    saved = SavedCard.objects.create(
        organization=organization,
        customer=card.customer,
        method=card.method,
        brand=card.brand,
        last4=card.last4,
        month=card.month,
        year=card.year,
        saved_by=checkout.asked_by,
    )
    record(
        organization=organization,
        actor=Actor.system(),
        action=Action.CARD_SAVED,
        subject=saved,
        member=checkout.asked_by,
        after={"brand": card.brand, "last4": card.last4},
    )


def _is_due(order: Order, amount: Decimal | None, currency: str) -> bool:
    """Whether money is exactly what is owed for an order, was not paid before, and its organization is not closed."""
    paid = order.state in (Order.State.PAID, Order.State.REFUNDED)
    asked = amount == order.gross and currency == order.organization.currency
    return not paid and asked and hold_open(order.organization)


def _settle(order: Order, payment: str) -> None:
    if order.state != Order.State.WAITING:
        # The money is there, however late it came.
        Order.objects.filter(organization=order.organization_id, pk=order.pk).update(
            state=Order.State.WAITING, closed_at=None
        )
        order.state = Order.State.WAITING
    settle(order, actor=Actor.system(), gateway=Gateway.STRIPE, reference=payment)
    act_on_early_claims(payment)


def _end(checkout: CardCheckout, state: CardCheckout.State, *, payment: str = "", look: bool = False) -> None:
    checkout.state = state
    CardCheckout.objects.filter(pk=checkout.pk).update(
        state=state, payment=payment, closed_at=DatabaseClock(), look_at=DatabaseClock() if look else None
    )


def _tell_difference(order: Order, payment: str, amount: Decimal | None, currency: str) -> None:
    logger.error("The payment %s for order %s is not what is owed: nothing was credited.", payment, order.number)
    record(
        organization=order.organization,
        actor=Actor.system(),
        action=Action.PAYMENT_DIFFERS,
        subject=order,
        before={"amount": str(order.gross), "currency": order.organization.currency},
        after={"amount": str(amount), "currency": currency, "payment": payment},
    )
