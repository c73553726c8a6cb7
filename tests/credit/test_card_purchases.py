"""Credit bought by card: every way in which the news of a payment can come, and can be wrong."""

import random
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied

from credit.checks import payments_are_what_was_ordered
from credit.errors import BillingMissing, CardsAway, CardsNotOffered, NotPayableByCard, OrderClosed
from credit.models import CardCheckout, CardMessage, Invoice, Order, Payment, SavedCard, Transfer
from credit.services.card_checkouts import ask_for_checkout, ask_to_save_card, order_by_card, remove_card
from credit.services.card_lookups import open_page
from members.access import Actor
from members.errors import KeyReused
from members.models import AuditEntry
from tests.credit.cards import balance, checkout_for, make_company, post, tell, tell_all, work
from tests.factories import MemberFactory
from tests.stripe_fake.server import FakeStripe, Fault

pytestmark = pytest.mark.django_db


def look_now() -> None:
    CardCheckout.objects.exclude(look_at=None).update(look_at="2020-01-01T00:00Z")
    work()


def test_a_paid_checkout_credits_the_wallet_once_with_payment_and_invoice(stripe: FakeStripe) -> None:
    admin = make_company()
    checkout = checkout_for(admin)
    order = checkout.order
    assert (order.net, order.gross) == (Decimal(100), Decimal(120))

    stripe.pay(checkout.session)
    outcomes = tell_all(stripe) + tell_all(stripe)

    assert balance(admin.organization) == 100
    assert outcomes == ["unknown", "done", None, None]
    order.refresh_from_db()
    assert order.state == "paid"
    payment = Payment.objects.get()
    assert (payment.gateway, payment.amount, payment.reference) == ("stripe", 120, stripe.charges()[0]["id"])
    assert Invoice.objects.get().payment == payment
    assert stripe.charges()[0]["amount"] == 12000


@pytest.mark.parametrize(("currency", "country", "units"), [("JPY", "JP", 1000), ("TND", "TN", 1000000)])
def test_amounts_are_asked_for_and_compared_in_the_units_of_the_currency(
    stripe: FakeStripe, currency: str, country: str, units: int
) -> None:
    admin = make_company(currency=currency, country=country)
    checkout = checkout_for(admin, "1000")

    stripe.pay(checkout.session)
    tell_all(stripe)

    assert [payment["amount"] for payment in stripe.charges()] == [units]
    assert balance(admin.organization) == 1000


def test_the_same_news_ten_times_shuffled_and_late_is_one_credit(stripe: FakeStripe) -> None:
    admins = [make_company() for _ in range(3)]
    for admin in admins:
        stripe.pay(checkout_for(admin).session)
    events = stripe.events * 10
    random.Random(3).shuffle(events)

    assert {post(event) for event in events} == {200}

    assert [balance(admin.organization) for admin in admins] == [100, 100, 100]
    assert CardMessage.objects.count() == len(stripe.events)
    assert Transfer.objects.filter(operation="purchase").count() == 3
    # Days later Stripe says it under another name, and an operator sends it again by hand.
    stripe.say("checkout.session.completed", stripe.all("checkout.session")[0])
    assert post(stripe.events[-1]) == 200
    assert balance(admins[0].organization) == 100


def test_a_message_that_comes_before_the_answer_to_our_own_request_counts(stripe: FakeStripe) -> None:
    admin = make_company()
    asked = order_by_card(
        actor=Actor.of_member(admin), organization=admin.organization, amount=Decimal(100), key=uuid4()
    )
    stripe.faults.append(Fault("lost", "/v1/checkout"))
    with pytest.raises(CardsAway):
        open_page(asked)
    stripe.pay(stripe.all("checkout.session")[0]["id"])

    tell_all(stripe)

    assert balance(admin.organization) == 100
    asked.refresh_from_db()
    assert asked.state == "paid"
    assert open_page(asked).state == "paid"


def test_whoever_asks_again_after_a_lost_answer_gets_the_same_page(stripe: FakeStripe) -> None:
    admin = make_company()
    asked = order_by_card(
        actor=Actor.of_member(admin), organization=admin.organization, amount=Decimal(100), key=uuid4()
    )
    stripe.faults.append(Fault("lost", "/v1/checkout"))
    with pytest.raises(CardsAway):
        open_page(asked)

    page = open_page(ask_for_checkout(actor=Actor.of_member(admin), organization=admin.organization, order=asked.order))

    assert page.session == stripe.all("checkout.session")[0]["id"]
    assert len(stripe.all("checkout.session")) == 1


