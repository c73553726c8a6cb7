"""Cards and their processor, on a whole installation: whatever dies or is lost, a card is charged once (F4–F6), and
what the processor says counts once (F35, F36)."""

import itertools
import json
import random
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import F

from credit.models import Order, WalletCharge
from members.access import Actor
from members.audit import Action, record
from members.models import Member
from skypemgr.embedded.processes import wait_until
from skypemgr.invariants import find_violations
from tests.credit.cards import balance, checkout_for, make_company, recharging
from tests.faults.checks import payments_disagree
from tests.faults.stack import Stack
from tests.stripe_fake.account import API_KEY, SECRET, Thing, sign
from tests.stripe_fake.server import FakeStripe, Fault

pytestmark = pytest.mark.usefixtures("agreement")
PAYMENTS = "/v1/payment_intents"
_words = itertools.count(int(time.time()))


@pytest.fixture
def stripe(stack: Stack) -> Iterator[FakeStripe]:
    """The account of the installation, silent: what it would tell is told by the test."""
    tell, stack.stripe.tell = stack.stripe.tell, ""
    yield stack.stripe
    stack.stripe.tell, stack.stripe.ahead = tell, 0
    stack.stripe.faults.clear()


@pytest.fixture
def agreement(stack: Stack) -> Iterator[None]:
    """What is true when everything is over."""
    yield
    with stack.connected():
        assert list(payments_disagree(stack)) == []
        assert [found.message for found in find_violations()] == []


def company(stack: Stack, make: Callable[..., Member]) -> Member:
    word = f"payments-{next(_words)}"
    with stack.connected():
        admin = make(slug=word, name=word)
        record(organization=admin.organization, actor=Actor.system(), action=Action.MEMBER_ADDED, subject=admin)
        return admin


def held(stack: Stack, admin: Member) -> Decimal:
    with stack.connected():
        return balance(admin.organization)


def charges(stack: Stack, admin: Member) -> list[tuple[str, str]]:
    """What became of each charge, and of its order."""
    with stack.connected():
        made = WalletCharge.objects.filter(organization=admin.organization).order_by("pk")
        return list(made.values_list("state", "order__state"))


def is_held(stack: Stack, admin: Member, amount: int) -> Callable[[], bool]:
    """Whether the wallet holds so much, where whatever died is started again and whatever waits is due."""

    def look() -> bool:
        stack.tend()
        with stack.connected():
            waiting = WalletCharge.objects.filter(organization=admin.organization, state="requested")
            waiting.filter(tries__gt=0).update(try_at=F("requested_at"))
        return held(stack, admin) == amount

    return look


def asked_of(stripe: FakeStripe, admin: Member) -> list[Thing]:
    """What the cards of a company were charged."""
    customer = admin.organization.saved_cards.get().customer
    return [payment for payment in stripe.charges() if payment["customer"] == customer]


@pytest.mark.parametrize("point", ["credit.after_stripe", pytest.param("credit.after_settle", marks=pytest.mark.slow)])
def test_a_worker_that_dies_after_a_charge_charges_once(stack: Stack, stripe: FakeStripe, point: str) -> None:
    """F4."""
    armed = stack.arm(point)
    admin = company(stack, lambda **facts: recharging(stripe, **facts))
    assert wait_until(lambda: not armed.exists(), seconds=90, step=0.2), stack.logs()
    if point == "credit.after_stripe":
        assert (held(stack, admin), charges(stack, admin)) == (0, [("requested", "waiting")])

    assert wait_until(is_held(stack, admin, 50), seconds=120, step=0.5), stack.logs()

    with stack.connected():
        assert len(asked_of(stripe, admin)) == 1
    assert charges(stack, admin) == [("succeeded", "paid")]


@pytest.mark.slow
def test_a_charge_whose_answer_is_lost_is_looked_up_and_credited_once(stack: Stack, stripe: FakeStripe) -> None:
    """F5."""
    stripe.faults.append(Fault("lost", PAYMENTS))
    asked = stripe.count(PAYMENTS)
    admin = company(stack, lambda **facts: recharging(stripe, **facts))

    assert wait_until(is_held(stack, admin, 50), seconds=120, step=0.5), stack.logs()

    assert stripe.count(PAYMENTS) == asked + 1
    assert charges(stack, admin) == [("succeeded", "paid")]


