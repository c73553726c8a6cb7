import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from uuid import uuid4

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from credit.funding import fund
from credit.models import LedgerAccount, Order, Transfer
from credit.selectors import statements
from credit.selectors.history import balance_at, last_before, last_until
from credit.selectors.statements import Statement
from members.access import Actor
from members.downloads import AccessEnded
from members.models import Batch, Member
from members.services.profile import leave_organization
from tests.credit.moves import allocate, buy, charge, recorded
from tests.factories import MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    return OrganizationFactory(slug="architectes", name="Architectes")


@pytest.fixture
def manager(organization):
    return MemberFactory(
        organization=organization,
        role=Member.Role.CREDIT_MANAGER,
        user__first_name="Hélène",
        user__last_name="Marchand",
        user__skype_name="helene.marchand",
    )


@pytest.fixture
def member(organization):
    return MemberFactory(
        organization=organization,
        user__first_name="Camille",
        user__last_name="Rousseau",
        user__skype_name="camille.rousseau",
    )


@pytest.fixture
def of_manager(client, manager):
    client.force_login(manager.user)
    return client


PAGE = "/architectes/members/@camille.rousseau/credit/statement/"


def account(member):
    return LedgerAccount.objects.get(member=member)


def lines(member, query="", kind="member"):
    return Statement.read(member.organization, account(member), QueryDict(query), kind=kind).page().lines


def told(lines):
    return [(line.transfer.operation, line.change, line.balance) for line in lines]


def test_each_line_says_what_came_or_went_and_the_balance_after_it(member):
    buy(member.organization)
    allocate(member, "20")
    charge(member, "1.15")

    assert told(lines(member)) == [
        ("charge", Decimal("-1.15"), Decimal("18.85")),
        ("allocation", Decimal(20), Decimal(20)),
    ]


def test_a_member_sees_nothing_of_others_and_the_wallet_everything_that_touched_it(member):
    other = MemberFactory(organization=member.organization)
    buy(member.organization)
    allocate(member, "20")
    allocate(other, "5")
    charge(other, "1")

    assert told(lines(other)) == [("charge", -1, 4), ("allocation", 5, 5)]
    wallet = statements.account_of_wallet(member.organization)
    found = Statement.read(member.organization, wallet, QueryDict(), kind="wallet").page().lines
    assert told(found) == [("allocation", -5, 975), ("allocation", -20, 980), ("purchase", 1000, 1000)]


def test_pages_follow_each_other_without_a_gap_and_lead_back(member):
    buy(member.organization)
    allocate(member, "50")
    charge(member, "0.01", times=119)
    query, seen, pages = "", [], []
    while True:
        page = Statement.read(member.organization, account(member), QueryDict(query), kind="member").page()
        seen += [line.version for line in page.lines]
        pages.append(page)
        if not page.next_url:
            break
        query = page.next_url[1:]

    assert seen == list(range(120, 0, -1))
    assert [len(page.lines) for page in pages] == [50, 50, 20]
    assert pages[0].text == "50 of 120 entries, newest first"
    back = Statement.read(member.organization, account(member), QueryDict(pages[2].previous_url[1:]), kind="member")
    assert [line.version for line in back.page().lines] == list(range(70, 20, -1))
    first = Statement.read(member.organization, account(member), QueryDict(pages[1].previous_url[1:]), kind="member")
    assert [line.version for line in first.page().lines] == list(range(120, 70, -1))
    assert first.page().previous_url == ""


def test_a_filter_looks_at_so_many_transfers_and_says_how_far_back(member, monkeypatch):
    monkeypatch.setattr(statements, "WINDOW", 30)
    buy(member.organization)
    allocate(member, "50")
    charge(member, "0.01", times=99)

    def page(query):
        return Statement.read(member.organization, account(member), QueryDict(query), kind="member").page()

    first = page("kind=allocation")
    assert list(first.lines) == []
    assert first.text.startswith("0 entries, newest first; searched back to ")
    second = page(first.next_url[1:])
    third = page(second.next_url[1:])
    last = page(third.next_url[1:])
    assert [line.version for line in last.lines] == [1]
    assert (last.text, last.next_url) == ("1 entry, newest first", "")
    again = page(last.previous_url[1:])
    assert list(again.lines) == []
    assert page(again.previous_url[1:]).previous_url


