"""Filters of the members list that no order of it knows: whom they find, in each tab, order and depth."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.urls import reverse

from members.models import Member
from members.selectors import member_pages, members
from skypemgr.lists import PAGE_SIZE
from tests.factories import DepartmentFactory, MemberFactory, OrganizationFactory

Role, State = Member.Role, Member.State
PARIS = ZoneInfo("Europe/Paris")
NOON = datetime(2026, 11, 22, 12, tzinfo=PARIS)
JOINED = {
    "Ann": datetime(2026, 11, 22, 0, 1, tzinfo=PARIS),
    "Bo": datetime(2026, 11, 16, 0, 0, tzinfo=PARIS),
    "Cy": datetime(2026, 11, 15, 23, 59, tzinfo=PARIS),
    "Di": datetime(2026, 10, 24, 0, 0, tzinfo=PARIS),
    "Ed": datetime(2026, 8, 25, 0, 0, tzinfo=PARIS),
    "Flo": datetime(2026, 1, 1, 0, 0, tzinfo=PARIS),
    "Gus": datetime(2025, 12, 31, 23, 59, tzinfo=PARIS),
}


@pytest.fixture
def organization(db):
    return OrganizationFactory(slug="acme")


@pytest.fixture
def listed(client, organization):
    boss = MemberFactory(
        organization=organization, admin=True, user__first_name="Zoé", joined_at=datetime(2024, 1, 1, tzinfo=PARIS)
    )
    client.force_login(boss.user)

    def get(query=""):
        return client.get(reverse("members:member_list", args=["acme"]) + query)

    return get


def add(organization, name, **facts):
    return MemberFactory(organization=organization, user__first_name=name, user__last_name="Berg", **facts)


def names(response):
    return [row.member.user.first_name for row in response.context["rows"]]


@pytest.fixture
def people(organization):
    for name, moment in JOINED.items():
        add(organization, name, joined_at=moment)
    add(organization, "Inge", invited=True)


@pytest.mark.parametrize(
    ("choice", "found"),
    [
        ("7", ["Ann", "Bo"]),
        ("30", ["Ann", "Bo", "Cy", "Di"]),
        ("90", ["Ann", "Bo", "Cy", "Di", "Ed"]),
        ("year", ["Ann", "Bo", "Cy", "Di", "Ed", "Flo"]),
        ("earlier", ["Gus", "Zoé"]),
        ("8", ["Ann", "Bo", "Cy", "Di", "Ed", "Flo", "Gus", "Inge", "Zoé"]),
    ],
)
def test_whoever_joined_in_the_days_of_the_organization_is_found(organization, listed, people, choice, found):
    with time_machine.travel(NOON, tick=False):
        response = listed(f"?joined={choice}")

        assert names(response) == found
        assert f"{len(found)} of {len(found)} members" in response.text
        assert names(listed(f"?joined={choice}&sort=-name")) == found[::-1]


def test_what_is_asked_stands_in_the_address_the_chips_and_the_selection(organization, listed, people):
    with time_machine.travel(NOON, tick=False):
        response = listed("?joined=7&state=active")

    assert [str(chip.label) for chip in response.context["asked"].chips()] == ["Joined in the last 7 days"]
    assert ("joined", "7") in response.context["kept"]
    assert response.context["asked"].cleared_url() == "?state=active"


@pytest.mark.parametrize(("window", "counted"), [(5, 10), (60, 10), (2_000, 1_000)])
@pytest.mark.parametrize("sort", ["-name", "newest"])
@pytest.mark.parametrize(
    "query", ["", "&q=berg", "&state=blocked", "&department=top", "&department=none", "&role=member"]
)
def test_pages_of_them_hold_each_once_in_every_order(organization, listed, monkeypatch, query, sort, window, counted):
    # Who is common is looked for near, and a page that is not there by then is found otherwise.
    monkeypatch.setattr(member_pages, "WINDOW", window)
    monkeypatch.setattr(members, "MOST_FOUND", counted)
    top = DepartmentFactory(organization=organization, name="Top")
    below = DepartmentFactory(organization=organization, name="Below", parent=top)
    for number in range(130):
        add(
            organization,
            f"Person {number:03}",
            joined_at=NOON if number % 5 else datetime(2020, 1, 1, tzinfo=PARIS),
            state=State.ACTIVE if number % 3 else State.BLOCKED,
            department=(None, top, below)[number % 7 % 3],
        )
    query = query.replace("=top", f"={top.pk}")
    with time_machine.travel(NOON, tick=False):
        response = listed(f"?joined=30&sort={sort}{query}")
        asked = response.context["asked"]
        everybody = list(asked.matching().order_by(*asked.order.fields))
        found, pages = names(response), 1
        while url := response.context["page"].next_url:
            response = listed(url)
            found += names(response)
            pages += 1

        assert found == [member.user.first_name for member in everybody]
        assert pages == -(-len(found) // PAGE_SIZE)
        assert len(found) > 15
        if pages > 1:
            assert len(names(listed(response.context["page"].previous_url))) == PAGE_SIZE


def test_tabs_count_what_the_filter_leaves(organization, listed, people):
    add(organization, "Blocked", joined_at=NOON, state=State.BLOCKED)
    add(organization, "Left", joined_at=NOON, state=State.LEFT)

    with time_machine.travel(NOON, tick=False):
        totals = [str(tab.total) for tab in listed("?joined=7").context["tabs"]]

    assert totals == ["3", "2", "0", "1", "1"]
