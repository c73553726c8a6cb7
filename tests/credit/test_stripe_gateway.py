"""What Stripe is asked and how its answers are understood, by its own SDK, from a Stripe of our own."""

import datetime as dt
import json
import time
from decimal import Decimal
from uuid import uuid4

import pytest

from credit.gateways.minor_units import NotPayable, from_minor_units, to_minor_units
from credit.gateways.payments import (
    CheckoutState,
    Declined,
    DisputeState,
    Impossible,
    MessageRefused,
    NoAnswer,
    PaymentState,
)
from credit.gateways.stripe import StripeGateway
from tests.stripe_fake.account import ASKS_HOLDER, DECLINED_LATER, GOOD, NO_FUNDS, sign
from tests.stripe_fake.server import FakeStripe, Fault

SINCE = dt.datetime.now(dt.UTC)


def open_checkout(key: str = "", *, amount: str = "12.50", currency: str = "EUR", save_card: bool = False):
    return StripeGateway().open_checkout(
        key=key or str(uuid4()),
        amount=Decimal(amount),
        currency=currency,
        title="Skype Credit",
        reference="2026-17",
        success_url="http://127.0.0.1/paid/",
        cancel_url="http://127.0.0.1/back/",
        language="sv",
        save_card=save_card,
    )


def saved_card(stripe: FakeStripe, number: str = GOOD):
    checkout = open_checkout(save_card=True)
    stripe.pay(checkout.id, number)
    card = StripeGateway().find_checkout(checkout.id).card
    assert card is not None
    return card


def charge(card, key: str, *, amount: str = "20", currency: str = "EUR"):
    return StripeGateway().charge(
        key=key,
        card=card.method,
        customer=card.customer,
        amount=Decimal(amount),
        currency=currency,
        title="Order 2026-18",
    )


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [
        ("12.50", "EUR", 1250),
        ("12.5000", "SEK", 1250),
        ("1200", "JPY", 1200),
        ("12.5", "TND", 12500),
        ("12", "ISK", 1200),
        ("0.01", "USD", 1),
        ("9999999", "EUR", 999999900),
    ],
)
def test_an_amount_is_counted_in_the_smallest_units_of_its_currency(amount: str, currency: str, units: int) -> None:
    assert to_minor_units(Decimal(amount), currency) == units
    assert from_minor_units(units, currency) == Decimal(amount)


@pytest.mark.parametrize(
    ("amount", "currency"),
    [("12.505", "EUR"), ("12.5", "JPY"), ("12.555", "TND"), ("12.5", "ISK"), ("0", "EUR"), ("-1", "EUR")],
)
def test_an_amount_that_no_card_can_pay_exactly_is_refused(amount: str, currency: str) -> None:
    with pytest.raises(NotPayable):
        to_minor_units(Decimal(amount), currency)


def test_a_checkout_is_opened_paid_and_found_with_its_payment(stripe: FakeStripe) -> None:
    checkout = open_checkout(amount="1200", currency="JPY")
    assert (checkout.state, checkout.amount, checkout.currency) == (CheckoutState.OPEN, Decimal(1200), "JPY")
    assert checkout.reference == "2026-17"
    assert checkout.url.startswith(stripe.url)

    paid = stripe.pay(checkout.id)

    found = StripeGateway().find_checkout(checkout.id)
    assert (found.state, found.payment, found.amount) == (CheckoutState.PAID, paid["payment_intent"], Decimal(1200))
    assert found.card is None
    assert stripe.charges()[0]["amount"] == 1200


def test_a_card_is_kept_only_with_consent(stripe: FakeStripe) -> None:
    card = saved_card(stripe)

    assert (card.brand, card.last4, card.month, card.year) == ("visa", "4242", 12, 2031)
    assert stripe.things[card.method]["customer"] == card.customer


def test_a_card_can_be_saved_without_a_payment(stripe: FakeStripe) -> None:
    checkout = StripeGateway().open_card_checkout(
        key=str(uuid4()),
        currency="EUR",
        reference="card",
        success_url="http://x/",
        cancel_url="http://x/",
        language="en",
    )
    stripe.pay(checkout.id)

    found = StripeGateway().find_checkout(checkout.id)
    assert found.state is CheckoutState.SAVED
    assert found.card is not None
    assert stripe.charges() == []


def test_a_checkout_that_was_closed_can_not_be_paid(stripe: FakeStripe) -> None:
    checkout = open_checkout()

    StripeGateway().close_checkout(checkout.id)
    StripeGateway().close_checkout(checkout.id)

    assert StripeGateway().find_checkout(checkout.id).state is CheckoutState.EXPIRED


def test_one_key_charges_once_and_never_something_else(stripe: FakeStripe) -> None:
    card, key = saved_card(stripe), str(uuid4())

    first, again = charge(card, key), charge(card, key)

    assert first == again
    assert first.state is PaymentState.SUCCEEDED
    assert [payment["amount"] for payment in stripe.charges()] == [1250, 2000]
    with pytest.raises(NoAnswer):
        charge(card, key, amount="21")


