"""What becomes of an order, whichever way it is paid: building blocks of the verbs that sell credit.

The order's row is locked by whoever calls; then the wallet's account, then the series of numbers.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.text import get_text_list
from django.utils.translation import gettext

from credit.errors import (
    AmountAboveLimit,
    BillingMissing,
    MonthAboveLimit,
    NoSuchOrder,
    OrderClosed,
    RefundTooLarge,
    SellerIncomplete,
)
from credit.funding import fund, take_back
from credit.invoicing import buyer_of, issue_credit_note, issue_invoice
from credit.letters import write_invoice_letters
from credit.models import Order, Payment, Refund, Treatment
from credit.sellers import current_seller, missing_of, price_for, profile_of, today_of
from credit.vat import Price, part_of
from members.access import Actor
from members.audit import Action, record
from members.locks import lock_organization
from members.models import Member, Organization
from members.periods import Every, period_at
from skypemgr.clock import DatabaseClock
from skypemgr.money import money

NOTHING = Decimal("0.0000")

# What counts towards the limit of a month.
COUNTED = [Order.State.WAITING, Order.State.PAID]


@transaction.atomic(savepoint=False)
def quote(*, organization: Organization, net: Decimal, gateway: str) -> Price:
    """What ``net`` costs an organization that may order so much, and is locked from here on.

    Raises SellerIncomplete, BillingMissing, AmountAboveLimit, MonthAboveLimit.
    """
    lock_organization(organization)
    require_seller(gateway)
    if profile_of(organization) is None:
        raise BillingMissing
    currency = organization.currency
    if net > settings.ORDER_LIMIT:
        raise AmountAboveLimit(limit=money(Decimal(settings.ORDER_LIMIT), currency))
    left = settings.ORDERS_PER_MONTH_LIMIT - ordered_this_month(organization)
    if net > left:
        limit = money(Decimal(settings.ORDERS_PER_MONTH_LIMIT), currency)
        raise MonthAboveLimit(limit=limit, left=money(max(left, NOTHING), currency))
    return price_for(organization, net)


def require_seller(gateway: str) -> None:
    """Raise SellerIncomplete while something is missing that invoices need, or a bank transfer."""
    if missing := missing_of(current_seller(), gateway):
        raise SellerIncomplete(missing=get_text_list([str(entry.label) for entry in missing], gettext("and")))


def ordered_this_month(organization: Organization) -> Decimal:
    """How much credit was ordered since the month began in the organization's time zone, and not called off."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        month = period_at(cursor.fetchone()[0], Every.MONTH, ZoneInfo(organization.time_zone))
    orders = Order.objects.filter(organization=organization, state__in=COUNTED, created_at__gte=month.start)
    return orders.aggregate(Sum("net"))["net__sum"] or NOTHING


@transaction.atomic(savepoint=False)
def place(
    *,
    organization: Organization,
    actor: Actor,
    price: Price,
    method: Order.Method,
    key: UUID,
    member: Member | None = None,
    expires_at: datetime | None = None,
) -> Order:
    """An order that waits for its payment, for ``member`` of the organization; written down."""
    # Orders need no numbers without gaps, and whoever places one waits for nobody.
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('credit_order', 'id'))")
        pk = int(cursor.fetchone()[0])
    order = Order.objects.create(
        pk=pk,
        organization=organization,
        number=f"O-{today_of(current_seller()).year}-{pk:06}",
        method=method,
        net=price.net,
        treatment=price.treatment,
        vat_rate=price.vat_rate,
        vat=price.vat,
        gross=price.gross,
        buyer=buyer_of(organization),
        key=key,
        placed_by=member,
        expires_at=expires_at,
    )
    after = {"order": order.number, "amount": str(order.gross)}
    record(organization=organization, actor=actor, action=Action.ORDER_PLACED, subject=order, after=after)
    return order