def test_a_payment_of_which_no_message_came_is_found_by_looking(stripe: FakeStripe) -> None:
    admin = make_company()
    checkout = checkout_for(admin)
    stripe.pay(checkout.session)

    work()
    assert balance(admin.organization) == 0  # it is not a minute old yet
    look_now()
    look_now()

    assert balance(admin.organization) == 100
    assert set(tell_all(stripe)) == {"unknown", "nothing"}


def test_looking_is_put_off_longer_each_time_and_ends(stripe: FakeStripe) -> None:
    checkout = checkout_for(make_company())

    look_now()
    work()
    assert stripe.count(f"/v1/checkout/sessions/{checkout.session}", "GET") == 1
    stripe.faults.append(Fault("before", "/v1/checkout"))
    look_now()
    look_now()
    stripe.expire(checkout.session)
    look_now()

    checkout.refresh_from_db()
    assert (checkout.state, checkout.look_at) == ("expired", None)
    assert Order.objects.get().state == "expired"


@pytest.mark.parametrize("changes", [{"amount_total": 11999}, {"currency": "usd"}])
def test_other_money_than_was_ordered_is_not_credited_and_told(stripe: FakeStripe, changes: dict) -> None:
    admin = make_company()
    checkout = checkout_for(admin)
    stripe.things[checkout.session].update(changes)

    stripe.pay(checkout.session)

    assert tell_all(stripe) == ["unknown", "wrong"]
    assert balance(admin.organization) == 0
    checkout.refresh_from_db()
    assert checkout.state == "wrong"
    assert AuditEntry.objects.filter(action="payment.differs").count() == 1
    assert Order.objects.get().state == "waiting"


def test_money_for_an_order_that_was_paid_already_is_told_and_not_credited(stripe: FakeStripe) -> None:
    admin = make_company()
    first = checkout_for(admin)
    stripe.things[first.session]["status"] = "expired"
    look_now()
    Order.objects.update(state="waiting", closed_at=None)
    second = open_page(
        ask_for_checkout(actor=Actor.of_member(admin), organization=admin.organization, order=first.order)
    )
    stripe.pay(second.session)
    stripe.things[first.session]["status"] = "open"
    stripe.pay(first.session)

    assert tell_all(stripe) == ["unknown", "done", "unknown", "wrong"]
    assert balance(admin.organization) == 100


def test_money_that_comes_after_the_order_was_closed_is_credited(stripe: FakeStripe) -> None:
    admin = make_company()
    checkout = checkout_for(admin)
    stripe.pay(checkout.session)
    CardCheckout.objects.update(state="expired", closed_at="2026-01-01T00:00Z")
    Order.objects.update(state="expired", closed_at="2026-01-01T00:00Z")

    tell_all(stripe)

    assert balance(admin.organization) == 100
    assert Order.objects.get().state == "paid"


def test_messages_about_strangers_change_nothing(stripe: FakeStripe) -> None:
    admin = make_company()
    checkout = checkout_for(admin)
    stripe.pay(checkout.session)
    session = dict(stripe.things[checkout.session])

    for reference in (str(uuid4()), "no key", None):
        stripe.say("checkout.session.completed", {**session, "client_reference_id": reference})
        assert tell(stripe.events[-1]) == "unknown"
    assert balance(admin.organization) == 0


def test_a_session_that_only_borrows_our_reference_is_not_ours(stripe: FakeStripe) -> None:
    checkout = checkout_for(make_company())
    stripe.pay(checkout.session)
    stripe.say("checkout.session.completed", {**stripe.things[checkout.session], "id": "cs_test_other"})

    assert tell(stripe.events[-1]) == "unknown"


def test_an_order_by_card_is_placed_once_for_each_key(stripe: FakeStripe) -> None:
    admin, key = make_company(), uuid4()
    given = {"actor": Actor.of_member(admin), "organization": admin.organization, "key": key}

    first = order_by_card(**given, amount=Decimal(100))
    again = order_by_card(**given, amount=Decimal(100))

    assert first == again
    with pytest.raises(KeyReused):
        order_by_card(**given, amount=Decimal(101))


