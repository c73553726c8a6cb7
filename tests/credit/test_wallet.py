import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from credit.forecast_texts import forecast_text
from credit.funding import take_back
from credit.models import LedgerAccount, Transfer
from credit.selectors.statements import account_of_wallet
from credit.selectors.wallet import Forecast, allocated_between, forecast, held_by_members, left_between
from members.access import Actor
from members.models import Member
from tests.credit.moves import allocate, buy, charge, recorded
from tests.factories import MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def member():
    return MemberFactory(organization=OrganizationFactory(slug="architectes"))


@pytest.fixture
def manager(client, member):
    found = MemberFactory(organization=member.organization, role=Member.Role.CREDIT_MANAGER)
    client.force_login(found.user)
    return found


def days_ago(*days):
    return [NOW - timedelta(days=number) for number in days]


def told(member):
    return forecast(member.organization, account_of_wallet(member.organization), NOW)


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_the_forecast_is_that_of_the_last_28_days(member):
    buy(member.organization, "1000")
    allocate(member, "300")
    allocate(member, "28", operation="recharge")
    allocate(member, "28")
    recorded(days_ago(60, 29, 27, 1), organization=member.organization)

    # 56 in 28 days, of 644.
    assert told(member) == Forecast(days=28, a_day=Decimal("2.00"), dry_on=datetime(2027, 10, 10, tzinfo=UTC).date())
    assert forecast_text(told(member), "EUR") == "Runs dry on 10 October 2027 at this pace, €2.00 a day."


def test_a_young_wallet_is_judged_by_the_days_it_has(member):
    buy(member.organization, "100")
    allocate(member, "50")
    recorded(days_ago(10, 3), organization=member.organization)

    assert told(member) == Forecast(days=10, a_day=Decimal("5.00"), dry_on=datetime(2026, 12, 2, tzinfo=UTC).date())


def test_what_was_bought_and_taken_back_is_no_pace(member):
    buy(member.organization, "100")
    allocate(member, "10")
    take_back(organization=member.organization, actor=Actor.system(), amount=Decimal(40), key=uuid4())
    buy(member.organization, "60")
    recorded(days_ago(20, 3, 2, 1), organization=member.organization)

    assert told(member).a_day == Decimal("0.50")


def test_a_refund_that_the_wallet_could_not_cover_is_no_pace_either(member):
    buy(member.organization, "100")
    allocate(member, "80")
    take_back(organization=member.organization, actor=Actor.system(), amount=Decimal(40), key=uuid4())
    buy(member.organization, "60")
    wallet = account_of_wallet(member.organization)

    assert wallet.balance == 40
    assert left_between(wallet, NOW - timedelta(days=365)) == 80


@pytest.mark.parametrize(
    ("bought", "spent", "days", "said"),
    [
        ("100", "1", (6, 1), "It is too early to tell how long this lasts."),
        ("100", "1", (60, 40), "Nothing left the wallet in the last 28 days."),
        ("100", "100", (60, 1), "The wallet is empty."),
        ("1000", "1", (60, 1), "Lasts more than a year at this pace, €0.04 a day."),
    ],
)
def test_where_a_day_would_be_a_guess_it_says_why(member, bought, spent, days, said):
    buy(member.organization, bought)
    allocate(member, spent)
    recorded(days_ago(*days), organization=member.organization)

    assert forecast_text(told(member), "EUR") == said


def test_what_was_allocated_in_a_month_is_without_fees_and_refunds(member):
    buy(member.organization, "100")
    allocate(member, "10")
    allocate(member, "5", operation="recharge")
    take_back(organization=member.organization, actor=Actor.system(), amount=Decimal(7), key=uuid4())
    wallet = account_of_wallet(member.organization)
    recorded(days_ago(40, 40, 2, 1), organization=member.organization)

    assert allocated_between(wallet, NOW - timedelta(days=10)) == 5
    assert allocated_between(wallet, NOW - timedelta(days=50)) == 15
    assert allocated_between(wallet, NOW - timedelta(days=50), NOW - timedelta(days=10)) == 10


def test_what_left_is_found_without_reading_what_left(member):
    buy(member.organization, "1000")
    allocate(member, "0.01", times=3_000)
    wallet = account_of_wallet(member.organization)

    with CaptureQueriesContext(connection) as captured:
        assert left_between(wallet, NOW - timedelta(days=365)) == 30
    for entry in captured.captured_queries:
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + entry["sql"])
            [[plan]] = cursor.fetchone()
        assert plan["Plan"]["Shared Hit Blocks"] < 200, entry["sql"]


def test_what_members_hold_is_summed(member):
    buy(member.organization, "100")
    allocate(member, "10")
    other = MemberFactory(organization=member.organization)
    charge(other, "1.5")

    held = held_by_members(member.organization)

    assert (held.total, held.holders, held.overdrawn) == (Decimal("8.5"), 1, 1)


def test_the_wallets_page_begins_with_the_answer(client, member, manager):
    buy(member.organization, "100")
    allocate(member, "10")

    page = text_of(client.get("/architectes/credit/"))

    for text in (
        "€90.00",
        "It is too early to tell",
        "Held by members €10.00 in 1 account",
        "−€10.00",
        "Credit bought",
    ):
        assert text in page


def test_an_organization_that_never_bought_credit_is_told_what_to_do_first(client, member, manager):
    assert "Buy Skype Credit first, then allocate it to members." in text_of(client.get("/architectes/credit/"))


def test_the_overview_shows_the_wallet_to_those_who_manage_credit(client, member, manager):
    buy(member.organization, "100")
    assert "Company wallet €100.00" in text_of(client.get("/architectes/"))

    client.force_login(MemberFactory(organization=member.organization, role=Member.Role.VOICE_MANAGER).user)
    assert "€100.00" not in text_of(client.get("/architectes/"))


def test_the_next_steps_know_what_was_bought_and_allocated(client, member, manager):
    page = text_of(client.get("/architectes/"))
    assert "1 of 3 done" in page and "Calls and features are paid from it" in page

    buy(member.organization, "100")
    page = text_of(client.get("/architectes/"))
    assert "2 of 3 done" in page and "€100.00 in the wallet" in page

    allocate(member, "5")
    assert "3 of 3 done" in text_of(client.get("/architectes/"))
    assert LedgerAccount.objects.count() == 3 and Transfer.objects.count() == 2
