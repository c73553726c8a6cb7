"""Paying by card, and saving one: the row of a checkout is there before anybody asks the processor for its page."""

from decimal import Decimal
from uuid import UUID, uuid4

from django.db import transaction

from credit.errors import CardsNotOffered, NoSavedCard
from credit.gateways.stripe import cards_offered
from credit.models import CardCheckout, Gateway, Order, SavedCard, WalletRecharge
from credit.purchases import lock_order, place, quote, require_waiting
from credit.wallet_recharges import require_payable
from members.access import Actor, Capability, require
from members.audit import Action, record
from members.models import Organization
from members.operations import claim
from members.operations import settle as remember
from skypemgr.background import wake
from skypemgr.clock import DatabaseClock

UNPAID = (CardCheckout.State.ASKED, CardCheckout.State.OPEN)


@transaction.atomic(durable=True)
def order_by_card(
    *, actor: Actor, organization: Organization, amount: Decimal, key: UUID, save_card: bool = False
) -> CardCheckout:
    """Order ``amount`` of credit, to be paid by card with VAT on top. Once for each ``key``.

    Whoever orders with ``save_card`` consents to the card being kept, and charged by auto-recharge of the wallet.
    Raises CardsNotOffered, NotPayableByCard, SellerIncomplete, BillingMissing, AmountAboveLimit, MonthAboveLimit,
    KeyReused.
    """
    require(actor, organization, Capability.MANAGE_CREDIT)
    if not cards_offered():
        raise CardsNotOffered
    name, facts = "credit.order_by_card", {"amount": f"{amount:.4f}", "save_card": save_card}
    if claim(organization=organization, name=name, key=key, facts=facts):
        return CardCheckout.objects.filter(organization=organization, order__key=key).latest("pk")
    price = quote(organization=organization, net=amount, gateway=Gateway.STRIPE)
    require_payable(organization, price)
    order = place(
        organization=organization, actor=actor, price=price, method=Order.Method.CARD, key=key, member=actor.member
    )
    checkout = _checkout(actor, organization, order, save_card=save_card)
    remember(organization=organization, name=name, key=key, result={"order": order.pk})
    return checkout


@transaction.atomic(durable=True)
def ask_for_checkout(*, actor: Actor, organization: Organization, order: Order) -> CardCheckout:
    """The checkout by which an order is paid by card; the one there is already, if it can still be used.

    Raises OrderClosed unless the order waits for its payment.
    """
    require(actor, organization, Capability.MANAGE_CREDIT)
    if not cards_offered() or order.method != Order.Method.CARD:
        raise CardsNotOffered
    locked = lock_order(organization, order)
    require_waiting(locked)
    checkouts = CardCheckout.objects.filter(organization=organization, order=locked).order_by("-pk")
    newest = checkouts.first()
    if newest is not None and newest.state in UNPAID:
        return newest
    return _checkout(actor, organization, locked, save_card=newest is not None and newest.save_card)


def _checkout(actor: Actor, organization: Organization, order: Order, *, save_card: bool) -> CardCheckout:
    return CardCheckout.objects.create(
        organization=organization, order=order, key=uuid4(), save_card=save_card, asked_by=actor.member
    )


@transaction.atomic(durable=True)
def ask_to_save_card(*, actor: Actor, organization: Organization, key: UUID) -> CardCheckout:
    """The checkout by which a card is saved, or another put in its place; once for each ``key``, that of the form."""
    require(actor, organization, Capability.MANAGE_CREDIT)
    if not cards_offered():
        raise CardsNotOffered
    checkout, _made = CardCheckout.objects.get_or_create(
        organization=organization, key=key, defaults={"save_card": True, "asked_by": actor.member, "order": None}
    )
    return checkout


@transaction.atomic(durable=True)
def remove_card(*, actor: Actor, organization: Organization) -> None:
    """Charge the saved card no more; auto-recharge of the wallet, which needs one, is switched off.

    A charge that is under way may still be carried out. Raises NoSavedCard when there is none.
    """
    require(actor, organization, Capability.MANAGE_CREDIT)
    plan = WalletRecharge.objects.select_for_update(no_key=True).filter(organization=organization).first()
    card = SavedCard.objects.filter(organization=organization, removed_at=None).first()
    if card is None or not SavedCard.objects.filter(pk=card.pk, removed_at=None).update(removed_at=DatabaseClock()):
        raise NoSavedCard
    record(
        organization=organization,
        actor=actor,
        action=Action.CARD_REMOVED,
        subject=card,
        before={"brand": card.brand, "last4": card.last4},
    )
    if plan is not None and plan.state != WalletRecharge.State.OFF:
        WalletRecharge.objects.filter(pk=plan.pk).update(
            state=WalletRecharge.State.OFF, reason="", paused_at=None, saved_by=actor.member, saved_at=DatabaseClock()
        )
        record(organization=organization, actor=actor, action=Action.WALLET_RECHARGE_STOPPED, subject=plan)
    wake("credit.look_after_cards")
