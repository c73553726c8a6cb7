"""The pages of what was spent, allocated and bought, and their files."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import pytest

from credit.gateways.pdf import PdfUnavailable
from credit.ledger import Move, account_of, post
from members.access import Actor
from tests.credit.moves import allocate, buy
from tests.factories import DepartmentFactory, LicenseFactory, MemberFactory, OrganizationFactory
from tests.telephony.calls import a_call, imported, with_rates
from tests.workbooks import cells_of

pytestmark = pytest.mark.django_db
TODAY = datetime.now(tz=UTC).date()


@pytest.fixture
def company(client):
    with_rates()
    organization = OrganizationFactory(country="FR", currency="EUR", time_zone="UTC", language="en")
    client.force_login(MemberFactory(organization=organization, admin=True).user)
    sites = DepartmentFactory(organization=organization, name="Chantiers", path="Chantiers")
    marie = MemberFactory(organization=organization, user__skype_name="marie.curie", department=sites)
    other = MemberFactory(organization=organization, user__skype_name="somebody")
    imported(organization, [a_call(1, account="marie.curie"), a_call(2, account="somebody", to="+33123456789")])
    buy(organization, "100")
    buy(organization, "20")
    allocate(marie, "10")
    allocate(marie, "5.5")
    allocate(other, "1")
    return organization


def asked(client, organization, name, query=""):
    page = client.get(f"/{organization.slug}/reports/{name}/?{query}")
    assert page.status_code == 200
    return page


def lines(page):
    return {line.label: [cell.text for cell in line.cells] for line in page.context["lines"]}


def test_what_was_allocated_opens_up_to_people_and_their_statements(client, company):
    page = asked(client, company, "allocations")
    assert lines(page) == {"Chantiers": ["2", "€15.50"], "No department": ["1", "€1.00"]}
    assert [stat.value for stat in page.context["stats"]] == ["€16.50", "3"]

    here = f"/{company.slug}/reports/allocations/"
    [sites, nowhere] = [client.get(here + line.url) for line in page.context["lines"]]

    assert lines(sites) == {"marie.curie": ["2", "€15.50"]}
    assert lines(nowhere) == {"somebody": ["1", "€1.00"]}
    [marie] = sites.context["lines"]
    statement = client.get(marie.url)
    assert statement.status_code == 200
    assert "€10.00" in statement.content.decode()


def test_who_does_not_manage_credit_gets_no_way_to_statements(client, company):
    client.force_login(MemberFactory(organization=company, role="reports_viewer").user)

    page = asked(client, company, "allocations", "by=member")

    assert [line.url for line in page.context["lines"]] == ["", ""]
    assert page.context["orders_url"] == ""
    assert [line.url for line in asked(client, company, "purchases").context["lines"]] == [""]


def test_what_was_bought_stands_by_day_and_leads_to_the_wallet(client, company):
    page = asked(client, company, "purchases")

    [line] = page.context["lines"]
    assert [cell.text for cell in line.cells] == ["2", "€120.00"]
    assert page.context["tabs"] == []
    assert client.get(line.url).status_code == 200
    assert f"from={TODAY}" in line.url


def test_spending_is_calls_and_fees(client, company):
    page = asked(client, company, "spending", "month=2026-10")

    assert lines(page) == {
        "Chantiers": ["€0.05", "€0.00", "€0.05"],
        "No department": ["€0.02", "€0.00", "€0.02"],
    }
    people = asked(client, company, "spending", "month=2026-10&by=member").context["lines"]
    assert [client.get(line.url).status_code for line in people] == [200, 200]


@pytest.mark.parametrize("name", ["usage", "spending", "allocations", "purchases"])
def test_page_csv_xlsx_and_pdf_hold_the_same(client, company, name):
    days = "from=2026-01-01&to=2026-12-31"
    page = asked(client, company, name, days)
    export = f"/{company.slug}/reports/{name}/export/?{days}&format="
    rows = [list(line.row.values.values())[1:] for line in page.context["lines"]]
    assert rows

    csv = b"".join(client.get(export + "csv").streaming_content).decode("utf-8-sig").splitlines()
    assert [[Decimal(cell) for cell in line.split(",")[1:]] for line in csv[1:]] == rows

    sheet = cells_of(b"".join(client.get(export + "xlsx").streaming_content))
    assert [row[1:] for row in sheet[1:]] == rows

    paper = client.get(export + "pdf")
    assert paper["Content-Type"] == "application/pdf"
    assert paper.content.startswith(b"%PDF-")


def test_a_file_of_another_format_is_a_csv(client, company):
    answer = client.get(f"/{company.slug}/reports/usage/export/?format=exe")

    assert answer["Content-Type"].startswith("text/csv")


def test_where_no_pdf_can_be_made_the_page_says_what_else_there_is(client, company, monkeypatch):
    def refuse(*args, **kwargs):
        raise PdfUnavailable

    monkeypatch.setattr("reports.views.report.report_as_pdf", refuse)

    answer = client.get(f"/{company.slug}/reports/usage/export/?month=2026-10&format=pdf", follow=True)

    assert b"take a file for a spreadsheet" in answer.content
    assert answer.context["asked"].days.first.month == 10


def test_licenses_and_numbers_say_what_they_cost_and_what_nobody_uses(client, company):
    LicenseFactory(organization=company, product__code="phone-system", quantity=10, monthly_price=Decimal("8"))

    page = client.get(f"/{company.slug}/reports/numbers/")

    [seats] = page.context["seats"]
    assert (seats.owned, seats.free, seats.monthly, seats.unused) == (10, 10, 80, 80)
    assert "€80.00 of it for what nobody uses" in page.content.decode()
    rows = b"".join(client.get(f"/{company.slug}/reports/numbers/export/").streaming_content).decode().splitlines()
    assert rows[1].startswith("license,")
    assert rows[1].endswith(",10,0,10,80.0000,80.0000")


def test_the_chart_ends_at_what_all_comes_to(client, company):
    shown = asked(client, company, "usage", "month=2026-10&by=member").context["chart"]

    assert "adding up to €0.07" in shown.label
    assert (shown.now, shown.before) == ("October 2026", "September 2026")
    last = float(shown.chart.line.split()[-1].split(",")[1])
    scale = [Decimal(line.text) for line in shown.chart.grid]
    assert Decimal(str(round((100 - last) / 100 * float(scale[-1]), 4))) == Decimal("0.07")


def test_of_one_day_and_of_nothing_there_is_no_chart(client, company):
    assert asked(client, company, "usage", "from=2026-10-15&to=2026-10-15").context["chart"] is None
    assert asked(client, company, "usage", "month=2026-01").context["chart"] is None


def test_what_the_company_pays_itself_is_a_row_of_its_own(client, company):
    wallet, fees = account_of(company, "wallet"), account_of(company, "fees")
    moves = [Move(wallet, fees, Decimal(30), uuid4(), datetime(2026, 10, 20, tzinfo=UTC))]
    post(organization=company, operation="fee", moves=moves, actor=Actor.system())

    for cut in ("department", "member", "destination"):
        page = asked(client, company, "spending", f"month=2026-10&by={cut}")
        first = page.context["lines"][0]
        assert (first.label, first.row.values["fees"]) == ("The company itself", Decimal(30))
        assert client.get(first.url).status_code == 200
    nowhere = asked(client, company, "spending", "month=2026-10&department=none&by=member")
    assert nowhere.context["total"]["cost"] == Decimal("0.0200")