def lock_order(organization: Organization, order: Order | int) -> Order:
    """An order of an organization, held until the transaction ends. Raises NoSuchOrder for that of another."""
    key = order.pk if isinstance(order, Order) else order
    orders = Order.objects.select_for_update(no_key=True, of=("self",)).select_related(
        "organization", "placed_by__user"
    )
    found = orders.filter(organization=organization, pk=key).order_by("pk").first()
    if found is None:
        raise NoSuchOrder
    return found


def require_waiting(order: Order) -> None:
    """Raise OrderClosed unless the order waits for its payment."""
    if order.state != Order.State.WAITING:
        raise OrderClosed(number=order.number, state=order.get_state_display())


@transaction.atomic(savepoint=False)
def settle(order: Order, *, actor: Actor, gateway: str, reference: str) -> Payment:
    """The payment of an order that is locked and waits: credit into the wallet, the invoice, letters, the log.

    ``reference`` names the payment at its gateway; the same one can't be recorded twice.
    """
    require_waiting(order)
    organization = order.organization
    payment = Payment.objects.create(
        organization=organization,
        order=order,
        gateway=gateway,
        reference=reference,
        amount=order.gross,
        received_at=timezone.now(),
        recorded_by=actor.user,
    )
    close(order, Order.State.PAID)
    after = {"order": order.number, "amount": str(order.gross)}
    record(organization=organization, actor=actor, action=Action.ORDER_PAID, subject=order, after=after)
    fund(organization=organization, actor=actor, amount=order.net, key=order.key)
    write_invoice_letters(issue_invoice(order, payment))
    return payment


def refunded_of(order: Order) -> tuple[Decimal, Decimal]:
    """What of an order went back so far: gross, and the net of it."""
    sums = Refund.objects.filter(organization=order.organization_id, order=order).aggregate(Sum("gross"), Sum("net"))
    return sums["gross__sum"] or NOTHING, sums["net__sum"] or NOTHING


@transaction.atomic(savepoint=False)
def give_back(
    order: Order, *, actor: Actor, gateway: str, reference: str, amount: Decimal, key: UUID, reason: str = ""
) -> Refund:
    """Money that went back for a paid order that is locked: ``amount`` of its gross, with the credit and the note.

    Of the credit, the wallet gives what it holds; the rest is owed. Raises OrderClosed unless the order is paid,
    RefundTooLarge when less than that is left of it.
    """
    if order.state != Order.State.PAID:
        raise OrderClosed(number=order.number, state=order.get_state_display())
    organization = order.organization
    gross_before, net_before = refunded_of(order)
    left = order.gross - gross_before
    if amount > left:
        raise RefundTooLarge(number=order.number, left=money(left, organization.currency))
    whole = Price(Treatment(order.treatment), order.vat_rate, order.net, order.vat, order.gross)
    part = part_of(whole, back=amount, before=gross_before, net_before=net_before, currency=organization.currency)
    refund = Refund.objects.create(
        organization=organization,
        order=order,
        gateway=gateway,
        reference=reference,
        net=part.net,
        vat=part.vat,
        gross=part.gross,
        key=key,
        reason=reason,
        refunded_at=timezone.now(),
        recorded_by=actor.user,
    )
    if amount == left:
        close(order, Order.State.REFUNDED)
    after = {"order": order.number, "amount": str(amount)}
    record(
        organization=organization, actor=actor, action=Action.ORDER_REFUNDED, subject=order, after=after, reason=reason
    )
    # Of a cent, all may be VAT.
    if part.net:
        take_back(organization=organization, actor=actor, amount=part.net, key=key, reason=reason)
    write_invoice_letters(issue_credit_note(order, refund))
    return refund


@transaction.atomic(savepoint=False)
def close(order: Order, state: Order.State) -> None:
    """What has become of an order that is locked."""
    order.state = state
    Order.objects.filter(organization=order.organization_id, pk=order.pk).update(state=state, closed_at=DatabaseClock())
