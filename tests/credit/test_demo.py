"""The credit of the demo company: something to see on every page, once, and quickly however large it is."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from credit.alerts import find_alerts
from credit.demo import MOST, add_credit, ago
from credit.models import Order, RechargePlan, Transfer
from credit.sealing import LEDGER
from credit.selectors.statements import account_of_wallet
from credit.selectors.wallet import forecast, held_by_members
from credit.sellers import current_seller, day_of
from credit.services.orders import confirm_order
from credit.services.seals import seal_ledgers
from members.access import Actor
from members.models import Batch, Organization
from members.sealing import broken_seals
from members.services.demo import seed_demo
from skypemgr.clock import database_now
from skypemgr.invariants import find_violations
from tests.credit.moves import allocate, buy
from tests.factories import MemberFactory, OrganizationFactory
from tests.members.test_commands import run

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo():
    run("seed_demo")
    return Organization.objects.get(slug="architectes")


def transfers(organization):
    return list(Transfer.objects.filter(organization=organization).order_by("pk").values_list("pk", "recorded_at"))


def test_the_demo_company_has_credit_of_every_kind_and_a_ledger_that_adds_up(demo):
    operations = set(Transfer.objects.filter(organization=demo).values_list("operation", flat=True))

    assert operations == {"purchase", "allocation", "recharge", "charge"}
    assert list(Order.objects.order_by("pk").values_list("state", flat=True)) == ["paid", "waiting"]
    assert Batch.objects.filter(kind="allocate_credit", state="done").count() == 2
    assert set(RechargePlan.objects.values_list("refusal", flat=True)) == {"", "limit", "wallet"}
    assert held_by_members(demo).holders > 20
    assert find_violations() == []


def test_the_demo_company_knows_when_its_wallet_runs_dry_and_what_needs_attention(demo):
    now = database_now()
    told = forecast(demo, account_of_wallet(demo), now)

    # It was filled on a morning: before that hour of today the last of the days isn't over.
    [(_key, filled), *_rest] = transfers(demo)
    assert (told.days, told.a_day > 0, told.is_dry) == ((now - filled).days, True, False)
    assert {"uncovered", "suspended"} <= {alert.kind for alert in find_alerts(demo)}


def test_the_past_of_the_demo_company_is_told_in_its_order(demo):
    moments = [moment for _key, moment in transfers(demo)]
    paid, zone = Order.objects.get(state="paid"), ZoneInfo(demo.time_zone)

    assert moments == sorted(moments)
    assert moments[0].astimezone(zone).date() == database_now().astimezone(zone).date() - timedelta(days=24)
    assert paid.created_at < paid.payment.received_at <= paid.closed_at
    assert paid.payment.invoice.issued_on == day_of(current_seller(), paid.payment.received_at)


def test_an_invoice_of_the_past_bears_the_day_it_was_at_the_sellers(demo):
    order = Order.objects.get(state="waiting")

    with ago(demo, days=3, hour=0):
        confirm_order(actor=Actor.system(), organization=demo, order=order, amount=order.gross)

    order.refresh_from_db()
    invoice, received = order.payment.invoice, order.payment.received_at
    assert invoice.issued_on == received.astimezone(ZoneInfo("Europe/Paris")).date() != received.date()


def test_the_credit_of_the_demo_company_is_added_once(demo):
    before = transfers(demo)

    run("seed_demo")

    assert transfers(demo) == before
    assert Order.objects.count() == 2


def test_credit_that_somebody_moved_in_the_demo_company_is_left_as_it_is(settings):
    settings.LOCAL = True
    organization = OrganizationFactory()
    member = MemberFactory(organization=organization, admin=True)
    buy(organization)
    allocate(member, "20")

    add_credit(organization)

    assert len(transfers(organization)) == 2
    assert not Order.objects.exists()


def test_no_other_company_gets_a_past_in_production(settings):
    settings.LOCAL = False

    with pytest.raises(PermissionDenied):
        add_credit(OrganizationFactory())


def test_the_ledger_of_the_demo_company_can_be_sealed(demo):
    assert seal_ledgers() == 1
    assert list(broken_seals(LEDGER)) == []


def test_a_large_demo_company_has_its_credit_by_a_bounded_number_of_questions():
    organization = seed_demo(actor=Actor.system(), members=600)

    with CaptureQueriesContext(connection) as asked:
        add_credit(organization)

    assert len(asked) < 700
    assert MOST / 2 < held_by_members(organization).holders <= MOST
    assert account_of_wallet(organization).balance > 0