def test_kind_and_who_narrow_a_statement(member, manager):
    buy(member.organization)
    allocate(member, "20", actor=Actor.of_member(manager))
    allocate(member, "15", operation="recharge")
    charge(member, "1")

    assert told(lines(member, "kind=recharge")) == [("recharge", 15, 35)]
    assert told(lines(member, "by=helene.marchand")) == [("allocation", 20, 20)]
    assert told(lines(member, "by=system&kind=charge")) == [("charge", -1, 34)]
    assert len(lines(member, "kind=nonsense&by=nobody")) == 3


def test_a_month_is_that_of_the_organization(member):
    buy(member.organization)
    allocate(member, "1", times=4)
    # Midnight in Paris is 23:00 UTC in winter.
    last_of_october = datetime(2026, 10, 31, 22, 59, 59, tzinfo=UTC)
    november = datetime(2026, 10, 31, 23, 0, tzinfo=UTC)
    last_of_november = datetime(2026, 11, 30, 22, 59, 59, 999_999, tzinfo=UTC)
    december = datetime(2026, 11, 30, 23, 0, tzinfo=UTC)
    moments = [last_of_october, last_of_october, november, last_of_november, december]
    recorded(moments, organization=member.organization)

    november = Statement.read(member.organization, account(member), QueryDict("month=2026-11"), kind="member")
    assert [line.version for line in november.page().lines] == [3, 2]
    assert (november.opening, november.closing) == (1, 3)
    assert november.page().text == "2 of 2 entries, newest first"
    assert [line.version for line in lines(member, "month=2026-10")] == [1]
    assert [line.version for line in lines(member, "from=2026-11-30&to=2026-12-01")] == [4, 3]
    assert [line.version for line in lines(member, "from=2026-12-02&to=2026-11-01")] == []


def test_a_balance_counts_what_was_recorded_at_that_very_instant(member):
    buy(member.organization)
    allocate(member, "1", times=4)
    instant = datetime(2026, 11, 5, 12, tzinfo=UTC)
    before, after = instant - timedelta(microseconds=1), instant + timedelta(microseconds=1)
    recorded([before, before, instant, instant, after], organization=member.organization)
    held = account(member)

    assert (last_before(held, instant), last_until(held, instant)) == (1, 3)
    assert [balance_at(held, moment) for moment in (before, instant, after)] == [1, 3, 4]
    assert balance_at(held, before - timedelta(microseconds=1)) == 0


