"""The page that says what calls cost."""

import pytest

from tests.factories import DepartmentFactory, MemberFactory, OrganizationFactory
from tests.telephony.calls import a_call, imported, with_rates

pytestmark = pytest.mark.django_db


@pytest.fixture
def company(client):
    with_rates()
    organization = OrganizationFactory(country="FR", currency="EUR", time_zone="Europe/Paris", language="en")
    client.force_login(MemberFactory(organization=organization, admin=True).user)
    sites = DepartmentFactory(organization=organization, name="Chantiers", path="Chantiers")
    north = DepartmentFactory(organization=organization, parent=sites, name="Nord", path="Chantiers / Nord")
    for name, department in (("marie.curie", sites), ("pierre.curie", north), ("somebody", None)):
        MemberFactory(organization=organization, user__skype_name=name, department=department)
    imported(
        organization,
        [
            a_call(1, account="marie.curie"),
            a_call(2, account="pierre.curie", seconds=120),
            a_call(3, account="somebody", to="+33123456789"),
            a_call(4, account="nobody.at.all"),
        ],
    )
    return organization


def lines(client, organization, query=""):
    page = client.get(f"/{organization.slug}/reports/usage/?month=2026-10&{query}")
    assert page.status_code == 200
    return {line.label: (line.row.values["calls"], line.row.values["cost"]) for line in page.context["lines"]}


def test_departments_come_by_what_they_cost_and_open_up_to_their_people(client, company):
    found = lines(client, company)
    assert {name: f"{cost:.2f}" for name, (_calls, cost) in found.items()} == {
        "Chantiers": "0.15",
        "No department": "0.02",
    }
    sites = company.departments.get(path="Chantiers")
    below = lines(client, company, f"department={sites.pk}")
    assert {name: f"{cost:.2f}" for name, (_calls, cost) in below.items()} == {
        "Chantiers / Nord": "0.10",
        "Chantiers, directly": "0.05",
    }

    inside = lines(client, company, f"by=member&department={sites.pk}")

    assert list(inside) == ["pierre.curie", "marie.curie"]


def test_links_lead_where_they_say(client, company):
    here = f"/{company.slug}/reports/usage/"
    page = client.get(f"{here}?month=2026-10")
    [people] = [tab["url"] for tab in page.context["tabs"] if tab["label"] == "People"]
    [sites] = [line.url for line in page.context["lines"] if line.label == "Chantiers"]

    assert client.get(here + people).context["asked"].cut == "member"
    inside = client.get(here + sites)
    assert [line.label for line in inside.context["lines"]] == ["Chantiers / Nord", "Chantiers, directly"]
    assert inside.context["asked"].days.first.month == 10
    [north, directly] = [client.get(here + line.url) for line in inside.context["lines"]]
    assert [line.label for line in north.context["lines"]] == ["pierre.curie"]
    assert [line.label for line in directly.context["lines"]] == ["marie.curie"]
    assert [chip.label for chip in directly.context["chips"]] == ["Chantiers, directly"]
    [everywhere] = inside.context["chips"]
    assert client.get(here + everywhere.url).context["asked"].scope.department is None
    before = client.get(here + inside.context["month_before"]["url"]).context["asked"]
    assert (before.days.first.month, before.scope.department.path) == (9, "Chantiers")


def test_people_destinations_and_days(client, company):
    assert list(lines(client, company, "by=member")) == ["pierre.curie", "marie.curie", "somebody", "Nobody’s"]
    assert list(lines(client, company, "by=destination")) == ["Spain", "France", "Without a destination"]
    assert next(iter(lines(client, company, "by=day").values()))[0] == 4


def test_the_file_holds_the_same_lines(client, company):
    answer = client.get(f"/{company.slug}/reports/usage/export/?month=2026-10&by=member")

    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert text.splitlines() == [
        "member,calls,seconds,cost",
        "pierre.curie,1,120,0.1000",
        "marie.curie,1,60,0.0500",
        "somebody,1,60,0.0200",
        "Nobody’s,1,60,0.0000",
    ]


def test_other_days_and_the_time_before(client, company):
    page = client.get(f"/{company.slug}/reports/usage/?month=2026-11")
    assert page.context["total"]["calls"] == 0
    assert [stat.note for stat in page.context["stats"]] == [
        "€0.17 before, −100%",
        "5 before, −100%",
        "4 before, −100%",
    ]
    assert b"No calls in these days" in page.content

    days = client.get(f"/{company.slug}/reports/usage/?from=2026-10-15&to=2026-10-15")
    assert days.context["total"]["calls"] == 4


def test_a_department_of_another_organization_is_not_found(client, company):
    other = DepartmentFactory()

    assert client.get(f"/{company.slug}/reports/usage/?department={other.pk}").status_code == 404
