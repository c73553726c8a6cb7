"""Asking the card processor: for the page of a checkout, what became of it, to forget a card. In no transaction.

A message tells sooner; whoever looks finds what a lost one would have told.
"""

import datetime as dt
import logging
from collections.abc import Sequence

from django.db import transaction
from django.db.models import F

from credit.card_payments import keep_card, lock_checkout, settle_checkout
from credit.errors import CardsAway
from credit.gateways.minor_units import NotPayable
from credit.gateways.payments import Checkout, CheckoutState, Impossible, NoAnswer
from credit.gateways.stripe import card_gateway
from credit.models import CardCheckout, Order, SavedCard, WalletCharge
from credit.selectors.cards import saved_card, title_of
from members.letter_texts import absolute_url
from skypemgr.clock import DatabaseClock
from skypemgr.kill_points import kill_point

logger = logging.getLogger(__name__)

State = CardCheckout.State
# What a page of a processor lives, and a little.
PAGE_LASTS = dt.timedelta(hours=25)
FIRST_LOOK = dt.timedelta(minutes=1)
LAST_LOOK = dt.timedelta(hours=1)
AT_ONCE = 20


def open_page(checkout: CardCheckout) -> CardCheckout:
    """Give a checkout its page, if it has none yet. Safe to repeat: one key is one page.

    Raises CardsAway when the processor does not give it now.
    """
    if checkout.state != State.ASKED:
        return checkout
    organization = checkout.organization
    key, currency = str(checkout.key), organization.currency
    gateway = card_gateway()
    try:
        if checkout.order is None:
            back = absolute_url("credit:card", organization.slug)
            found = gateway.open_card_checkout(
                key=key,
                currency=currency,
                reference=key,
                success_url=back,
                cancel_url=back,
                language=organization.language,
            )
        else:
            card = saved_card(organization)
            found = gateway.open_checkout(
                key=key,
                amount=checkout.order.gross,
                currency=currency,
                title=title_of(checkout.order),
                reference=key,
                success_url=absolute_url("credit:order", organization.slug, checkout.order.number) + "?from=card",
                cancel_url=absolute_url("credit:order", organization.slug, checkout.order.number),
                language=organization.language,
                save_card=checkout.save_card,
                customer=card.customer if card else "",
            )
    except (NoAnswer, Impossible, NotPayable) as error:
        raise CardsAway from error
    kill_point("credit.after_checkout")
    return note_page(checkout=checkout, found=found)


@transaction.atomic(durable=True)
def note_page(*, checkout: CardCheckout, found: Checkout) -> CardCheckout:
    """Note which page the processor has made for a checkout."""
    locked = lock_checkout(pk=checkout.pk)
    assert locked is not None
    if locked.state == State.ASKED:
        locked.state, locked.session, locked.url = State.OPEN, found.id, found.url
        CardCheckout.objects.filter(pk=locked.pk).update(
            state=State.OPEN, session=found.id, url=found.url, look_at=DatabaseClock() + FIRST_LOOK
        )
    return locked


def look_up_checkouts() -> int:
    """Ask what became of checkouts of which nothing was heard; gives how many were asked about."""
    asked = 0
    gateway = card_gateway()
    for checkout in claim_checkouts():
        try:
            found = gateway.find_checkout(checkout.session)
            if found.state is CheckoutState.OPEN and checkout.order and checkout.order.state != Order.State.WAITING:
                gateway.close_checkout(checkout.session)
                found = gateway.find_checkout(checkout.session)
        except (NoAnswer, Impossible) as error:
            logger.warning("A checkout could not be looked up: %s", error)
            continue
        settle_found(checkout=checkout, found=found)
        asked += 1
    return asked


@transaction.atomic(durable=True)
def claim_checkouts() -> Sequence[CardCheckout]:
    """The next checkouts to be asked about, each put off until its next turn: later, the longer it is open."""
    due = (
        CardCheckout.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
        .filter(look_at__lte=DatabaseClock())
        .exclude(session="")
        .select_related("order", "organization")
        .annotate(age=DatabaseClock() - F("created_at"))
        .order_by("look_at", "id")[:AT_ONCE]
    )
    claimed = list(due)
    for checkout in claimed:
        wait = min(max(checkout.age, FIRST_LOOK), LAST_LOOK)
        CardCheckout.objects.filter(pk=checkout.pk).update(look_at=DatabaseClock() + wait)
    return claimed


@transaction.atomic(durable=True)
def settle_found(*, checkout: CardCheckout, found: Checkout) -> None:
    """Do what follows from a checkout as it was found, and keep the card that it has saved."""
    locked = lock_checkout(pk=checkout.pk)
    assert locked is not None
    settle_checkout(locked, found)
    if found.state in (CheckoutState.PAID, CheckoutState.SAVED) and locked.save_card:
        keep_card(locked, found)
        CardCheckout.objects.filter(pk=locked.pk).update(look_at=None)


@transaction.atomic(durable=True)
def drop_unasked() -> int:
    """Close checkouts whose page nobody got within a day; gives how many."""
    old = CardCheckout.objects.filter(state=State.ASKED, created_at__lt=DatabaseClock() - PAGE_LASTS)
    return old.update(state=State.EXPIRED, closed_at=DatabaseClock())


def forget_cards() -> int:
    """Have the processor forget cards that were removed; gives how many."""
    gateway, forgotten = card_gateway(), 0
    removed = SavedCard.objects.filter(removed_at__isnull=False, forgotten_at=None)
    # What is under way with a card is finished first.
    for card in removed.exclude(charges__state=WalletCharge.State.REQUESTED).order_by("pk")[:AT_ONCE]:
        try:
            gateway.forget_card(card.method)
        except (NoAnswer, Impossible) as error:
            logger.warning("A card could not be removed at the processor: %s", error)
            return forgotten
        note_forgotten(card=card)
        forgotten += 1
    return forgotten


@transaction.atomic(durable=True)
def note_forgotten(*, card: SavedCard) -> None:
    """Note that the processor has forgotten a card."""
    SavedCard.objects.filter(pk=card.pk, forgotten_at=None).update(forgotten_at=DatabaseClock())
