"""What the card processor tells us by itself: each message is acted on once, in whatever order they come."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from credit.card_claims import act_on_claim, contradicts, facts_of
from credit.card_payments import lock_charge, lock_checkout, settle_charge, settle_checkout
from credit.gateways.payments import Checkout, Dispute, Message, Payment, Refund
from credit.models import CardCheckout, CardMessage, WalletCharge
from skypemgr.background import wake
from skypemgr.clock import DatabaseClock

Outcome = CardMessage.Outcome
AT_ONCE = 5_000


@transaction.atomic(durable=True)
def take_message(*, message: Message) -> CardMessage.Outcome | None:
    """Act on a message, and note it in the same transaction; None when that was done before."""
    # Whoever brings it a second time at this moment waits here until the first has committed.
    row, made = CardMessage.objects.get_or_create(
        name=message.id, defaults={"kind": message.kind[:100], "outcome": Outcome.NOTHING}
    )
    if not made:
        return None
    row.outcome = _act(message)
    if isinstance(message.subject, Refund | Dispute):
        row.subject, row.payment = message.subject.id, message.subject.payment
        row.facts = facts_of(message.subject)
    row.save(update_fields=["outcome", "subject", "payment", "facts"])
    if row.outcome == Outcome.DONE:
        wake("credit.look_after_cards")
    return row.outcome


def purge_card_messages() -> int:
    """Delete messages that came ``CARD_MESSAGE_DAYS`` ago; gives how many.

    What they led to stands in orders, payments, refunds and disputes, which know what was done. Those about a payment
    that could not be accepted stay: they say whether it has gone back. So do those about a refund or a dispute that
    contradicts what was ordered, for whoever settles it by hand, until a later one says that there is nothing to do.
    """
    total = 0
    while deleted := _purge_some():
        total += deleted
    return total


@transaction.atomic(durable=True)
def _purge_some() -> int:
    old = CardMessage.objects.filter(received_at__lt=DatabaseClock() - timedelta(days=settings.CARD_MESSAGE_DAYS))
    for model in (CardCheckout, WalletCharge):
        wrong = model._default_manager.filter(state="wrong").exclude(payment="")
        old = old.exclude(payment__in=wrong.values("payment"))
    keys = list(old.exclude(contradicts()).order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
    return CardMessage.objects.filter(pk__in=keys).delete()[0]


def _act(message: Message) -> CardMessage.Outcome:
    match message.subject:
        case Checkout() as found:
            checkout = lock_checkout(key=key) if (key := _key(found.reference)) else None
            return settle_checkout(checkout, found) if checkout else Outcome.UNKNOWN
        case Payment() as payment:
            charge = lock_charge(key=key) if (key := _key(payment.key)) else None
            return settle_charge(charge, payment) if charge else Outcome.UNKNOWN
        case Refund() | Dispute() as claim:
            return act_on_claim(claim)
        case _:
            return Outcome.NOTHING


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
