"""What the card processor tells us by itself: each message is acted on once, in whatever order they come."""

from uuid import UUID

from django.db import transaction

from credit.card_claims import act_on_claim, facts_of
from credit.card_payments import lock_charge, lock_checkout, settle_charge, settle_checkout
from credit.gateways.payments import Checkout, Dispute, Message, Payment, Refund
from credit.models import CardMessage
from skypemgr.background import wake

Outcome = CardMessage.Outcome


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
