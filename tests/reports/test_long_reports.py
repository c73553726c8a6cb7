"""Reports of a hundred thousand people: the page asks for few of them, and a file never holds them all."""

import tracemalloc
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection

from reports.asked import Asked, Cut, Days
from reports.tables import COMPANY, Found, cut_report
from reports.views.report import MOST_SHOWN
from telephony.calls.partitions import make_months
from tests.factories import MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db
OCTOBER = Days.of_month(date(2026, 10, 1))
# People by made-up keys, each of them dearer than the one before.
FILL = """
    INSERT INTO telephony_memberusage (organization_id, month, member_id, calls, answered, seconds, charge)
    SELECT {organization}, '2026-10-01', 1000000 + number, 2, 1, 60, number * 0.0100
    FROM generate_series(1, {people}) AS number
"""
ADD_UP = """
    INSERT INTO telephony_monthusage (organization_id, month, calls, answered, seconds, charge)
    SELECT organization_id, month, sum(calls), sum(answered), sum(seconds), sum(charge)
    FROM telephony_memberusage WHERE organization_id = {organization} GROUP BY 1, 2
"""


def company_with(people, client):
    organization = OrganizationFactory(country="FR", currency="EUR", time_zone="UTC", language="en")
    client.force_login(MemberFactory(organization=organization, admin=True).user)
    with connection.cursor() as cursor:
        cursor.execute(FILL.format(organization=organization.pk, people=people))
        cursor.execute(ADD_UP.format(organization=organization.pk))
    return organization


def download(client, organization, kind="csv", name="usage"):
    return client.get(f"/{organization.slug}/reports/{name}/export/?month=2026-10&by=member&format={kind}")


def test_the_page_shows_those_who_cost_the_most_and_counts_all(client):
    organization = company_with(1_234, client)

    page = client.get(f"/{organization.slug}/reports/usage/?month=2026-10&by=member")

    shown = [line.row.values["cost"] for line in page.context["lines"]]
    assert shown == [Decimal(1_234 - place) / 100 for place in range(MOST_SHOWN)]
    assert page.context["more"] == 1_234 - MOST_SHOWN
    assert page.context["total"] == {"calls": 1_234, "seconds": 1_234 * 60, "cost": Decimal("7619.95")}


def test_the_page_asks_for_as_little_of_many_as_of_few(client, monkeypatch):
    organization = company_with(5_000, client)
    read = []
    made = Found._made
    monkeypatch.setattr(Found, "_made", lambda self, found: read.append(len(found)) or made(self, found))

    client.get(f"/{organization.slug}/reports/usage/?month=2026-10&by=member")

    assert max(read) == MOST_SHOWN


@pytest.mark.parametrize("name", ["usage", "spending"])
def test_a_file_has_everybody_in_the_order_of_the_page(name, client):
    organization = company_with(2_345, client)

    response = download(client, organization, name=name)

    rows = b"".join(response.streaming_content).decode().splitlines()
    amounts = [Decimal(row.split(",")[-1].strip('"')) for row in rows[1:]]
    assert amounts == [Decimal(place) / 100 for place in range(2_345, 0, -1)]


def test_what_stands_beside_the_people_stands_first():
    report, organization = cut_report("spending"), OrganizationFactory()
    figures = {"calls": Decimal(0), "fees": Decimal(1), "cost": Decimal(1)}

    rows = report._rows(
        organization,
        Asked(OCTOBER, Cut.MEMBER),
        {7: figures | {"cost": Decimal(9)}, COMPANY: figures},
    )

    assert [row.key for row in rows] == [COMPANY, 7]


CALLS = """
    INSERT INTO telephony_call (
        organization_id, at, id, imported_id, answered_at, ended_at, day, duration, seconds, direction, country, digits,
        plan, account, caller, called, destination, billed_seconds, price, outcome, charge, postings, member_id
    )
    SELECT {organization}, at, number, 0, at, at + interval '60 seconds', '2026-10-15', 60, 60, 'outbound', 'FR',
        '33123456789', '', 'marie', '', '+33123456789', 'France', 60, 0.01, 'rated', 0.01, 0, {member}
    FROM (SELECT number, timestamptz '2026-10-15T00:00Z' + number * interval '1 second' AS at
        FROM generate_series({first}, {first} + {calls} - 1) AS number) AS made
"""


def peak_of(response):
    """How long a file is, and the most memory that sending it takes."""
    tracemalloc.start()
    size = sum(len(piece) for piece in response.streaming_content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return size, peak


def test_a_file_of_calls_takes_no_more_memory_of_many_than_of_few(client):
    make_months([OCTOBER.first])
    found = []
    for calls in (3_000, 30_000):
        organization = company_with(1, client)
        member = organization.members.get()
        with connection.cursor() as cursor:
            facts = {"organization": organization.pk, "member": member.pk, "first": calls, "calls": calls}
            cursor.execute(CALLS.format(**facts))
        found.append(peak_of(client.get(f"/{organization.slug}/reports/calls/export/?month=2026-10")))
    (_size, few), (size, many) = found
    assert size > 30_000 * 50
    assert many < few * 1.5


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_file_takes_no_more_memory_of_many_people_than_of_few(kind, client):
    peaks = []
    for people in (3_000, 30_000):
        size, peak = peak_of(download(client, company_with(people, client), kind))
        peaks.append(peak)
        assert size > people * 5
    assert peaks[1] < peaks[0] * 1.5
