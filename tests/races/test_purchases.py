"""Orders, payments and numbers under two at once; and what would happen without each lock."""

import re
from decimal import Decimal
from functools import partial
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from credit.errors import MonthAboveLimit, OrderClosed, RefundTooLarge
from credit.invoicing import next_number
from credit.models import BillingProfile, Invoice, NumberSeries, Order
from credit.selectors.balances import wallet_balance
from credit.services.orders import (
    cancel_order,
    confirm_order,
    expire_orders,
    place_order,
    receive_payment,
    refund_order,
)
from members.access import Actor
from skypemgr.errors import DomainError
from tests.factories import MemberFactory

pytestmark = pytest.mark.django_db(transaction=True)

SYSTEM = Actor.system()


@pytest.fixture
def organization():
    organization = MemberFactory(admin=True).organization
    BillingProfile.objects.create(
        organization=organization, name="Kornblom", street="1", city="Lyon", country="FR", email="bills@people.example"
    )
    return organization


def order(organization, amount="100", key=None):
    return place_order(actor=SYSTEM, organization=organization, amount=Decimal(amount), key=key or uuid4())


def confirming(placed):
    return partial(confirm_order, actor=SYSTEM, organization=placed.organization, order=placed, amount=placed.gross)


def canceling(placed):
    return partial(cancel_order, actor=SYSTEM, organization=placed.organization, order=placed)


def receiving(organization, reference, amount="100"):
    return partial(
        receive_payment, actor=SYSTEM, organization=organization, amount=Decimal(amount), reference=reference
    )


def refunding(placed, amount):
    return partial(
        refund_order,
        actor=SYSTEM,
        organization=placed.organization,
        order=placed,
        amount=Decimal(amount),
        reason="",
        key=uuid4(),
    )


def numbers(kind="invoice"):
    return sorted(Invoice.objects.filter(kind=kind).values_list("sequence", flat=True))


def test_a_transfer_confirmed_by_two_at_once_is_one_payment(organization, race, rounds):
    for number in range(1, rounds + 1):
        placed = order(organization)

        one, other = race(confirming(placed), confirming(placed))

        assert one == other
        assert wallet_balance(organization) == 100 * number
    assert numbers() == list(range(1, rounds + 1))


def test_control_without_the_lock_the_second_confirmation_fails_in_the_database(organization, race, unguarded):
    placed = order(organization)

    outcomes = race(*unguarded(confirming(placed), confirming(placed)))

    # The payment's own constraint is what is left.
    assert sum(isinstance(outcome, IntegrityError) for outcome in outcomes) == 1


def test_an_order_confirmed_while_it_is_canceled_is_one_of_both(organization, race, rounds):
    for _round in range(rounds):
        placed, before = order(organization), wallet_balance(organization)

        confirmed, canceled = race(confirming(placed), canceling(placed))

        placed.refresh_from_db()
        gained = wallet_balance(organization) - before
        assert (placed.state, gained) in (("paid", 100), ("canceled", 0))
        assert isinstance(canceled if placed.state == "paid" else confirmed, OrderClosed)


def test_control_without_the_lock_a_canceled_order_is_paid(organization, race, unguarded):
    placed = order(organization)

    outcomes = race(*unguarded(confirming(placed), canceling(placed)))

    assert not any(isinstance(outcome, Exception) for outcome in outcomes)
    assert wallet_balance(organization) == 100


def test_an_order_that_expires_while_it_is_confirmed_is_one_of_both(organization, race, rounds):
    for _round in range(rounds):
        placed, before = order(organization), wallet_balance(organization)
        Order.objects.filter(pk=placed.pk).update(expires_at="2026-01-01T00:00Z")

        race(confirming(placed), expire_orders)

        placed.refresh_from_db()
        gained = wallet_balance(organization) - before
        assert (placed.state, gained) in (("paid", 100), ("expired", 0))


