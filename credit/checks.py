"""What operators are told about money: payments that contradict their order, and charges nobody knows the end of."""

import datetime as dt

from credit.card_claims import contradicts
from credit.models import CardCheckout, CardMessage, WalletCharge
from skypemgr.clock import DatabaseClock
from skypemgr.installation import Findings, installation_check

PATIENCE = dt.timedelta(hours=1)


@installation_check
def payments_are_what_was_ordered() -> Findings:
    returned = CardMessage.objects.filter(facts__is="Refund", facts__stands=True).values("payment")
    for model in (CardCheckout, WalletCharge):
        wrong = (
            model._default_manager.filter(state="wrong")
            .exclude(payment__in=returned)
            .select_related("order", "organization")
        )
        for row in wrong.order_by("pk")[:10]:
            why = "whose organization is closed" if row.organization.closed_at else "which asks for something else"
            yield f"{row.payment} came for {row.order}, {why}: refund it at Stripe."
    # As long as they are kept; each refund or dispute once.
    claims = CardMessage.objects.filter(contradicts()).order_by("subject", "-pk").distinct("subject")
    for claim in claims[:10]:
        yield (
            f"{claim.subject} takes other money than there is left of the payment {claim.payment},"
            " or its organization is closed: settle it outside."
        )


@installation_check
def charges_come_to_an_end() -> Findings:
    unknown = WalletCharge.objects.filter(unknown_at__lt=DatabaseClock() - PATIENCE).select_related("order")
    for charge in unknown.order_by("pk")[:10]:
        yield f"Stripe does not say what became of the charge for {charge.order} ({charge.code})."