def test_every_past_moment_gives_the_balance_of_its_last_transfer(member):
    buy(member.organization)
    allocate(member, "100")
    charge(member, "1", times=36)
    start = datetime(2026, 11, 1, tzinfo=UTC)
    recorded([start + timedelta(minutes=number // 2) for number in range(38)], organization=member.organization)
    held = account(member)

    for minute in range(-1, 20):
        moment = start + timedelta(minutes=minute)
        counted = Transfer.objects.filter(organization=member.organization, recorded_at__lte=moment)
        numbers = [one.source_version if one.source_id == held.pk else one.target_version for one in counted]
        # The first of them came into the wallet.
        assert last_until(held, moment) == max(numbers[1:], default=0)


def test_the_cost_of_a_page_does_not_grow_with_the_transfers(member):
    """The plans of the first page, of a month and of an instant read a page and no more."""
    buy(member.organization)
    allocate(member, "500")
    charge(member, "0.001", times=20_000)
    charge(member, "0.001", times=20_000)
    start = datetime(2025, 1, 1, tzinfo=UTC)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE credit_transfer DISABLE TRIGGER USER")
        cursor.execute("UPDATE credit_transfer SET recorded_at = %s + id * interval '10 minutes'", [start])
        cursor.execute("ALTER TABLE credit_transfer ENABLE TRIGGER USER")
        cursor.execute("ANALYZE credit_transfer")

    for query in ("", "month=2025-06", "before=20000", "after=20000", "kind=charge", "from=2025-06-03&to=2025-06-03"):
        asked = Statement.read(member.organization, account(member), QueryDict(query), kind="member")
        with CaptureQueriesContext(connection) as captured:
            assert len(asked.page().lines) == 50
        for entry in captured.captured_queries:
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + entry["sql"])
                [[plan]] = cursor.fetchone()
            read = plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
            assert read < 600, (query, entry["sql"], plan)


def test_a_month_stands_on_the_page_of_a_members_credit(of_manager, member, manager):
    buy(member.organization)
    allocate(member, "20", actor=Actor.of_member(manager), reason="Trip to Basel")
    charge(member, "1.15")

    page = of_manager.get("/architectes/members/@camille.rousseau/credit/").text

    for text in ("Statement", "Credit added", "Trip to Basel", "Hélène Marchand", "+€20.00", "−€1.15", "€18.85"):
        assert text in page
    assert "Times are those of Europe/Paris." in page


def test_months_step_as_far_back_as_there_was_anything(of_manager, member):
    buy(member.organization)
    allocate(member, "20", times=2)
    moments = [datetime(2025, 3, day, 12, tzinfo=UTC) for day in (1, 2)] + [datetime(2025, 5, 2, tzinfo=UTC)]
    recorded(moments, organization=member.organization)

    page = of_manager.get("/architectes/members/@camille.rousseau/credit/?month=2025-04").text
    assert "Nothing moved in this month." in page
    assert 'href="/architectes/members/@camille.rousseau/credit/?month=2025-03#statement"' in page
    assert 'href="/architectes/members/@camille.rousseau/credit/?month=2025-05#statement"' in page
    first = of_manager.get("/architectes/members/@camille.rousseau/credit/?month=2025-03").text
    assert "?month=2025-02" not in first
    assert "+€20.00" in first
    now = of_manager.get("/architectes/members/@camille.rousseau/credit/").text
    assert 'rel="next"' not in now


def test_the_whole_statement_has_filters_and_names_its_days(of_manager, member):
    buy(member.organization)
    allocate(member, "20")

    assert "Everything so far" in of_manager.get(PAGE).text
    today = of_manager.get(PAGE, {"kind": "allocation", "from": "2026-01-01"}).text
    assert "The balance was €0.00 before and €20.00 after." in today
    nothing = of_manager.get(PAGE, {"kind": "fee"}).text
    assert "Nothing matches" in nothing and "Clear the filters" in nothing


def test_who_never_got_credit_has_an_empty_statement(of_manager, member):
    for address in (PAGE, "/architectes/members/@camille.rousseau/credit/", "/architectes/credit/statement/"):
        page = of_manager.get(address)
        assert page.status_code == 200
        assert "No credit yet" in page.text


def test_the_wallets_statement_links_each_line_to_the_member_it_went_to(of_manager, member):
    buy(member.organization)
    allocate(member, "20")

    page = of_manager.get("/architectes/credit/statement/").text

    assert "Credit bought" in page and "Bank 2026-11" in page
    assert 'href="/architectes/members/@camille.rousseau/credit/"><bdi>Camille Rousseau</bdi>' in page


def test_a_line_leads_to_the_batch_that_caused_it_for_those_who_may_open_it(client, of_manager, member):
    batch = Batch.objects.create(organization=member.organization, kind="move_members", state="done")
    buy(member.organization)
    allocate(member, "20", batch=batch)
    link = f'href="/architectes/members/changes/{batch.pk}/"'

    assert link not in of_manager.get(PAGE).text
    client.force_login(MemberFactory(organization=member.organization, admin=True).user)
    page = client.get(PAGE).text
    assert link in page and "Moving to another department" in page


def test_credit_that_was_bought_leads_to_its_order(of_manager, member):
    key, price = uuid4(), {"net": Decimal(100), "vat_rate": 20, "vat": Decimal(20), "gross": Decimal(120)}
    kind = {"method": "bank_transfer", "treatment": "standard", "buyer": {}}
    Order.objects.create(organization=member.organization, number="O-2026-000042", key=key, **price, **kind)
    fund(organization=member.organization, actor=Actor.system(), amount=Decimal(100), key=key)
    allocate(member, "20")

    page = of_manager.get("/architectes/credit/statement/").text

    assert page.count("Order O-2026-000042") == 1
    assert 'href="/architectes/credit/orders/O-2026-000042/"' in page


def test_a_file_holds_exactly_what_is_filtered(of_manager, member):
    buy(member.organization)
    allocate(member, "20", reason="Trip")
    allocate(member, "15.5", operation="recharge")
    moments = [
        datetime(2026, 7, 1, 12, tzinfo=UTC),
        datetime(2026, 7, 2, 12, tzinfo=UTC),
        datetime(2026, 8, 1, tzinfo=UTC),
    ]
    recorded(moments, organization=member.organization)

    answer = of_manager.get(PAGE + "export.csv", {"month": "2026-07"})
    rows = list(csv.DictReader(StringIO(answer.getvalue().decode("utf-8-sig"))))

    assert rows == [
        {
            "When": "2026-07-02T14:00:00+02:00",
            "What": "Credit added",
            "By": "Skype Manager",
            "Reason": "Trip",
            "Amount": "20.0000",
            "Balance": "20.0000",
            "Currency": "EUR",
        }
    ]
    assert 'filename="architectes-credit-camille.rousseau.csv"' in answer.headers["Content-Disposition"]
    wallet = of_manager.get("/architectes/credit/statement/export.csv", {"kind": "recharge"})
    [row] = csv.DictReader(StringIO(wallet.getvalue().decode("utf-8-sig")))
    assert (row["Skype Name"], row["Amount"], row["Balance"]) == ("camille.rousseau", "-15.5000", "964.5000")


def test_a_long_file_has_every_line_once(of_manager, member, monkeypatch):
    monkeypatch.setattr(statements, "CHUNK", 7)
    buy(member.organization)
    allocate(member, "1", times=30)

    answer = of_manager.get(PAGE + "export.csv")
    rows = list(csv.DictReader(StringIO(answer.getvalue().decode("utf-8-sig"))))

    assert [row["Balance"] for row in rows] == [f"{number}.0000" for number in range(30, 0, -1)]


def test_everybody_sees_their_own_credit_and_nobody_elses(client, member):
    other = MemberFactory(organization=member.organization, user__last_name="Delorme")
    stranger = MemberFactory()
    buy(member.organization)
    allocate(member, "20", reason="Trip to Basel")
    allocate(other, "7.77")
    client.force_login(member.user)

    home = client.get("/me/").text
    assert "€20.00" in home and 'href="/me/credit/architectes/"' in home
    page = client.get("/me/credit/architectes/").text
    assert "Trip to Basel" in page and "+€20.00" in page and "7.77" not in page
    file = client.get("/me/credit/architectes/export.csv").getvalue().decode()
    assert "Trip to Basel" in file and "7.77" not in file
    client.force_login(stranger.user)
    assert client.get("/me/credit/architectes/").status_code == 404
    assert client.get("/me/credit/architectes/export.csv").status_code == 404


def test_ones_own_file_breaks_off_when_one_is_no_member_any_more(client, member, monkeypatch):
    monkeypatch.setattr(statements, "CHUNK", 5)
    buy(member.organization)
    allocate(member, "1", times=20)
    client.force_login(member.user)

    answer = client.get("/me/credit/architectes/export.csv")
    Member.objects.filter(pk=member.pk).update(state=Member.State.BLOCKED)
    with pytest.raises(AccessEnded):
        answer.getvalue()


def leave(member):
    leave_organization(actor=Actor.of_person(member.user), organization=member.organization)


def test_who_left_with_a_personal_account_goes_on_to_see_what_is_theirs(client, organization):
    member = MemberFactory(organization=organization, personal=True)
    buy(organization)
    allocate(member, "20", reason="Trip to Basel")
    client.force_login(member.user)

    leave(member)

    home = client.get("/me/").text
    assert "€20.00" in home and "You left Architectes. What you hold stays yours." in home
    assert "Trip to Basel" in client.get("/me/credit/architectes/").text
    assert "Trip to Basel" in client.get("/me/credit/architectes/export.csv").getvalue().decode()
    assert LedgerAccount.objects.get(member=member).balance == 20


def test_who_left_with_nothing_has_no_panel(client, organization):
    member = MemberFactory(organization=organization, personal=True)
    buy(organization)
    allocate(member, "20")
    charge(member, "20")
    client.force_login(member.user)

    leave(member)

    assert "Your credit" not in client.get("/me/").text


def test_who_leaves_while_the_file_of_their_own_credit_is_sent_gets_all_of_it(client, organization, monkeypatch):
    monkeypatch.setattr(statements, "CHUNK", 5)
    member = MemberFactory(organization=organization, personal=True)
    buy(organization)
    allocate(member, "1", times=20)
    client.force_login(member.user)

    answer = client.get("/me/credit/architectes/export.csv")
    leave(member)

    assert len(answer.getvalue().decode().splitlines()) == 21


def test_who_holds_no_credit_has_no_panel(client, member):
    client.force_login(member.user)

    assert "Your credit" not in client.get("/me/").text
    assert "No credit yet" in client.get("/me/credit/architectes/").text
