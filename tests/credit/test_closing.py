"""What becomes of credit when an organization is closed."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from credit.closing import consequences, obstacles
from credit.funding import fund
from credit.models import LedgerAccount, Order, RechargePlan, SavedCard, Transfer, WalletRecharge
from credit.purchases import place
from credit.selectors.balances import balance_of, wallet_balance
from credit.sellers import price_for
from credit.services.allocation import allocate_credit
from credit.services.recharge_sweep import answer_calls, sweep_recharges
from credit.services.wallet_recharge_work import wallets_below
from credit.verification import find_differences
from members.access import Actor
from members.errors import ClosingObstructed, OrganizationClosed
from members.models import Organization
from members.services.closing import ask_to_close
from skypemgr.invariants import find_violations
from tests.closings import close
from tests.credit.recharges import SYSTEM, call, pay, plan
from tests.factories import MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    return OrganizationFactory(slug="acme", name="Acme", currency="EUR")


@pytest.fixture
def member(organization):
    return MemberFactory(organization=organization)


def order(organization):
    return place(
        organization=organization,
        actor=SYSTEM,
        price=price_for(organization, Decimal(100)),
        method=Order.Method.BANK_TRANSFER,
        key=uuid4(),
    )


def test_the_page_names_what_is_left_in_the_wallet(organization):
    pay(organization, Decimal("12.50"))

    assert any(text.startswith("€12.50 is left in the wallet.") for text in consequences(organization))


def test_no_credit_moves_any_more_whoever_asks(organization, member):
    pay(organization, 100)
    plan(organization, member)
    before = Transfer.objects.count()
    close(organization)
    organization.refresh_from_db()

    for move in (
        lambda: pay(organization, 1),
        lambda: call(organization, member, costs=1),
        lambda: fund(organization=Organization.objects.get(), actor=SYSTEM, amount=Decimal(1), key=uuid4()),
    ):
        with pytest.raises(OrganizationClosed), transaction.atomic():
            move()
    with pytest.raises(OrganizationClosed):
        allocate_credit(actor=SYSTEM, organization=organization, members=[member], amount=Decimal(1), key=uuid4())
    assert Transfer.objects.count() == before
    assert (wallet_balance(organization), balance_of(organization, member)) == (80, 20)


def test_many_transfers_at_once_are_refused_too(organization):
    people = [MemberFactory(organization=organization) for _person in range(3)]
    pay(organization, 100)
    call(organization, *people, costs=1)
    close(organization)

    with pytest.raises(OrganizationClosed):
        call(organization, *people, costs=1)


def test_another_organization_goes_on(organization, member):
    other = OrganizationFactory()
    close(organization)

    pay(other, 5)

    assert wallet_balance(other) == 5


def test_recharges_end_and_the_card_is_forgotten(organization, member):
    pay(organization, 100)
    plan(organization, member)
    card = SavedCard.objects.create(
        organization=organization, customer="cus_1", method="pm_1", brand="visa", last4="4242", month=1, year=2031
    )
    WalletRecharge.objects.create(
        organization=organization,
        amount=50,
        below=10,
        monthly_limit=100,
        state="paused",
        reason="declined",
        paused_at=timezone.now(),
    )
    close(organization)

    card.refresh_from_db()
    assert card.removed_at is not None
    assert WalletRecharge.objects.get().state == "off"
    assert not RechargePlan.objects.get().active
    assert wallets_below(everywhere=True) == []
    assert answer_calls() == 0
    sweep_recharges(None)


def test_an_order_that_waits_stands_in_the_way_and_is_canceled_in_the_end(organization):
    admin = MemberFactory(organization=organization, admin=True)
    waiting = order(organization)
    [obstacle] = obstacles(organization)
    assert waiting.number in obstacle.text
    with pytest.raises(ClosingObstructed):
        ask_to_close(actor=Actor.of_member(admin), organization=organization, name="Acme")

    close(organization)

    waiting.refresh_from_db()
    assert waiting.state == "canceled"
    assert organization.audit_entries.filter(action="order.canceled").count() == 1


def test_the_ledger_of_a_closed_organization_stays_and_is_verified(organization, member):
    pay(organization, 100)
    call(organization, member, costs=1)
    close(organization)

    assert Transfer.objects.filter(organization=organization).count() == 2
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM credit_transfer")
    assert find_differences(organization) == []


def test_a_wallet_is_closed_for_good_also_one_that_nobody_had_opened(organization):
    close(organization)

    with pytest.raises(OrganizationClosed), transaction.atomic():
        fund(organization=organization, actor=SYSTEM, amount=Decimal(1), key=uuid4())
    with pytest.raises(DatabaseError), transaction.atomic():
        LedgerAccount.objects.filter(organization=organization).update(closed=False)
    assert LedgerAccount.objects.get(organization=organization, kind="wallet").closed


def test_a_wallet_that_is_closed_without_its_organization_is_found(organization):
    pay(organization, 1)
    mine = "credit.wallets_are_closed_with_their_organizations"
    assert mine not in {found.invariant for found in find_violations()}

    LedgerAccount.objects.filter(kind="wallet").update(closed=True)

    assert mine in {found.invariant for found in find_violations()}
