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


# From a day up to another


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("joined_from=2026-11-16", ["Ann", "Bo"]),
        ("joined_from=2026-11-15&joined_to=2026-11-16", ["Bo", "Cy"]),
        ("joined_from=2026-11-15&joined_to=2026-11-15", ["Cy"]),
        ("joined_to=2025-12-31", ["Gus", "Zoé"]),
        ("joined_to=2026-01-01", ["Flo", "Gus", "Zoé"]),
        ("joined_from=2026-11-22&joined=90", ["Ann"]),
        ("joined_from=2026-11-23", []),
        ("joined_from=&joined_to=", ["Ann", "Bo", "Cy", "Di", "Ed", "Flo", "Gus", "Inge", "Zoé"]),
    ],
)
def test_whoever_joined_from_a_day_up_to_another_is_found_both_days_included(listed, people, query, found):
    with time_machine.travel(NOON, tick=False):
        response = listed(f"?{query}")

        assert names(response) == found
        assert [row.member.user.first_name for row in listed(f"?{query}&sort=-name").context["rows"]] == found[::-1]


def test_a_day_is_that_of_the_organization(organization, client):
    tokyo = OrganizationFactory(slug="tokyo", time_zone="Asia/Tokyo")
    client.force_login(MemberFactory(organization=tokyo, admin=True, user__first_name="Zoé").user)
    add(tokyo, "Ai", joined_at=datetime(2026, 11, 22, 0, 30, tzinfo=ZoneInfo("Asia/Tokyo")))
    url = reverse("members:member_list", args=["tokyo"])

    assert names(client.get(url + "?joined_from=2026-11-22&joined_to=2026-11-22")) == ["Ai"]
    assert names(client.get(url + "?joined_from=2026-11-21&joined_to=2026-11-21")) == []


def test_the_days_stand_in_the_address_the_fields_the_chips_and_the_selection(listed, people):
    with time_machine.travel(NOON, tick=False):
        response = listed("?joined_from=2026-11-15&joined_to=2026-11-16&state=active")

        asked = response.context["asked"]
        assert [str(chip.label) for chip in asked.chips()] == ["Joined from 15 November", "Joined up to 16 November"]
    assert asked.chips()[0].url == "?joined_to=2026-11-16&state=active"
    assert asked.cleared_url() == "?state=active"
    assert {("joined_from", "2026-11-15"), ("joined_to", "2026-11-16")} < set(response.context["kept"])
    assert 'name="joined_from" type="date" value="2026-11-15"' in response.text
    assert [str(tab.total) for tab in asked.tabs()] == ["2", "2", "0", "0", "0"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("joined_from=2026-11-16&joined_to=2026-11-15", "The first day is after the last one. Change one of them."),
        ("joined_from=2026-02-30", "“2026-02-30” is no day from 2000 to 2099. Write it as in 2026-11-21."),
        ("joined_to=yesterday", "“yesterday” is no day from 2000 to 2099. Write it as in 2026-11-21."),
        ("joined_to=1999-12-31", "“1999-12-31” is no day from 2000 to 2099. Write it as in 2026-11-21."),
    ],
)
def test_days_that_are_none_are_refused_in_words_and_find_nobody(client, listed, people, query, words):
    response = listed(f"?{query}")

    assert words in response.text
    assert names(response) == []
    assert [tab.total.number for tab in response.context["tabs"]] == [0] * 5
    # Nothing is done to everybody because a day could not be read.
    export = reverse("members:members_export", args=["acme"])
    assert "Nobody was chosen" in client.get(f"{export}?all=1&{query}", follow=True).text
