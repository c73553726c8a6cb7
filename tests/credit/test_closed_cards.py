"""Money that comes or goes by card when its organization is closed: nothing is credited, and operators are told."""

from decimal import Decimal

import pytest

from credit.checks import payments_are_what_was_ordered
from credit.models import CardMessage, Transfer
from tests.closings import close
from tests.credit.cards import balance, checkout_for, make_company, post, tell_all
from tests.stripe_fake.server import FakeStripe

pytestmark = pytest.mark.django_db


def test_a_payment_that_comes_too_late_is_not_credited_and_operators_are_told(stripe: FakeStripe) -> None:
    admin = make_company()
    checkout = checkout_for(admin)
    close(admin.organization)
    stripe.pay(checkout.session)

    assert [post(event) for event in stripe.events] == [200, 200]

    checkout.refresh_from_db()
    assert (checkout.state, balance(admin.organization)) == ("wrong", 0)
    [told] = payments_are_what_was_ordered()
    assert told == f"{checkout.payment} came for {checkout.order}, whose organization is closed: refund it at Stripe."
    stripe.refund(checkout.payment)
    tell_all(stripe)
    assert not any("came for" in text for text in payments_are_what_was_ordered())


@pytest.mark.parametrize("end", ["refunded", "refund failed", "disputed", "lost"])
def test_what_goes_back_later_takes_no_credit_and_operators_are_told(stripe: FakeStripe, end: str) -> None:
    admin = make_company()
    payment = stripe.pay(checkout_for(admin).session)["payment_intent"]
    tell_all(stripe)
    close(admin.organization)
    before, known = Transfer.objects.count(), len(stripe.events)
    match end:
        case "refunded":
            stripe.refund(payment)
        case "refund failed":
            stripe.fail_refund(stripe.refund(payment)["id"])
        case "disputed":
            stripe.dispute(payment)
        case "lost":
            stripe.close_dispute(stripe.dispute(payment)["id"], "lost")

    assert {post(event) for event in stripe.events[known:]} == {200}

    assert (balance(admin.organization), Transfer.objects.count()) == (Decimal(100), before)
    assert set(CardMessage.objects.exclude(subject="").values_list("outcome", flat=True)) == {"wrong"}
    assert all("its organization is closed" in text for text in payments_are_what_was_ordered())
    assert list(payments_are_what_was_ordered())
