"""Refunds and disputes: what goes back takes its credit with it, once, in whatever order one hears of it."""

import itertools
from decimal import Decimal

import pytest

from credit.causes import orders_of
from credit.funding import owed_by
from credit.models import CardDispute, Invoice, Order, Refund, Transfer
from credit.selectors.cards import is_disputed
from members.models import AuditEntry
from tests.credit.cards import balance, checkout_for, make_company, post, recharging, spend, tell, tell_all, work
from tests.stripe_fake.server import FakeStripe

pytestmark = pytest.mark.django_db


def paid(stripe: FakeStripe, amount: str = "100"):
    """A company that has paid an order of so much credit by card; its payment at Stripe."""
    admin = make_company()
    session = stripe.pay(checkout_for(admin, amount).session)
    tell_all(stripe)
    stripe.events.clear()
    return admin.organization, session["payment_intent"]


def test_a_refund_takes_its_credit_back_once_with_a_credit_note(stripe: FakeStripe) -> None:
    company, payment = paid(stripe)

    stripe.refund(payment)
    assert {post(event) for event in stripe.events * 3} == {200}
    stripe.say("refund.updated", stripe.all("refund")[0])
    assert tell(stripe.events[-1]) == "nothing"

    assert balance(company) == 0
    assert Order.objects.get().state == "refunded"
    assert [invoice.kind for invoice in Invoice.objects.order_by("pk")] == ["invoice", "credit_note"]
    assert AuditEntry.objects.filter(action="order.refunded").count() == 1


def test_parts_of_a_payment_that_go_back_add_up_to_its_credit(stripe: FakeStripe) -> None:
    company, payment = paid(stripe, "10")

    for cents in (401, 399, 400):
        stripe.refund(payment, cents)
    assert set(tell_all(stripe)) == {"done"}

    assert balance(company) == 0
    assert sum(refund.net for refund in Refund.objects.all()) == 10
    assert Order.objects.get().state == "refunded"


def test_what_the_wallet_lacks_for_a_refund_is_owed_and_the_next_purchase_settles_it(stripe: FakeStripe) -> None:
    company, payment = paid(stripe)
    spend(company, "70")

    stripe.refund(payment)
    tell_all(stripe)
    assert (balance(company), owed_by(company)) == (0, 70)

    admin = company.members.get(role="administrator")
    stripe.pay(checkout_for(admin, "100").session)
    tell_all(stripe)
    assert (balance(company), owed_by(company)) == (30, 0)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_a_refund_counts_whenever_one_hears_of_it(stripe: FakeStripe, order: tuple[int, ...]) -> None:
    admin = make_company()
    session = stripe.pay(checkout_for(admin).session)
    stripe.refund(session["payment_intent"], 6000)
    events = list(stripe.events)

    for place in order:
        tell(events[place])

    assert balance(admin.organization) == 50
    assert Refund.objects.get().gross == 60
    assert {tell(event) for event in events} == {None}


def test_more_than_was_paid_or_other_money_is_told_and_not_taken(stripe: FakeStripe) -> None:
    company, payment = paid(stripe)

    stripe.refund(payment, 12001)
    stripe.say("refund.created", {**stripe.refund(payment, 10), "currency": "usd", "id": "re_other"})
    stripe.events.pop(-2)

    assert tell_all(stripe) == ["wrong", "wrong"]
    assert balance(company) == 100
    assert AuditEntry.objects.filter(action="payment.differs").count() == 2


@pytest.mark.parametrize("early", [False, True])
def test_a_refund_that_failed_leaves_the_credit(stripe: FakeStripe, early: bool) -> None:
    company, payment = paid(stripe)
    refund = stripe.refund(payment)
    stripe.fail_refund(refund["id"])
    events = reversed(stripe.events) if early else stripe.events

    outcomes = [tell(event) for event in events]

    assert outcomes == (["nothing", "nothing"] if early else ["done", "done"])
    assert balance(company) == 100


def test_a_refund_of_somebody_elses_payment_is_unknown(stripe: FakeStripe) -> None:
    company, _payment = paid(stripe)
    other = stripe.add_payment(100, "eur", None, "pm_1")

    stripe.refund(other["id"])

    assert tell_all(stripe) == ["unknown"]
    assert balance(company) == 100


