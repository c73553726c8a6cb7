"""Recharging wallets from saved cards: ask, do, settle. A crash anywhere charges at most once (decision 21).

The charge is a row with the key of its request before the processor hears of it. Whoever finds it *requested* asks
what became of it, and only then, and only while the key still means something, asks the same again.
"""

import datetime as dt
import logging
from dataclasses import dataclass

from celery import shared_task
from django.db import transaction
from django.db.models import Exists, F, OuterRef

from credit.card_payments import fail_charge, lock_charge, settle_charge
from credit.gateways.payments import Declined, Impossible, NoAnswer, Payment
from credit.gateways.stripe import card_gateway, cards_offered
from credit.models import LedgerAccount, WalletCharge, WalletRecharge
from credit.selectors.cards import title_of
from credit.services.card_lookups import drop_unasked, forget_cards, look_up_checkouts
from credit.wallet_recharges import ask_for_charge, lock_plan
from members.models import Organization
from skypemgr.clock import DatabaseClock
from skypemgr.kill_points import kill_point

logger = logging.getLogger(__name__)

State = WalletCharge.State
# A key means nothing to the processor after a day, and the same request again would charge again.
KEY_LASTS = dt.timedelta(hours=20)
# Longer than a request takes, so that nobody asks at the same time; then twice as long each time.
FIRST_WAIT = dt.timedelta(seconds=30)
LAST_WAIT = dt.timedelta(minutes=30)
AT_ONCE = 50


@dataclass(frozen=True)
class Claimed:
    """A charge that this process has in hand; ``too_old`` to be asked for again by its key."""

    charge: WalletCharge
    too_old: bool


def recharge_wallets(*, everywhere: bool = False) -> int:
    """Recharge each wallet that has fallen below what its plan says; gives how many charges were tried.

    Safe to call anywhere, any number at once. ``everywhere`` also looks at plans that were not worth a look.
    """
    for organization in wallets_below(everywhere=everywhere):
        request_charge(organization=organization)
    tried = 0
    while tried < AT_ONCE and (claimed := claim_charge()) is not None:
        carry_out(claimed)
        tried += 1
    return tried


def wallets_below(*, everywhere: bool = False) -> list[Organization]:
    """The organizations whose wallet is below what their active auto-recharge says, and nothing under way."""
    wallets = LedgerAccount.objects.filter(
        organization=OuterRef("organization"), kind=LedgerAccount.Kind.WALLET, member=None
    )
    under_way = WalletCharge.objects.filter(organization=OuterRef("organization"), state=State.REQUESTED)
    plans = WalletRecharge.objects.filter(state=WalletRecharge.State.ACTIVE, organization__closed_at=None)
    if not everywhere:
        plans = plans.filter(look_at__lte=DatabaseClock())
    due = plans.filter(~Exists(wallets.filter(balance__gte=OuterRef("below"))), ~Exists(under_way))
    return [plan.organization for plan in due.select_related("organization").order_by("pk")]


@transaction.atomic(durable=True)
def request_charge(*, organization: Organization) -> WalletCharge | None:
    """Ask: write down the charge that a wallet needs now; None when it needs none or may have none."""
    plan = lock_plan(organization)
    return ask_for_charge(plan) if plan else None


@transaction.atomic(durable=True)
def claim_charge() -> Claimed | None:
    """The next charge to be carried out, put off for all others until it should be done; None when there is none."""
    charge = (
        WalletCharge.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
        .filter(state=State.REQUESTED, try_at__lte=DatabaseClock())
        .select_related("organization", "order__organization", "card")
        .annotate(age=DatabaseClock() - F("requested_at"))
        .order_by("try_at", "id")
        .first()
    )
    if charge is None:
        return None
    wait = min(FIRST_WAIT * 2 ** min(charge.tries, 10), LAST_WAIT)
    WalletCharge.objects.filter(pk=charge.pk).update(tries=F("tries") + 1, try_at=DatabaseClock() + wait)
    return Claimed(charge, charge.age > KEY_LASTS)


def carry_out(claimed: Claimed) -> None:
    """Do: have the processor charge the card, or say what became of it; then settle."""
    charge = claimed.charge
    try:
        payment = _look_up(charge) if charge.tries or claimed.too_old else None
        if payment is None and not claimed.too_old:
            payment = _charge(charge)
        kill_point("credit.after_stripe")
    except NoAnswer as silence:
        note_silence(charge=charge, code=str(silence))
    except Declined as refusal:
        kill_point("credit.after_stripe")
        note_failure(charge=charge, state=State.DECLINED, code=refusal.code, payment=refusal.payment)
    except Impossible as error:
        logger.error("The charge %s of order %s is impossible: %s", charge.pk, charge.order.number, error)
        note_failure(charge=charge, state=State.GIVEN_UP, code="impossible")
    else:
        if payment is None:
            give_up_charge(charge=charge)
        else:
            conclude_charge(charge=charge, payment=payment)
    kill_point("credit.after_settle")


def _charge(charge: WalletCharge) -> Payment:
    return card_gateway().charge(
        key=str(charge.key),
        card=charge.card.method,
        customer=charge.card.customer,
        amount=charge.order.gross,
        currency=charge.organization.currency,
        title=title_of(charge.order),
    )


def _look_up(charge: WalletCharge) -> Payment | None:
    return card_gateway().look_up_payment(key=str(charge.key), customer=charge.card.customer, since=charge.requested_at)


@transaction.atomic(durable=True)
def conclude_charge(*, charge: WalletCharge, payment: Payment) -> None:
    """Settle: credit the wallet with what was paid, with payment and invoice, or note that nothing was; once."""
    locked = lock_charge(pk=charge.pk)
    assert locked is not None
    settle_charge(locked, payment)


@transaction.atomic(durable=True)
def note_failure(*, charge: WalletCharge, state: WalletCharge.State, code: str, payment: str = "") -> None:
    """Note that a charge came to nothing, and pause auto-recharge."""
    locked = lock_charge(pk=charge.pk)
    if locked is not None and locked.state == State.REQUESTED:
        fail_charge(locked, state, code=code[:100], payment=payment)


@transaction.atomic(durable=True)
def give_up_charge(*, charge: WalletCharge) -> None:
    """Note that a charge was never made: the processor knows none by its key, which is too old to be used again.

    Auto-recharge goes on; the next charge has a key of its own.
    """
    locked = lock_charge(pk=charge.pk)
    if locked is not None and locked.state == State.REQUESTED:
        fail_charge(locked, State.GIVEN_UP, code="no_answer", go_on=True)


@transaction.atomic(durable=True)
def note_silence(*, charge: WalletCharge, code: str) -> None:
    """Note that nobody knows what became of a charge, since when, and why."""
    WalletCharge.objects.filter(pk=charge.pk, state=State.REQUESTED, unknown_at=None).update(unknown_at=DatabaseClock())
    WalletCharge.objects.filter(pk=charge.pk, state=State.REQUESTED).update(code=code[:100])


def sweep_wallets() -> None:
    """Recharge every wallet that is too low, whatever kept it from being looked at."""
    if cards_offered():
        recharge_wallets(everywhere=True)


@shared_task(name="credit.look_after_cards")
def look_after_cards_task() -> None:
    """Recharge wallets, and ask the card processor what nobody has told."""
    if cards_offered():
        recharge_wallets()
        look_up_checkouts()
        forget_cards()
        drop_unasked()