def test_after_a_day_a_key_means_nothing_any_more(stripe: FakeStripe) -> None:
    card, key = saved_card(stripe), str(uuid4())
    first = charge(card, key)

    stripe.ahead = 25 * 3600

    assert charge(card, key).id != first.id
    assert len(stripe.charges()) == 3


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (DECLINED_LATER, "generic_decline"),
        (NO_FUNDS, "insufficient_funds"),
        (ASKS_HOLDER, "authentication_required"),
    ],
)
def test_a_decline_says_why_and_is_the_same_again(stripe: FakeStripe, number: str, code: str) -> None:
    card, key = saved_card(stripe), str(uuid4())
    stripe.numbers[card.method] = number

    for _time in range(2):
        with pytest.raises(Declined) as refusal:
            charge(card, key)
        assert refusal.value.code == code
        assert refusal.value.payment.startswith("pi_")
    assert len(stripe.charges()) == 1


@pytest.mark.parametrize("mode", ["before", "saved", "after", "lost", "silent", "busy"])
def test_what_is_no_answer_is_said_to_be_none(stripe: FakeStripe, mode: str) -> None:
    card, key = saved_card(stripe), str(uuid4())
    stripe.faults.append(Fault(mode, "/v1/payment_intents"))

    with pytest.raises(NoAnswer):
        charge(card, key)

    done = mode in ("after", "lost")
    found = StripeGateway().look_up_payment(key=key, customer=card.customer, since=SINCE)
    assert (found is not None) == done
    if mode != "saved":
        charge(card, key)
        assert len(stripe.charges()) == 2


def test_a_request_is_sent_once(stripe: FakeStripe) -> None:
    stripe.faults.append(Fault("before", "/v1/checkout", times=5))

    with pytest.raises(NoAnswer):
        open_checkout()

    assert stripe.count("/v1/checkout/sessions") == 1


def test_nobody_waits_longer_than_ten_seconds(stripe: FakeStripe, monkeypatch: pytest.MonkeyPatch) -> None:
    from credit.gateways import stripe as gateway  # noqa: PLC0415

    assert sum(gateway.PATIENCE) <= 10
    monkeypatch.setattr(gateway, "PATIENCE", (0.3, 0.3))
    stripe.faults.append(Fault("slow", "/v1/checkout", seconds=1.5))
    began = time.monotonic()

    with pytest.raises(NoAnswer):
        open_checkout()

    assert time.monotonic() - began < 1.4


def test_another_key_of_the_api_is_no_answer_and_a_card_that_is_gone_an_impossible_one(
    stripe: FakeStripe, settings
) -> None:
    card = saved_card(stripe)
    StripeGateway().forget_card(card.method)
    StripeGateway().forget_card(card.method)

    with pytest.raises(Impossible):
        charge(card, str(uuid4()))

    settings.STRIPE_API_KEY = "sk_test_other"
    with pytest.raises(NoAnswer):
        charge(card, str(uuid4()))


def test_a_lost_payment_is_found_among_many(stripe: FakeStripe) -> None:
    card = saved_card(stripe)
    keys = [str(uuid4()) for _ in range(3)]
    payments = [charge(card, key) for key in keys]
    for _ in range(120):
        stripe.add_payment(100, "eur", card.customer, card.method, metadata={"key": str(uuid4())})

    assert StripeGateway().look_up_payment(key=keys[1], customer=card.customer, since=SINCE) == payments[1]
    assert StripeGateway().look_up_payment(key=str(uuid4()), customer=card.customer, since=SINCE) is None


# Messages


def told(stripe: FakeStripe, **changes: object) -> bytes:
    return json.dumps(stripe.events[-1] | changes).encode()


def test_a_signed_message_says_what_it_is_about(stripe: FakeStripe) -> None:
    checkout = open_checkout()
    session = stripe.pay(checkout.id)
    gateway = StripeGateway()

    message = gateway.read_message(told(stripe), sign(told(stripe)))
    assert (message.kind, message.id) == ("checkout.session.completed", stripe.events[-1]["id"])
    assert (message.subject.id, message.subject.state) == (checkout.id, CheckoutState.PAID)
    refund = stripe.refund(session["payment_intent"], 500)
    message = gateway.read_message(told(stripe), sign(told(stripe)))
    assert (message.subject.id, message.subject.amount, message.subject.stands) == (refund["id"], Decimal(5), True)
    stripe.fail_refund(refund["id"])
    assert not gateway.read_message(told(stripe), sign(told(stripe))).subject.stands
    dispute = stripe.dispute(session["payment_intent"])
    assert gateway.read_message(told(stripe), sign(told(stripe))).subject.state is DisputeState.OPEN
    stripe.close_dispute(dispute["id"], "won")
    assert gateway.read_message(told(stripe), sign(told(stripe))).subject.state is DisputeState.WON
    stripe.say("customer.created", {"object": "customer", "id": "cus_1"})
    assert gateway.read_message(told(stripe), sign(told(stripe))).subject is None


def test_a_message_that_is_not_stripes_or_not_for_us_is_refused(stripe: FakeStripe) -> None:
    stripe.pay(open_checkout().id)
    body = told(stripe)
    elsewhere, real = told(stripe, account="acct_other"), told(stripe, livemode=True)

    for content, signature in [
        (body, sign(body, secret="whsec_other")),
        (body, sign(body, at=time.time() - 400)),
        (body + b" ", sign(body)),
        (body, ""),
        (body, "t=,v1="),
        (elsewhere, sign(elsewhere)),
        (real, sign(real)),
        (b"[]", sign(b"[]")),
        (b"\xff", sign(b"\xff")),
        (b"{}", sign(b"{}")),
    ]:
        with pytest.raises(MessageRefused):
            StripeGateway().read_message(content, signature)
