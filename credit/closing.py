"""What the end of an organization means to its credit."""

from collections.abc import Sequence

from django.db import connection, transaction
from django.urls import reverse
from django.utils.translation import gettext

from credit.funding import owed_by
from credit.models import CardCheckout, Order, RechargePlan, SavedCard, WalletCharge, WalletRecharge
from credit.purchases import close, lock_order
from credit.selectors.balances import wallet_balance
from members.access import Actor
from members.audit import Action, Fact, record_many
from members.locks import take_time
from members.models import Letter, Organization
from members.registry import ClosingStep, Obstacle, Text, registry
from skypemgr.clock import DatabaseClock
from skypemgr.money import money

AT_ONCE = 5_000
ABOUT_CREDIT = [Letter.Kind.CREDIT_ALERT, Letter.Kind.CREDIT_INACTIVE]


def obstacles(organization: Organization) -> Sequence[Obstacle]:
    """Money that is under way or owed."""
    found = []
    purchases = reverse("credit:purchase_list", args=[organization.slug])
    waiting = Order.objects.filter(organization=organization, state=Order.State.WAITING)
    numbers = list(waiting.order_by("pk").values_list("number", flat=True)[:3])
    if numbers:
        text = gettext("An order waits for its payment: {numbers}. Pay it, or cancel it.")
        found.append(Obstacle(text.format(numbers=", ".join(numbers)), purchases))
    if WalletCharge.objects.filter(organization=organization, state=WalletCharge.State.REQUESTED).exists():
        found.append(Obstacle(gettext("The saved card is being charged. Wait until that has ended."), purchases))
    if owed := owed_by(organization):
        text = gettext("{amount} is owed since a refund. Settle it first: the next purchase pays it.")
        found.append(Obstacle(text.format(amount=money(owed, organization.currency)), purchases))
    return found


def consequences(organization: Organization) -> Sequence[str]:
    """What becomes of credit."""
    left = money(wallet_balance(organization), organization.currency)
    return [
        gettext("{amount} is left in the wallet. It is not paid out, and nobody can use it any more.").format(
            amount=left
        ),
        gettext("What business accounts hold can’t be used any more either. Credit moves no more."),
        gettext("Auto-recharge of the wallet and of members stops, and the saved card is forgotten."),
    ]


def files(organization: Organization) -> Sequence[tuple[Text, str]]:
    """What to export first."""
    return [
        (gettext("Statement of the wallet"), reverse("credit:wallet_statement_export", args=[organization.slug])),
        (gettext("Purchases and invoices"), reverse("credit:purchase_list", args=[organization.slug])),
    ]


@transaction.atomic(savepoint=False)
def begin(organization: Organization) -> None:
    """Order nothing more, charge no card, write no letter about credit; and let no transfer pass after those so far."""
    WalletRecharge.objects.filter(organization=organization).exclude(state=WalletRecharge.State.OFF).update(
        state=WalletRecharge.State.OFF, reason="", paused_at=None, saved_at=DatabaseClock()
    )
    SavedCard.objects.filter(organization=organization, removed_at=None).update(removed_at=DatabaseClock())
    orders = Order.objects.filter(organization=organization, state=Order.State.WAITING).order_by("pk")
    # What is paid for one of them by card after all, an operator is told.
    locked = [lock_order(organization, key) for key in orders.values_list("pk", flat=True)]
    waiting = [order for order in locked if order.state == Order.State.WAITING]
    for order in waiting:
        close(order, Order.State.CANCELED)
    facts = [Fact(action=Action.ORDER_CANCELED, subject=order, after={"order": order.number}) for order in waiting]
    record_many(organization=organization, actor=Actor.system(), facts=facts)
    CardCheckout.objects.filter(organization=organization, state=CardCheckout.State.ASKED).update(
        state=CardCheckout.State.EXPIRED, closed_at=DatabaseClock()
    )
    Letter.objects.filter(organization=organization, kind__in=ABOUT_CREDIT, state=Letter.State.WAITING).update(
        state=Letter.State.CANCELED, closed_at=DatabaseClock(), leased_until=None
    )
    _close_wallet(organization)


def _close_wallet(organization: Organization) -> None:
    # Last, since it is the wallet: whoever posts meanwhile waits for us, and finds it closed.
    with connection.cursor() as cursor:
        cursor.execute("SELECT credit_close(%s)", [organization.pk])


@transaction.atomic(savepoint=False)
def carry_on(organization: Organization) -> int:
    """Switch some auto-recharges off; gives how many."""
    take_time()
    active = RechargePlan.objects.filter(organization=organization, active=True).order_by("pk")
    some = list(active.values_list("pk", flat=True)[:AT_ONCE])
    return RechargePlan.objects.filter(pk__in=some).update(active=False, refusal="", refused_at=None)


def register() -> None:
    """Called once at start-up."""
    registry.add(
        ClosingStep(
            key="credit",
            order=20,
            obstacles=obstacles,
            consequences=consequences,
            files=files,
            begin=begin,
            carry_on=carry_on,
        )
    )
