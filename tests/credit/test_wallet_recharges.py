"""The wallet recharges itself from a saved card: once, whatever becomes of the answers, and never beyond the limit."""

import datetime as dt
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection

from credit.errors import LimitBelowAmount, NoSavedCard, NotPayableByCard, ThresholdAboveAmount
from credit.funding import take_back
from credit.invariants import money_that_came_in_is_billed_and_in_the_ledger, wallets_are_recharged_within_their_limits
from credit.models import CardDispute, Invoice, Order, SavedCard, WalletCharge, WalletRecharge
from credit.selectors.cards import failed_charges, first_day, recharge_state, recharged_in
from credit.services.card_checkouts import remove_card
from credit.services.wallet_recharge_work import claim_charge, conclude_charge, recharge_wallets, request_charge
from credit.services.wallet_recharges import save_wallet_recharge, stop_wallet_recharge
from members.access import Actor
from members.models import AuditEntry
from members.months import present_month
from skypemgr.invariants import find_violations
from tests.credit.cards import (
    balance,
    card_of,
    let_wait,
    make_company,
    recharging,
    set_recharge,
    spend,
    states,
    tell,
    tell_all,
    top_ups,
    work,
)
from tests.factories import MemberFactory
from tests.stripe_fake.account import ASKS_HOLDER, DECLINED_LATER, NO_FUNDS
from tests.stripe_fake.server import FakeStripe, Fault

pytestmark = pytest.mark.django_db
PAYMENTS = "/v1/payment_intents"