def test_control_without_the_lock_an_order_that_was_paid_expires(organization, meanwhile):
    placed = order(organization)
    Order.objects.filter(pk=placed.pk).update(expires_at="2026-01-01T00:00Z")

    held = meanwhile(expire_orders, confirming(placed), at='^SELECT .*"credit_order"', unlocked=True)

    assert (held.first, isinstance(held.second, Exception)) == (1, False)
    placed.refresh_from_db()
    assert (placed.state, wallet_balance(organization)) == ("expired", 100)


def test_one_reference_recorded_by_many_at_once_is_one_payment(organization, race, rounds):
    for number in range(1, rounds + 1):
        outcomes = race(*[receiving(organization, f"statement {number}")] * 4)

        assert sum(outcome.new for outcome in outcomes) == 1
        assert len({outcome.order.pk for outcome in outcomes}) == 1
        assert wallet_balance(organization) == 100 * number
    assert numbers() == list(range(1, rounds + 1))


def test_control_without_the_claim_the_second_payment_fails_in_the_database(organization, race, monkeypatch):
    monkeypatch.setattr("credit.services.orders.claim", lambda **facts: None)

    outcomes = race(*[receiving(organization, "statement 7")] * 4)

    assert any(isinstance(outcome, IntegrityError) for outcome in outcomes)


def test_two_orders_at_once_stay_within_the_limit_of_a_month(organization, race, rounds, settings):
    for number in range(1, rounds + 1):
        settings.ORDERS_PER_MONTH_LIMIT = 100 * number

        outcomes = race(partial(order, organization), partial(order, organization))

        assert sum(isinstance(outcome, MonthAboveLimit) for outcome in outcomes) == 1


def test_control_without_the_lock_two_orders_pass_the_limit_of_a_month(organization, race, unguarded, settings):
    settings.ORDERS_PER_MONTH_LIMIT = 100

    outcomes = race(*unguarded(partial(order, organization), partial(order, organization)))

    assert [type(outcome) for outcome in outcomes] == [Order, Order]


def test_two_refunds_at_once_give_no_more_back_than_was_paid(organization, race, rounds):
    for _round in range(rounds):
        placed = order(organization)
        confirming(placed)()

        outcomes = race(refunding(placed, "80"), refunding(placed, "80"))

        assert sum(isinstance(outcome, RefundTooLarge) for outcome in outcomes) == 1
    assert numbers("credit_note") == list(range(1, rounds + 1))


def test_control_without_the_lock_more_goes_back_than_was_paid_or_the_database_refuses(organization, race, unguarded):
    placed = order(organization)
    confirming(placed)()

    outcomes = race(*unguarded(refunding(placed, "80"), refunding(placed, "80")))

    assert not any(isinstance(outcome, DomainError) for outcome in outcomes)


def test_numbers_have_no_gaps_whoever_fails(organization, race, rounds):
    def fail(reference):
        with transaction.atomic():
            next_number(NumberSeries.Kind.INVOICE, 2026)
            raise OSError(reference)

    for number in range(rounds):
        race(receiving(organization, f"a {number}"), partial(fail, "b"), receiving(organization, f"c {number}"))

    assert numbers() == list(range(1, 2 * rounds + 1))


def test_the_series_is_locked_after_the_wallet(organization, statements):
    placed = order(organization)

    said = statements(confirming(placed))

    [order_lock] = [place for place, sql in enumerate(said) if re.search(r'FROM "credit_order".* FOR NO KEY', sql)]
    [wallet] = [place for place, sql in enumerate(said) if "credit_post(" in sql]
    [series] = [place for place, sql in enumerate(said) if "credit_numberseries" in sql]
    assert order_lock < wallet < series


def test_control_without_its_conflict_the_second_number_fails_in_the_database(organization, race, unguarded):
    def take():
        with transaction.atomic():
            return next_number(NumberSeries.Kind.INVOICE, 2026)

    outcomes = race(*unguarded(take, take, without=r" ON CONFLICT .*(?= RETURNING)"))

    assert sum(isinstance(outcome, IntegrityError) for outcome in outcomes) == 1