@pytest.mark.slow
def test_after_a_day_of_failures_nothing_is_sent_again_by_its_old_key(stack: Stack, stripe: FakeStripe) -> None:
    """F6."""
    stripe.faults.append(Fault("before", PAYMENTS, times=10**6))
    admin = company(stack, lambda **facts: recharging(stripe, **facts))

    def tries() -> int:
        stack.tend()
        with stack.connected():
            charge = WalletCharge.objects.filter(organization=admin.organization).first()
            return charge.tries if charge else 0

    assert wait_until(lambda: tries() >= 1, seconds=90, step=0.2), stack.logs()
    stripe.ahead = 25 * 3600
    with stack.connected():
        charge = WalletCharge.objects.filter(organization=admin.organization)
        charge.update(requested_at=F("requested_at") - timedelta(hours=25), try_at=F("requested_at"))
    sent, before = stripe.count(PAYMENTS), tries()
    assert wait_until(lambda: tries() > before, seconds=90, step=0.2), stack.logs()
    assert stripe.count(PAYMENTS) == sent
    assert charges(stack, admin) == [("requested", "waiting")]
    stripe.faults.clear()

    assert wait_until(is_held(stack, admin, 50), seconds=120, step=0.5), stack.logs()

    assert charges(stack, admin) == [("given_up", "failed"), ("succeeded", "paid")]
    with stack.connected():
        assert len(asked_of(stripe, admin)) == 1


def tell(stack: Stack, event: Thing, **how: object) -> int:
    """Have web hear of an event; the status of its answer."""
    body = json.dumps(event).encode()
    headers = {"Content-Type": "application/json", "Stripe-Signature": sign(body, **how)}  # type: ignore[arg-type]
    try:
        request = urllib.request.Request(f"{stack.url}/payments/stripe/", body, headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.fixture
def buying(stack: Stack, stripe: FakeStripe, settings) -> Callable[[], tuple[Member, str]]:
    """A company that has paid an order of 100 on the page of the processor, of which nobody has heard yet."""
    settings.STRIPE_API_KEY, settings.STRIPE_WEBHOOK_SECRET, settings.STRIPE_API_BASE = API_KEY, SECRET, stripe.url

    def buy() -> tuple[Member, str]:
        admin = company(stack, make_company)
        with stack.connected():
            session = checkout_for(admin).session
        stripe.events.clear()
        return admin, stripe.pay(session)["payment_intent"]

    return buy


def test_messages_count_once_however_they_come_and_only_if_they_are_signed(
    stack: Stack, stripe: FakeStripe, buying: Callable[[], tuple[Member, str]]
) -> None:
    """F35."""
    admin, _payment = buying()
    events = list(stripe.events)

    for event in events:
        assert tell(stack, event, secret="whsec_other") == 400
        assert tell(stack, event, at=time.time() - 301) == 400
        assert tell(stack, {**event, "account": "acct_other"}) == 400
    assert held(stack, admin) == 0
    # Three days late is as good as at once: what is signed is when it was sent, not when it happened.
    late = [{**event, "created": event["created"] - 3 * 24 * 3600} for event in events]
    shuffled = late * 10
    random.Random(35).shuffle(shuffled)
    began = time.monotonic()
    assert {tell(stack, event) for event in shuffled} == {200}
    assert time.monotonic() - began < len(shuffled) * 2

    assert held(stack, admin) == 100


def test_what_goes_back_to_a_card_takes_its_credit_and_what_is_won_gives_it_back(
    stack: Stack, stripe: FakeStripe, buying: Callable[[], tuple[Member, str]]
) -> None:
    """F36."""
    admin, payment = buying()
    dispute = stripe.dispute(payment)
    for event in reversed(stripe.events):
        assert tell(stack, event) == 200
    assert held(stack, admin) == 0

    stripe.close_dispute(dispute["id"], "won")
    assert tell(stack, stripe.events[-1]) == 200
    assert held(stack, admin) == 100
    stripe.refund(payment, 6000)
    assert [tell(stack, stripe.events[-1]) for _time in range(3)] == [200, 200, 200]

    assert held(stack, admin) == 50
    stripe.refund(payment, 6000)
    assert tell(stack, stripe.events[-1]) == 200
    with stack.connected():
        assert Order.objects.get(organization=admin.organization).state == "refunded"
        assert Order.objects.get(organization=admin.organization).invoices.count() == 3