# Disputes


def test_a_dispute_takes_the_credit_and_one_that_is_won_gives_it_back(stripe: FakeStripe) -> None:
    company, payment = paid(stripe)

    dispute = stripe.dispute(payment)
    assert tell_all(stripe) == ["done"]
    assert (balance(company), is_disputed(company)) == (0, True)
    stripe.close_dispute(dispute["id"], "won")
    tell_all(stripe)
    tell_all(stripe)

    assert (balance(company), is_disputed(company)) == (100, False)
    row = CardDispute.objects.get()
    assert (row.state, row.taken) == ("won", False)
    assert Invoice.objects.count() == 1
    assert Order.objects.get().state == "paid"


def test_the_statement_leads_from_a_dispute_to_its_order_and_names_it_once(stripe: FakeStripe) -> None:
    company, payment = paid(stripe)
    dispute = stripe.dispute(payment)
    tell_all(stripe)
    stripe.close_dispute(dispute["id"], "won")
    tell_all(stripe)

    moved = list(Transfer.objects.filter(organization=company).order_by("pk"))

    assert [transfer.operation for transfer in moved] == ["purchase", "refund", "purchase"]
    order = Order.objects.get().number
    assert [cause.text for cause in orders_of(company, moved).values()] == [f"Order {order}"] * 3
    assert {transfer.reason for transfer in moved} == {""}


def test_a_dispute_that_is_lost_becomes_a_refund_and_takes_nothing_twice(stripe: FakeStripe) -> None:
    company, payment = paid(stripe)
    spend(company, "40")

    dispute = stripe.dispute(payment)
    stripe.close_dispute(dispute["id"], "lost")
    tell_all(stripe)

    assert (balance(company), owed_by(company)) == (0, 40)
    assert Order.objects.get().state == "refunded"
    assert Refund.objects.get().reference == dispute["id"]
    assert Invoice.objects.filter(kind="credit_note").count() == 1
    assert AuditEntry.objects.filter(action__in=["dispute.opened", "dispute.closed"]).count() == 2


@pytest.mark.parametrize(("end", "left"), [("won", 100), ("lost", 0)])
def test_the_end_of_a_dispute_counts_though_one_hears_of_it_first(stripe: FakeStripe, end: str, left: int) -> None:
    company, payment = paid(stripe)
    dispute = stripe.dispute(payment)
    stripe.close_dispute(dispute["id"], end)

    for event in reversed(stripe.events):
        tell(event)

    assert balance(company) == left
    assert CardDispute.objects.get().state == end


def test_an_inquiry_takes_nothing(stripe: FakeStripe) -> None:
    company, payment = paid(stripe)

    dispute = stripe.dispute(payment, status="warning_needs_response")
    tell_all(stripe)
    assert (balance(company), is_disputed(company)) == (100, False)
    stripe.things[dispute["id"]]["status"] = "needs_response"
    stripe.say("charge.dispute.updated", stripe.things[dispute["id"]])
    tell_all(stripe)

    assert (balance(company), is_disputed(company)) == (0, True)


def test_a_part_that_is_disputed_takes_a_part(stripe: FakeStripe) -> None:
    company, payment = paid(stripe)

    dispute = stripe.dispute(payment, 3000)
    stripe.close_dispute(dispute["id"], "lost")
    tell_all(stripe)

    assert balance(company) == 75
    assert Order.objects.get().state == "paid"


def test_a_charge_of_auto_recharge_can_be_refunded_too(stripe: FakeStripe) -> None:
    company = recharging(stripe).organization
    work()

    stripe.refund(stripe.charges()[0]["id"])
    tell_all(stripe)

    assert balance(company) == 0


def test_what_is_disputed_by_more_than_was_paid_is_told(stripe: FakeStripe) -> None:
    company, payment = paid(stripe)

    stripe.dispute(payment, 12001)

    assert tell_all(stripe) == ["wrong"]
    assert balance(company) == 100
    assert Decimal(0) == owed_by(company)