def test_orders_by_card_that_can_not_be_are_refused(stripe: FakeStripe, settings) -> None:
    admin = make_company(currency="TND", country="TN")
    given = {"actor": Actor.of_member(admin), "organization": admin.organization}

    with pytest.raises(NotPayableByCard):
        order_by_card(**given, key=uuid4(), amount=Decimal("1.005"))
    with pytest.raises(PermissionDenied):
        order_by_card(
            actor=Actor.of_member(MemberFactory(organization=admin.organization)),
            organization=admin.organization,
            key=uuid4(),
            amount=Decimal(1),
        )
    stranger = MemberFactory(admin=True)
    with pytest.raises(BillingMissing):
        order_by_card(
            actor=Actor.of_member(stranger), organization=stranger.organization, key=uuid4(), amount=Decimal(1)
        )
    settings.STRIPE_API_KEY = ""
    with pytest.raises(CardsNotOffered):
        order_by_card(**given, key=uuid4(), amount=Decimal(1))


def test_a_paid_order_gets_no_further_page(stripe: FakeStripe) -> None:
    admin = make_company()
    checkout = checkout_for(admin)
    stripe.pay(checkout.session)
    tell_all(stripe)

    with pytest.raises(OrderClosed):
        ask_for_checkout(actor=Actor.of_member(admin), organization=admin.organization, order=checkout.order)


# Saved cards


def test_a_card_is_kept_by_consent_alone(stripe: FakeStripe) -> None:
    admin = make_company()
    stripe.pay(checkout_for(admin).session)
    tell_all(stripe)
    work()
    assert not SavedCard.objects.exists()

    stripe.pay(checkout_for(admin, save_card=True).session)
    tell_all(stripe)
    work()
    work()

    card = SavedCard.objects.get()
    assert (card.brand, card.last4, card.month, card.year, card.saved_by) == ("visa", "4242", 12, 2031, admin)
    assert AuditEntry.objects.filter(action="card.saved").count() == 1


def test_the_next_card_takes_the_place_of_the_first_which_is_forgotten(stripe: FakeStripe) -> None:
    admin = make_company()
    stripe.pay(checkout_for(admin, save_card=True).session)
    tell_all(stripe)
    work()
    first = SavedCard.objects.get()

    page = open_page(ask_to_save_card(actor=Actor.of_member(admin), organization=admin.organization, key=uuid4()))
    stripe.pay(page.session, "5555555555554444")
    tell_all(stripe)
    work()
    work()

    card = SavedCard.objects.get(removed_at=None)
    assert card.last4 == "4444"
    first.refresh_from_db()
    assert first.forgotten_at is not None
    assert stripe.things[first.method]["customer"] is None
    assert len(stripe.charges()) == 1


def test_a_removed_card_is_forgotten_as_soon_as_stripe_answers(stripe: FakeStripe) -> None:
    admin = make_company()
    stripe.pay(checkout_for(admin, save_card=True).session)
    tell_all(stripe)
    work()

    remove_card(actor=Actor.of_member(admin), organization=admin.organization)
    stripe.faults.append(Fault("before", "/v1/payment_methods"))
    work()
    assert SavedCard.objects.filter(forgotten_at=None).exists()
    work()

    assert not SavedCard.objects.filter(forgotten_at=None).exists()


# The door of messages


def test_the_door_for_messages_takes_what_is_signed_and_nothing_else(stripe: FakeStripe) -> None:
    admin = make_company()
    stripe.pay(checkout_for(admin).session)
    event = stripe.events[-1]

    assert post(event, "t=1,v1=00") == 400
    assert post({**event, "account": "acct_1"}) == 400
    assert post({**event, "data": {}}) == 400
    assert post({**event, "filling": "x" * 300_000}) == 413
    assert balance(admin.organization) == 0
    assert post(event) == 200
    assert balance(admin.organization) == 100


def test_without_cards_there_is_no_door_for_messages(stripe: FakeStripe, settings) -> None:
    settings.STRIPE_API_KEY = settings.STRIPE_WEBHOOK_SECRET = ""

    assert post({"id": "evt_1"}) == 404


def test_operators_are_told_of_other_money_until_it_was_refunded(stripe: FakeStripe) -> None:
    checkout = checkout_for(make_company())
    stripe.things[checkout.session]["amount_total"] = 11999
    stripe.pay(checkout.session)
    tell_all(stripe)

    assert [checkout.order.number in finding for finding in payments_are_what_was_ordered()] == [True]

    stripe.refund(stripe.charges()[0]["id"])
    tell_all(stripe)
    assert list(payments_are_what_was_ordered()) == []
