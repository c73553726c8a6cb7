"""Messages of the card processor, forgotten after a while: what they led to stays, and is not done again."""

import datetime as dt

import pytest
from django.db.models import F

from credit.checks import payments_are_what_was_ordered
from credit.models import CardMessage, Invoice, Refund, Transfer
from credit.services import card_messages
from credit.services.card_messages import purge_card_messages
from members import jobs
from members.periods import Every
from tests.closings import close
from tests.credit.cards import balance, checkout_for, make_company, tell_all
from tests.stripe_fake.server import FakeStripe

pytestmark = pytest.mark.django_db


def let_pass(days: float) -> None:
    CardMessage.objects.update(received_at=F("received_at") - dt.timedelta(days=days))


def test_messages_go_after_ninety_days_and_not_before(stripe: FakeStripe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card_messages, "AT_ONCE", 1)
    stripe.pay(checkout_for(make_company()).session)
    tell_all(stripe)
    assert CardMessage.objects.count() == 2

    let_pass(89.9)
    assert purge_card_messages() == 0
    let_pass(0.2)
    assert (purge_card_messages(), CardMessage.objects.count()) == (2, 0)


@pytest.mark.parametrize("end", ["paid", "refunded", "refund failed", "disputed", "won", "lost"])
def test_what_was_forgotten_and_is_told_again_is_not_done_again(stripe: FakeStripe, end: str) -> None:
    company = make_company()
    payment = stripe.pay(checkout_for(company).session)["payment_intent"]
    match end:
        case "refunded":
            stripe.refund(payment)
        case "refund failed":
            stripe.fail_refund(stripe.refund(payment)["id"])
        case "disputed":
            stripe.dispute(payment)
        case "won" | "lost":
            stripe.close_dispute(stripe.dispute(payment)["id"], end)

    def state() -> list[object]:
        rows = (Transfer, Invoice, Refund)
        return [balance(company.organization), *(model._default_manager.count() for model in rows)]

    tell_all(stripe)
    before = state()
    let_pass(91)
    assert purge_card_messages() == len(stripe.events)

    tell_all(stripe)

    assert state() == before


def test_that_other_money_has_gone_back_is_not_forgotten(stripe: FakeStripe) -> None:
    checkout = checkout_for(make_company())
    stripe.things[checkout.session]["amount_total"] = 11999
    stripe.pay(checkout.session)
    stripe.refund(stripe.charges()[0]["id"])
    tell_all(stripe)

    let_pass(91)
    assert purge_card_messages() == 2
    assert list(payments_are_what_was_ordered()) == []


def test_they_are_forgotten_day_by_day() -> None:
    [job] = [job for job in jobs.all_jobs() if job.name == "purge_card_messages"]

    assert (job.every, job.per_organization) == (Every.DAY, False)


def test_what_contradicts_an_order_is_kept_for_whoever_settles_it(stripe: FakeStripe) -> None:
    company = make_company()
    payment = stripe.pay(checkout_for(company).session)["payment_intent"]
    tell_all(stripe)
    close(company.organization)
    refund = stripe.refund(payment)
    tell_all(stripe)

    let_pass(91)
    purge_card_messages()

    [kept] = CardMessage.objects.all()
    assert (kept.outcome, kept.subject) == ("wrong", refund["id"])
    CardMessage.objects.create(name="evt_again", kind="refund.updated", outcome="wrong", subject=kept.subject)
    [told] = payments_are_what_was_ordered()
    assert told.startswith(f"{kept.subject} takes other money")
    # A later one about the same says that nothing is left to do.
    CardMessage.objects.create(name="evt_later", kind="refund.failed", outcome="nothing", subject=kept.subject)
    assert list(payments_are_what_was_ordered()) == []
    assert purge_card_messages() == 1
    assert not CardMessage.objects.filter(pk=kept.pk).exists()


def test_a_message_about_neither_a_refund_nor_a_dispute_is_forgotten_although_it_was_wrong() -> None:
    CardMessage.objects.create(name="evt_wrong", kind="payment_intent.succeeded", outcome="wrong")
    let_pass(91)

    assert purge_card_messages() == 1
