"""Those who meet at one payment: workers, messages and people. Whoever comes first acts, the others find it done."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from uuid import uuid4

import pytest
from django.db import IntegrityError

from credit.errors import NoSavedCard
from credit.gateways.stripe import StripeGateway
from credit.models import CardMessage, Order, Refund, SavedCard, Transfer, WalletCharge, WalletRecharge
from credit.services.card_checkouts import (
    ask_for_checkout,
    ask_to_save_card,
    order_by_card,
    remove_card,
)
from credit.services.card_lookups import (
    claim_checkouts,
    drop_unasked,
    look_up_checkouts,
    note_forgotten,
    note_page,
    open_page,
    settle_found,
)
from credit.services.wallet_recharge_work import (
    claim_charge,
    conclude_charge,
    recharge_wallets,
    request_charge,
)
from credit.services.wallet_recharges import save_wallet_recharge, stop_wallet_recharge
from members.access import Actor
from tests.credit.cards import balance, card_of, checkout_for, make_company, recharging, set_recharge, tell
from tests.races.conftest import Meanwhile, Unguarded
from tests.stripe_fake.server import FakeStripe

type Race = Callable[..., list[object]]

pytestmark = pytest.mark.django_db(transaction=True)


def refused(outcomes: list[object]) -> list[object]:
    return [outcome for outcome in outcomes if isinstance(outcome, Exception)]


def test_twenty_who_recharge_at_once_charge_once(race: Race, stripe: FakeStripe) -> None:
    """F7."""
    company = recharging(stripe, amount="50", below="10", monthly_limit="80").organization

    outcomes = race(*[recharge_wallets] * 20)

    assert refused(outcomes) == []
    assert (len(stripe.charges()), balance(company)) == (1, 50)


def test_of_those_who_ask_for_a_charge_at_once_one_gets_it(race: Race, stripe: FakeStripe) -> None:
    company = recharging(stripe).organization

    outcomes = race(*[partial(request_charge, organization=company)] * 8)

    assert [outcome is not None for outcome in outcomes].count(True) == 1
    assert WalletCharge.objects.count() == Order.objects.count() == 1


def test_control_without_the_lock_of_the_plan_the_second_fails_in_the_database(
    race: Race, unguarded: Unguarded, stripe: FakeStripe
) -> None:
    company = recharging(stripe).organization
    ask = partial(request_charge, organization=company)

    outcomes = race(*unguarded(ask, ask))

    assert [type(outcome) for outcome in refused(outcomes)] == [IntegrityError]


def test_two_workers_claim_a_charge_once(race: Race, stripe: FakeStripe) -> None:
    request_charge(organization=recharging(stripe).organization)

    claimed = race(claim_charge, claim_charge)

    assert [one is not None for one in claimed].count(True) == 1


def test_control_without_the_lock_two_workers_have_the_same_charge(
    race: Race, unguarded: Unguarded, stripe: FakeStripe
) -> None:
    request_charge(organization=recharging(stripe).organization)

    claimed = race(*unguarded(claim_charge, claim_charge))

    assert None not in claimed


def test_an_answer_and_a_message_that_settle_at_once_credit_once(race: Race, stripe: FakeStripe) -> None:
    company = recharging(stripe).organization
    charge = request_charge(organization=company)
    payment = StripeGateway().charge(
        key=str(charge.key),
        card=charge.card.method,
        customer=charge.card.customer,
        amount=charge.order.gross,
        currency="EUR",
        title="Order",
    )

    outcomes = race(
        partial(conclude_charge, charge=charge, payment=payment),
        partial(conclude_charge, charge=charge, payment=payment),
        partial(tell, stripe.events[0]),
    )

    assert refused(outcomes) == []
    assert balance(company) == 50


def test_control_without_the_lock_of_the_charge_the_second_fails_in_the_database(
    race: Race, unguarded: Unguarded, stripe: FakeStripe
) -> None:
    company = recharging(stripe).organization
    charge = request_charge(organization=company)
    payment = StripeGateway().charge(
        key=str(charge.key),
        card=charge.card.method,
        customer=charge.card.customer,
        amount=charge.order.gross,
        currency="EUR",
        title="Order",
    )
    conclude = partial(conclude_charge, charge=charge, payment=payment)

    outcomes = race(
        *unguarded(conclude, conclude, without=r" FOR NO KEY UPDATE OF \"credit_\w+\"|pg_advisory_xact_lock(?!_shared)")
    )

    assert len(refused(outcomes)) == 1
    assert balance(company) == 50


def test_a_message_that_is_brought_ten_times_at_once_counts_once(race: Race, stripe: FakeStripe) -> None:
    admin = make_company()
    stripe.pay(checkout_for(admin).session)

    outcomes = race(*[partial(tell, stripe.events[-1])] * 10)

    assert sorted(map(str, outcomes)) == ["None"] * 9 + ["done"]
    assert balance(admin.organization) == 100
    assert CardMessage.objects.count() == 1


def test_a_message_and_a_look_at_once_credit_once(race: Race, stripe: FakeStripe) -> None:
    admin = make_company()
    checkout = checkout_for(admin)
    stripe.pay(checkout.session)
    found = StripeGateway().find_checkout(checkout.session)

    outcomes = race(
        partial(tell, stripe.events[-1]),
        partial(settle_found, checkout=checkout, found=found),
        partial(note_page, checkout=checkout, found=found),
    )

    assert refused(outcomes) == []
    assert balance(admin.organization) == 100
    assert Transfer.objects.filter(operation="purchase").count() == 1


@pytest.mark.parametrize("refund_first", [True, False])
def test_a_refund_that_is_heard_of_while_its_payment_is_settled_is_not_lost(
    meanwhile: Meanwhile, stripe: FakeStripe, refund_first: bool
) -> None:
    admin = make_company()
    session = stripe.pay(checkout_for(admin).session)
    stripe.refund(session["payment_intent"])
    settle, refund = partial(tell, stripe.events[1]), partial(tell, stripe.events[2])
    first, second = (refund, settle) if refund_first else (settle, refund)

    held = meanwhile(first, second, at="pg_advisory_xact_lock")

    assert held.waited
    assert refused([held.first, held.second]) == []
    assert balance(admin.organization) == 0
    assert Refund.objects.count() == 1


def test_control_without_the_turn_at_a_payment_its_refund_is_lost(meanwhile: Meanwhile, stripe: FakeStripe) -> None:
    admin = make_company()
    session = stripe.pay(checkout_for(admin).session)
    stripe.refund(session["payment_intent"])
    settle, refund = partial(tell, stripe.events[1]), partial(tell, stripe.events[2])
    early = r'^SELECT .*"credit_cardmessage"."payment" = '

    held = meanwhile(settle, refund, at=early, unlocked=True, without=r"pg_advisory_xact_lock(?!_shared)")

    assert not held.waited
    assert (held.first, held.second) == ("done", "unknown")
    assert (balance(admin.organization), Refund.objects.count()) == (100, 0)


def test_control_without_the_locks_the_second_look_fails_in_the_database(
    race: Race, unguarded: Unguarded, stripe: FakeStripe
) -> None:
    admin = make_company()
    checkout = checkout_for(admin)
    stripe.pay(checkout.session)
    look = partial(settle_found, checkout=checkout, found=StripeGateway().find_checkout(checkout.session))

    outcomes = race(
        *unguarded(look, look, without=r" FOR NO KEY UPDATE OF \"credit_\w+\"|pg_advisory_xact_lock(?!_shared)")
    )

    assert len(refused(outcomes)) == 1
    assert balance(admin.organization) == 100


def test_control_without_the_lock_two_look_at_one_checkout(
    race: Race, unguarded: Unguarded, stripe: FakeStripe
) -> None:
    checkout = checkout_for(make_company())
    type(checkout).objects.update(look_at="2020-01-01T00:00Z")

    claimed = race(*unguarded(claim_checkouts, claim_checkouts))

    assert claimed == [[checkout], [checkout]]


def test_control_without_the_lock_auto_recharge_is_on_without_a_card(meanwhile: Meanwhile, stripe: FakeStripe) -> None:
    admin = recharging(stripe)
    remove = partial(remove_card, actor=Actor.of_member(admin), organization=admin.organization)

    held = meanwhile(partial(set_recharge, admin), remove, at='^SELECT .*"credit_savedcard"', unlocked=True)

    assert refused([held.first, held.second]) == []
    assert WalletRecharge.objects.get().state == WalletRecharge.State.ACTIVE
    assert not SavedCard.objects.filter(removed_at=None).exists()


def test_a_card_removed_twice_at_once_is_removed_once(race: Race, stripe: FakeStripe) -> None:
    admin = recharging(stripe)
    remove = partial(remove_card, actor=Actor.of_member(admin), organization=admin.organization)

    outcomes = race(remove, remove)

    assert [type(outcome) for outcome in refused(outcomes)] == [NoSavedCard]


def test_auto_recharge_saved_while_its_card_is_removed_is_one_order_of_both(race: Race, stripe: FakeStripe) -> None:
    admin = recharging(stripe)
    acting = {"actor": Actor.of_member(admin), "organization": admin.organization}

    outcomes = race(
        partial(remove_card, **acting),
        partial(set_recharge, admin),
        partial(stop_wallet_recharge, **acting),
        partial(
            save_wallet_recharge,
            **acting,
            amount=Decimal(20),
            below=Decimal(10),
            monthly_limit=Decimal(50),
        ),
    )

    assert all(isinstance(outcome, NoSavedCard) for outcome in refused(outcomes))
    assert not SavedCard.objects.filter(removed_at=None).exists()


def test_an_order_that_is_placed_and_asked_for_in_two_tabs_has_one_page(race: Race, stripe: FakeStripe) -> None:
    admin, key = make_company(), uuid4()
    acting = {"actor": Actor.of_member(admin), "organization": admin.organization}

    placed = race(*[partial(order_by_card, **acting, amount=Decimal(100), key=key)] * 2)
    asked = race(*[partial(ask_for_checkout, **acting, order=placed[0].order)] * 2)
    saved = race(*[partial(ask_to_save_card, **acting, key=uuid4())] * 2)
    pages = race(*[partial(open_page, asked[0])] * 2)

    assert placed[0] == placed[1] == asked[0] == asked[1]
    assert refused([*saved, *pages]) == []
    assert len(stripe.all("checkout.session")) == 1


def test_two_who_look_at_once_look_at_each_checkout_once(race: Race, stripe: FakeStripe) -> None:
    admin = make_company()
    checkout = checkout_for(admin)
    type(checkout).objects.update(look_at="2020-01-01T00:00Z")

    claimed = race(claim_checkouts, claim_checkouts)
    race(look_up_checkouts, drop_unasked, partial(note_forgotten, card=card_of(admin, stripe)))

    assert sorted(len(one) for one in claimed) == [0, 1]
