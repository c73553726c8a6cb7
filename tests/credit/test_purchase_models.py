"""What the database refuses of orders, payments and invoices, whoever asks."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.utils import timezone

from credit.models import Order, Payment
from tests.factories import MemberFactory, OrganizationFactory
from tests.refusals import refused

pytestmark = pytest.mark.django_db

AMOUNTS = {"net": Decimal(100), "vat_rate": Decimal(20), "vat": Decimal(20), "gross": Decimal(120)}


def order(organization, number="O-2026-000001", **facts):
    given = {"method": "bank_transfer", "treatment": "standard", "key": uuid4(), "buyer": {}, **AMOUNTS, **facts}
    return Order.objects.create(organization=organization, number=number, **given)


def pay(order, **facts):
    given = {"gateway": "bank_transfer", "reference": order.number, "amount": order.gross, **facts}
    given.setdefault("organization", order.organization)
    return Payment.objects.create(order=order, received_at=timezone.now(), **given)


@pytest.mark.parametrize(
    "wrong",
    [
        {"gross": Decimal("119.99")},
        {"net": Decimal(0), "vat": Decimal(0), "gross": Decimal(0)},
        {"vat": Decimal(-20), "gross": Decimal(80)},
        {"vat_rate": Decimal(51)},
        {"state": "lost"},
        {"state": "paid"},
        {"state": "waiting", "closed_at": "2026-11-22T10:00Z"},
        {"method": "cash"},
        {"treatment": "reverse_charge"},
        {"treatment": "none", "vat_rate": 0, "vat": 0, "gross": Decimal(100)},
    ],
)
def test_an_order_that_contradicts_itself_is_refused(wrong):
    refused(lambda: order(OrganizationFactory(), **wrong))


def test_an_order_stays_what_was_ordered():
    placed = order(OrganizationFactory())

    refused(lambda: Order.objects.filter(pk=placed.pk).update(net=1, gross=21))
    refused(placed.delete)


def test_a_payment_of_another_organization_is_refused():
    placed = order(OrganizationFactory())

    refused(lambda: pay(placed, organization=OrganizationFactory()))
    refused(lambda: order(OrganizationFactory(), "O-2026-000002", placed_by=MemberFactory()))


def test_an_order_is_paid_once_and_a_payment_never_changes():
    placed = order(OrganizationFactory())
    payment = pay(placed)

    refused(lambda: pay(placed, reference="another"))
    refused(lambda: Payment.objects.filter(pk=payment.pk).update(amount=1))
    refused(payment.delete)


def test_a_reference_of_a_card_is_used_once_and_that_of_a_transfer_once_by_each_company():
    mine, theirs = order(OrganizationFactory()), order(OrganizationFactory(), "O-2026-000002")
    pay(mine, reference="invoice 7")
    pay(theirs, reference="invoice 7")
    others = [order(placed.organization, f"O-2026-00001{placed.pk}") for placed in (mine, theirs)]
    refused(lambda: pay(others[0], reference="invoice 7"))
    pay(others[0], reference="pi_1", gateway="stripe")
    refused(lambda: pay(others[1], reference="pi_1", gateway="stripe"))
