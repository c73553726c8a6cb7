"""One total everywhere: the calls, what they add up to, each report and its files, the chart, the ledger.

What it has to be is calculated here from the feed alone, in exact decimals and by the calendar of each time zone.
"""

import csv
import random
import re
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db.models import Sum

from credit.models import Transfer
from credit.models.ledger import LedgerAccount
from reports import papers
from telephony.models import Call
from telephony.services.usage import rebuild_usage
from tests.factories import DepartmentFactory, MemberFactory, OrganizationFactory
from tests.telephony.calls import NAMES, PRICES, SYSTEM, a_call, imported, with_rates
from tests.workbooks import cells_of

pytestmark = pytest.mark.django_db
# Around the day on which a clock is put back, over a month's end; and just the months themselves.
RANGES = {
    "Europe/Stockholm": (date(2026, 10, 20), date(2026, 11, 9)),
    "America/New_York": (date(2026, 10, 28), date(2026, 11, 3)),
    "Asia/Kolkata": (date(2026, 9, 17), date(2026, 11, 2)),
}
WHOLE = (date(2026, 10, 1), date(2026, 10, 31))
# A minute that has begun is paid; France is home, and 112 costs nothing.
DIALED = {"+34912345678": "34", "+34671234567": "3467", "+33123456789": "33", "+46812345678": "46", "112": ""}
PEOPLE = {"marie.curie": "Chantiers", "niels.bohr": "Chantiers / Lyon", "lise.meitner": ""}


@pytest.fixture(params=RANGES)
def zone(request):
    return request.param


@pytest.fixture
def company(zone, client):
    with_rates()
    organization = OrganizationFactory(country="FR", currency="EUR", time_zone=zone, language="en")
    client.force_login(MemberFactory(organization=organization, admin=True).user)
    sites = DepartmentFactory(organization=organization, name="Chantiers", path="Chantiers")
    lyon = DepartmentFactory(organization=organization, name="Lyon", path="Chantiers / Lyon", parent=sites)
    departments = {"Chantiers": sites, "Chantiers / Lyon": lyon, "": None}
    for name, department in PEOPLE.items():
        MemberFactory(organization=organization, user__skype_name=name, department=departments[department])
    return organization


@pytest.fixture
def made(zone, company):
    """Calls as they were fed: the day by the calendar there, who, where to, and what it costs."""
    chance = random.Random(zone)
    begin = datetime(2026, 9, 1, tzinfo=UTC)
    # Many of them around midnight and around the hour that there is twice, in any zone.
    moments = [begin + timedelta(minutes=chance.randrange(60 * 24 * 90)) for _call in range(120)]
    moments += [datetime(2026, 10, 25, minute // 4, minute % 4 * 15, tzinfo=UTC) for minute in range(12)]
    moments += [datetime(2026, 11, 1, minute // 2, minute % 2 * 30, tzinfo=UTC) for minute in range(16)]
    calls, told = [], []
    for number, at in enumerate(moments):
        account, dialed = chance.choice(list(PEOPLE)), chance.choice(list(DIALED))
        seconds, answered = chance.randrange(1, 4_000), chance.random() < 0.9
        calls.append(a_call(number, at=at, account=account, to=dialed, seconds=seconds, answered=answered))
        prefix = DIALED[dialed]
        paid = answered and prefix
        cost = Decimal(PRICES[prefix]) * -(-seconds // 60) if paid else Decimal(0)
        told.append((at.astimezone(ZoneInfo(zone)).date(), account, NAMES[prefix] if paid else "", cost))
    imported(company, calls)
    return told


KEYS = {
    "department": lambda _day, who, _to: PEOPLE[who].partition(" / ")[0] or "No department",
    "member": lambda _day, who, _to: who,
    "destination": lambda _day, _who, to: to or "Without a destination",
    "day": lambda day, _who, _to: str(day),
}


def sums_by(made, cut, first, last):
    found = Counter()
    for day, who, where, cost in made:
        if first <= day <= last:
            found[KEYS[cut](day, who, where)] += cost
    return {key: cost for key, cost in found.items() if cost}


def in_cells(rows, cut):
    """What stands in the last column, by what stands in the first."""
    found = {}
    for row in rows[1:]:
        key, cost = str(row[0]), Decimal(str(row[-1]))
        if cost:
            found[key] = cost
    assert cut in str(rows[0][0])
    return found


@pytest.mark.parametrize("cut", KEYS)
def test_what_calls_cost_is_the_same_wherever_it_is_read(client, company, zone, made, cut, monkeypatch):
    printed = []
    make = papers.make_pdf
    monkeypatch.setattr(papers, "make_pdf", lambda html, **how: printed.append(html) or make(html, **how))
    for first, last in (RANGES[zone], WHOLE):
        wanted = sums_by(made, cut, first, last)
        total = sum(wanted.values())
        query = f"from={first}&to={last}&by={cut}"
        page = client.get(f"/{company.slug}/reports/usage/?{query}").context
        assert page["total"]["cost"] == total

        shown = {
            (str(line.row.key) if cut == "day" else line.label): line.row.values["cost"]
            for line in page["lines"]
            if line.row.values["cost"]
        }
        assert shown == wanted
        assert f"adding up to €{total:,.2f}" in page["chart"].label

        export = f"/{company.slug}/reports/usage/export/?{query}&format="
        text = b"".join(client.get(export + "csv").streaming_content).decode("utf-8-sig")
        assert in_cells(list(csv.reader(text.splitlines())), cut) == wanted
        assert in_cells(cells_of(b"".join(client.get(export + "xlsx").streaming_content)), cut) == wanted

        assert client.get(export + "pdf").content.startswith(b"%PDF-")
        amounts = [Decimal(text.replace(",", "")) for text in re.findall(r"€([\d,]+\.\d+)", printed.pop())]
        # The lines, and what all come to behind them.
        assert amounts[-1] == total
        assert sorted(amount for amount in amounts[:-1] if amount) == sorted(wanted.values())


def test_it_is_what_the_calls_say_and_what_the_ledger_holds(company, zone, made):
    for first, last in (RANGES[zone], WHOLE):
        total = sum(sums_by(made, "day", first, last).values())
        start, end = (
            datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC) for day in (first, last + timedelta(days=1))
        )
        calls = Call.objects.filter(organization=company, at__gte=start, at__lt=end)
        posted = Transfer.objects.filter(
            organization=company,
            target__kind=LedgerAccount.Kind.USAGE,
            happened_at__gte=start,
            happened_at__lt=end,
        )
        assert calls.aggregate(sum=Sum("charge"))["sum"] == total
        assert posted.aggregate(sum=Sum("amount"))["sum"] == total
    assert rebuild_usage(actor=SYSTEM, organization=company, check=True).differences == []