def age(hours: float) -> None:
    """As if every charge had been asked for so long ago, and the processor's keys were as old."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE credit_walletcharge SET requested_at = requested_at - %s", [dt.timedelta(hours=hours)])
    let_wait()


def agrees(stripe: FakeStripe) -> bool:
    """Whether what the cards were charged is what the wallets got."""
    return sum(payment["amount"] for payment in stripe.charges()) == top_ups() * 100


def test_a_wallet_below_its_threshold_is_recharged_with_payment_and_invoice(stripe: FakeStripe) -> None:
    company = recharging(stripe).organization

    work()
    work()

    assert balance(company) == 50
    assert states() == [("succeeded", "paid")]
    assert [payment["amount"] for payment in stripe.charges()] == [6000]
    assert Invoice.objects.get().gross == 60
    assert set(tell_all(stripe)) == {"nothing"}


def test_a_wallet_at_its_threshold_is_left_alone(stripe: FakeStripe) -> None:
    admin = recharging(stripe)
    work()
    set_recharge(admin, below="50")

    work()

    assert len(stripe.charges()) == 1


def test_a_wallet_is_recharged_until_the_limit_is_reached(stripe: FakeStripe) -> None:
    company = recharging(stripe, amount="20", below="20", monthly_limit="75").organization

    for _time in range(6):
        work()
        if balance(company) >= 15:
            spend(company, "15")

    assert len(stripe.charges()) == 3
    state = recharge_state(company)
    assert (state.recharged, state.limit_reached) == (60, True)
    assert state.plan.look_at == state.next_month
    assert recharge_wallets(everywhere=True) == 0


def test_the_limit_counts_the_month_in_which_a_charge_was_planned(stripe: FakeStripe) -> None:
    company = recharging(stripe, amount="50", below="50", monthly_limit="50").organization
    work()
    spend(company, "10")
    work()
    assert states() == [("succeeded", "paid")]

    before = (first_day(present_month(company)) - dt.timedelta(days=1)).replace(day=1)
    WalletCharge.objects.update(month=before)
    WalletRecharge.objects.update(look_at="2020-01-01T00:00Z")
    work()

    assert balance(company) == 90


@pytest.mark.parametrize("zone", ["America/Havana", "UTC", "Pacific/Auckland"])
def test_a_charge_under_way_when_the_month_turns_counts_in_its_own(stripe: FakeStripe, zone: str) -> None:
    company = recharging(stripe, below="50", monthly_limit="50", time_zone=zone).organization
    stripe.faults.append(Fault("lost", PAYMENTS))
    work()
    month = present_month(company)
    assert WalletCharge.objects.get().month == first_day(month)
    # The month has turned: what was planned before is settled now.
    before = (first_day(month) - dt.timedelta(days=1)).replace(day=1)
    WalletCharge.objects.update(month=before)
    let_wait()
    work()
    assert (states(), recharged_in(company, month)) == ([("succeeded", "paid")], 0)

    spend(company, "10")
    work()
    spend(company, "60")
    WalletRecharge.objects.update(look_at="2020-01-01T00:00Z")
    work()

    months = WalletCharge.objects.values_list("month", "amount").order_by("pk")
    assert list(months) == [(before, 50), (first_day(month), 50)]
    assert [found.message for found in find_violations() if found.invariant.startswith("credit.")] == []


@pytest.mark.parametrize("mode", ["lost", "after", "saved", "before", "silent", "busy"])
def test_whatever_becomes_of_the_answer_a_card_is_charged_once(stripe: FakeStripe, mode: str) -> None:
    company = recharging(stripe).organization
    stripe.faults.append(Fault(mode, PAYMENTS))

    work()
    charge = WalletCharge.objects.get()
    assert (charge.state, charge.unknown_at is not None, balance(company)) == ("requested", True, 0)
    assert failed_charges(company, charge.requested_at) == [charge]
    work()
    assert stripe.count(PAYMENTS) == 1  # not before its time
    for _time in range(3):
        let_wait()
        work()

    if mode == "saved":
        # The same answer is kept for the key: nobody knows, until the key means nothing any more.
        assert states() == [("requested", "waiting")]
        stripe.ahead = 21 * 3600
        age(21)
        work()
        work()
        assert states() == [("given_up", "failed"), ("succeeded", "paid")]
    else:
        assert states() == [("succeeded", "paid")]
    assert len(stripe.charges()) == 1
    assert balance(company) == 50


def test_an_answer_that_was_lost_is_looked_up_before_anything_is_sent_again(stripe: FakeStripe) -> None:
    recharging(stripe)
    stripe.faults.append(Fault("lost", PAYMENTS))
    work()

    let_wait()
    work()

    assert stripe.count(PAYMENTS) == 1
    assert stripe.count(PAYMENTS, "GET") == 1


@pytest.mark.parametrize("done", [True, False])
def test_after_twenty_hours_nothing_is_sent_again(stripe: FakeStripe, done: bool) -> None:
    company = recharging(stripe).organization
    stripe.faults.append(Fault("lost" if done else "silent", PAYMENTS))
    work()
    stripe.faults.append(Fault("before", PAYMENTS, times=20))
    stripe.ahead = 25 * 3600
    age(25)

    for _time in range(3):
        let_wait()
        work()
    assert stripe.count(PAYMENTS) == 1
    stripe.faults.clear()
    let_wait()
    work()

    assert stripe.count(PAYMENTS) == 1
    assert states() == ([("succeeded", "paid")] if done else [("given_up", "failed")])
    work()
    assert balance(company) == 50
    assert len(stripe.charges()) == 1


def test_a_charge_that_nobody_carried_out_in_time_is_not_sent_late(stripe: FakeStripe) -> None:
    company = recharging(stripe).organization
    request_charge(organization=company)
    age(21)

    work()

    assert (states(), stripe.charges()) == ([("given_up", "failed")], [])
    assert WalletRecharge.objects.get().state == "active"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (DECLINED_LATER, "generic_decline"),
        (NO_FUNDS, "insufficient_funds"),
        (ASKS_HOLDER, "authentication_required"),
    ],
)
def test_a_card_that_is_declined_is_not_tried_again(stripe: FakeStripe, number: str, code: str) -> None:
    admin = recharging(stripe)
    stripe.numbers[SavedCard.objects.get().method] = number

    for _time in range(3):
        work()
    tell_all(stripe)

    assert states() == [("declined", "failed")]
    plan = WalletRecharge.objects.get()
    assert (plan.state, plan.reason) == ("paused", code)
    assert stripe.count(PAYMENTS) == 1
    assert AuditEntry.objects.filter(action="wallet_recharge.paused").count() == 1
    assert recharge_state(admin.organization).asks_holder == (code == "authentication_required")

    stripe.numbers[SavedCard.objects.get().method] = "4242"
    set_recharge(admin)
    work()
    assert balance(admin.organization) == 50


def test_a_message_may_settle_a_charge_before_our_answer_does(stripe: FakeStripe) -> None:
    company = recharging(stripe).organization
    stripe.faults.append(Fault("lost", PAYMENTS))
    work()

    assert tell_all(stripe) == ["done"]

    assert balance(company) == 50
    let_wait()
    work()
    assert states() == [("succeeded", "paid")]
    assert agrees(stripe)


def test_money_that_was_taken_after_all_is_credited(stripe: FakeStripe) -> None:
    company = recharging(stripe).organization
    stripe.faults.append(Fault("lost", PAYMENTS))
    work()
    payment = stripe.charges()[0]
    # Stripe does not find it yet, though it is there.
    stripe.things.pop(payment["id"])
    age(21)
    work()
    assert states() == [("given_up", "failed")]
    WalletRecharge.objects.update(state="off")

    assert tell(stripe.events[0]) == "done"

    assert balance(company) == 50
    assert states() == [("succeeded", "paid")]


def test_other_money_than_was_asked_for_is_not_credited_and_stops_it(stripe: FakeStripe) -> None:
    company = recharging(stripe).organization
    stripe.faults.append(Fault("lost", PAYMENTS))
    work()
    stripe.charges()[0]["amount"] = 5999
    let_wait()

    work()
    work()

    assert (states(), balance(company)) == ([("wrong", "waiting")], 0)
    assert WalletRecharge.objects.get().reason == "other_amount"
    assert AuditEntry.objects.filter(action="payment.differs").exists()


def test_nothing_is_recharged_while_something_is_owed_or_disputed(stripe: FakeStripe) -> None:
    admin = recharging(stripe)
    company = admin.organization
    take_back(organization=company, actor=Actor.system(), amount=Decimal(5), key=uuid4())
    work()
    assert not stripe.charges()
    WalletRecharge.objects.all().delete()
    set_recharge(admin)

    other = recharging(stripe)
    order = Order.objects.create(
        organization=other.organization,
        number="O-1",
        method="card",
        net=1,
        vat=0,
        gross=1,
        vat_rate=0,
        treatment="outside",
        key=uuid4(),
        buyer={},
    )
    dispute = CardDispute.objects.create(
        organization=other.organization, order=order, reference="du_1", state="open", net=1, gross=1, key=uuid4()
    )
    work()
    assert not stripe.charges()
    CardDispute.objects.filter(pk=dispute.pk).update(state="lost", closed_at="2026-01-01T00:00Z")
    WalletRecharge.objects.update(look_at="2020-01-01T00:00Z")
    work()
    assert balance(other.organization) == 50
    assert balance(company) == 0


def test_auto_recharge_that_can_not_be_is_refused(stripe: FakeStripe) -> None:
    admin = make_company(currency="TND", country="TN")
    with pytest.raises(NoSavedCard):
        set_recharge(admin)
    card_of(admin, stripe)
    with pytest.raises(ThresholdAboveAmount):
        set_recharge(admin, amount="50", below="51")
    with pytest.raises(LimitBelowAmount):
        set_recharge(admin, amount="50", monthly_limit="49")
    with pytest.raises(NotPayableByCard):
        set_recharge(admin, amount="50.005")
    with pytest.raises(PermissionDenied):
        save_wallet_recharge(
            actor=Actor.of_member(MemberFactory(organization=admin.organization)),
            organization=admin.organization,
            amount=Decimal(1),
            below=Decimal(1),
            monthly_limit=Decimal(1),
        )


def test_switched_off_or_without_its_card_it_charges_no_more(stripe: FakeStripe) -> None:
    first, second = recharging(stripe), recharging(stripe)

    stop_wallet_recharge(actor=Actor.of_member(first), organization=first.organization)
    assert not stop_wallet_recharge(actor=Actor.of_member(first), organization=first.organization)
    remove_card(actor=Actor.of_member(second), organization=second.organization)
    with pytest.raises(NoSavedCard):
        remove_card(actor=Actor.of_member(second), organization=second.organization)
    work()

    assert not stripe.charges()
    assert AuditEntry.objects.filter(action="wallet_recharge.stopped").count() == 2


def test_a_card_is_not_forgotten_while_it_is_being_charged(stripe: FakeStripe) -> None:
    admin = recharging(stripe)
    stripe.faults.append(Fault("silent", PAYMENTS))
    work()
    remove_card(actor=Actor.of_member(admin), organization=admin.organization)

    work()
    assert SavedCard.objects.get().forgotten_at is None
    let_wait()
    work()

    assert states() == [("succeeded", "paid")]
    assert SavedCard.objects.get().forgotten_at is not None


def test_settling_twice_settles_once(stripe: FakeStripe) -> None:
    company = recharging(stripe).organization
    request_charge(organization=company)
    claimed = claim_charge()
    assert claim_charge() is None
    from credit.services import wallet_recharge_work  # noqa: PLC0415

    payment = wallet_recharge_work._charge(claimed.charge)
    conclude_charge(charge=claimed.charge, payment=payment)
    conclude_charge(charge=claimed.charge, payment=payment)

    assert balance(company) == 50
    assert request_charge(organization=company) is None


def test_the_invariants_see_a_limit_that_was_passed_and_a_purchase_without_its_credit(stripe: FakeStripe) -> None:
    company = recharging(stripe).organization
    work()
    assert (
        list(wallets_are_recharged_within_their_limits())
        == list(money_that_came_in_is_billed_and_in_the_ledger())
        == []
    )

    charge = WalletCharge.objects.get()
    WalletCharge.objects.update(state="declined")
    assert len(list(wallets_are_recharged_within_their_limits())) == 1
    WalletCharge.objects.update(state="succeeded", amount=40, monthly_limit=45)
    WalletCharge.objects.create(
        organization=company,
        order=Order.objects.create(
            organization=company,
            number="O-1",
            method="card",
            net=40,
            vat=0,
            gross=40,
            vat_rate=0,
            treatment="outside",
            key=uuid4(),
            buyer={},
            state="paid",
            closed_at="2026-01-01T00:00Z",
        ),
        card=charge.card,
        key=uuid4(),
        amount=40,
        monthly_limit=45,
        month=charge.month,
        state="succeeded",
        try_at=None,
        closed_at="2026-01-01T00:00Z",
    )
    assert len(list(wallets_are_recharged_within_their_limits())) == 2
    assert len(list(money_that_came_in_is_billed_and_in_the_ledger())) == 1
