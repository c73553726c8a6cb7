"""The list of members: who is found, what is shown, what a file of it holds."""

import csv
import io
import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from members.models import Member
from members.registry import BulkAction, MembersColumn, MembersFilter, registry
from members.views import member_rows, members
from tests.factories import DepartmentFactory, MemberFactory, OrganizationFactory

Role, State = Member.Role, Member.State


@pytest.fixture
def organization(db):
    return OrganizationFactory(slug="acme", name="Acme")


@pytest.fixture
def boss(organization):
    return MemberFactory(organization=organization, admin=True, user__first_name="Zoé", user__last_name="Boss")


@pytest.fixture
def listed(client, boss):
    """Get a page of the list; gives the response."""
    client.force_login(boss.user)

    def get(query="", **headers):
        return client.get(reverse("members:member_list", args=["acme"]) + query, headers=headers)

    return get


def add(organization, first_name, **facts):
    names = {"user__first_name": first_name, "user__last_name": "Berg"}
    return MemberFactory(organization=organization, **(names | facts))


def names(response):
    return [row.name for row in response.context["rows"]]


# Who is found


def test_everyone_present_is_listed_by_name(organization, listed):
    for name in ("Cleo", "Åke", "Bo"):
        add(organization, name)
    add(organization, "Gone", state=State.LEFT)
    MemberFactory(user__first_name="Stranger")

    response = listed()

    assert names(response) == ["Åke Berg", "Bo Berg", "Cleo Berg", "Zoé Boss"]
    assert "4 of 4 members, by name" in response.text
    assert "Gone" not in response.text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?state=left", ["Gone Berg"]),
        ("?state=invited", ["Inge Berg"]),
        ("?state=blocked", ["Bo Berg"]),
        ("?state=active", ["Ann Berg", "Zoé Boss"]),
        ("?role=administrator", ["Zoé Boss"]),
        ("?role=voice_manager", ["Ann Berg"]),
        ("?kind=personal", ["Bo Berg"]),
        ("?q=berg%20ann", ["Ann Berg"]),
        ("?q=zoe", ["Zoé Boss"]),
        ("?q=ZOÉ", ["Zoé Boss"]),
        ("?q=the.ann", ["Ann Berg"]),
        ("?q=ann%40mail.example", ["Ann Berg"]),
        ("?sort=-name", ["Zoé Boss", "Inge Berg", "Bo Berg", "Ann Berg"]),
        ("?sort=newest", ["Inge Berg", "Bo Berg", "Ann Berg", "Zoé Boss"]),
        ("?sort=oldest", ["Zoé Boss", "Ann Berg", "Bo Berg", "Inge Berg"]),
    ],
)
def test_filters_search_and_orders_find_whom_they_say(organization, listed, query, found):
    add(organization, "Ann", role=Role.VOICE_MANAGER, user__skype_name="the.ann", user__email="ann@mail.example")
    add(organization, "Bo", state=State.BLOCKED, personal=True)
    add(organization, "Inge", invited=True)
    add(organization, "Gone", state=State.LEFT)

    assert names(listed(query)) == found


def test_a_department_holds_those_of_its_sub_departments(organization, listed):
    sales = DepartmentFactory(organization=organization, name="Sales")
    berlin = DepartmentFactory(organization=organization, name="Berlin", parent=sales)
    lookalike = DepartmentFactory(organization=organization, name="Sales and more")
    for name, department in (("Ann", sales), ("Bo", berlin), ("Cy", lookalike), ("Dee", None)):
        add(organization, name, department=department)

    assert names(listed(f"?department={sales.pk}")) == ["Ann Berg", "Bo Berg"]
    assert names(listed(f"?department={berlin.pk}")) == ["Bo Berg"]
    assert names(listed("?department=none")) == ["Dee Berg", "Zoé Boss"]


@pytest.mark.parametrize("search", ["%", "_", "\\", "100%", "a_n", "%25%25", "'; DROP TABLE members_member; --"])
def test_a_search_is_taken_literally(organization, listed, search):
    add(organization, "Ann")

    assert names(listed(f"?q={search.replace('%', '%25')}")) == []


@pytest.mark.parametrize(
    "query",
    [
        "?sort=password",
        "?sort=-company__wallet__balance",
        "?sort=a;--",
        "?cursor=forged",
        "?cursor=%00x".replace("%00", "%01"),
        "?department=99999999999999999999",
        "?department=1e3",
        "?department=%D9%A3",
        "?role=emperor",
        "?kind=both",
        "?state=all",
        "?q=%FF%FE".replace("%FF%FE", "%E2%80%8B"),
        "?per_page=1000000&page=-1",
        "?all=1&member=x&member=-1",
        "?" + "&".join(f"x{n}=1" for n in range(500)),
    ],
)
def test_nonsense_in_the_address_is_ignored(organization, listed, query):
    response = listed(query)

    assert response.status_code == 200
    assert names(response) == ["Zoé Boss"]


def test_a_department_of_another_organization_filters_nothing(organization, listed):
    foreign = DepartmentFactory()

    assert names(listed(f"?department={foreign.pk}")) == ["Zoé Boss"]


def test_pages_follow_each_other_with_their_filters(organization, listed):
    MemberFactory.create_batch(120, organization=organization, role=Role.VOICE_MANAGER)

    first = listed("?role=voice_manager")
    second = listed(first.context["page"].next_url)
    third = listed(second.context["page"].next_url)

    assert "50 of 120 members, by name" in first.text
    assert [len(names(response)) for response in (first, second, third)] == [50, 50, 20]
    assert len({name for response in (first, second, third) for name in names(response)}) == 120
    assert names(listed(second.context["page"].previous_url)) == names(first)


# What is shown


def test_tabs_count_what_the_filters_leave(organization, listed):
    department = DepartmentFactory(organization=organization)
    for state, number in ((State.ACTIVE, 3), (State.INVITED, 2), (State.BLOCKED, 1), (State.LEFT, 4)):
        MemberFactory.create_batch(number, organization=organization, state=state, department=department)

    def counts(response):
        return [str(tab.total) for tab in response.context["tabs"]]

    assert counts(listed()) == ["7", "4", "2", "1", "4"]
    assert counts(listed(f"?department={department.pk}&state=left")) == ["6", "3", "2", "1", "4"]


def test_active_filters_are_chips_that_take_themselves_away(organization, listed):
    department = DepartmentFactory(organization=organization, name="Sales")
    response = listed(f"?q=zo&department={department.pk}&role=administrator&state=active")

    chips = {str(chip.label): chip.url for chip in response.context["asked"].chips()}

    assert list(chips) == ["“zo”", "Sales", "Administrator"]
    assert chips["Sales"] == "?q=zo&role=administrator&state=active"
    assert response.context["asked"].cleared_url() == "?state=active"


def test_nobody_found_offers_to_clear_the_filters(organization, listed):
    response = listed("?q=nobody")

    assert "Nobody matches" in response.text
    assert "Clear the filters" in response.text


def test_a_state_without_anybody_leads_back_to_everyone(organization, listed):
    assert "Nobody in this state" in listed("?state=blocked").text


def test_departments_are_offered_as_a_tree_and_each_by_its_own_name(organization, listed):
    north = DepartmentFactory(organization=organization, name="Nord")
    oslo = DepartmentFactory(organization=organization, parent=north, name="Studio <Oslo>")

    response = listed(f"?department={oslo.pk}")

    assert f"<option value={north.pk}>Nord<option value={oslo.pk} selected>\u2003Studio &lt;Oslo&gt;" in response.text
    assert "Nord / Studio &lt;Oslo&gt;" in response.text, "the chip says the whole path"


def test_of_a_large_tree_what_is_above_is_offered_and_what_is_around_the_chosen(organization, listed, monkeypatch):
    monkeypatch.setattr(member_rows, "MOST_OFFERED", 6)
    north, south = (DepartmentFactory(organization=organization, name=name) for name in ("Nord", "Syd"))
    oslo, lund = (DepartmentFactory(organization=organization, parent=north, name=name) for name in ("Oslo", "Lund"))
    for parent in (oslo, lund, south):
        for name in ("Kök", "Växel"):
            DepartmentFactory(organization=organization, parent=parent, name=name)

    def offered(query):
        [options] = re.findall(r'<select[^>]* id="f-department".*?</select>', listed(query).text)
        return re.findall(r">([^<]+)", options)[1:]

    assert offered("") == ["Nord …", "Syd …", "In no department"]
    below_north = ["\u2003Lund …", "\u2003Oslo …"]
    assert offered(f"?department={north.pk}") == ["Nord", *below_north, "Syd …", "In no department"]
    found = offered(f"?department={lund.pk}")
    below_lund = ["\u2003\u2003Kök", "\u2003\u2003Växel"]
    assert found == ["Nord", "\u2003Lund", *below_lund, "\u2003Oslo …", "Syd …", "In no department"]
    monkeypatch.setattr(member_rows, "MOST_OFFERED", 7)
    assert offered("")[1:3] == below_north


def test_what_a_large_tree_offers_follows_what_is_chosen_without_a_new_page(organization, listed, monkeypatch):
    for module in (member_rows, members):
        monkeypatch.setattr(module, "MOST_OFFERED", 2)
    north, _south = (DepartmentFactory(organization=organization, name=name) for name in ("Nord", "Syd"))
    oslo = DepartmentFactory(organization=organization, parent=north, name="Oslo")

    page = listed(f"?department={north.pk}", **{"HX-Request": "true", "HX-Request-Type": "partial"}).text

    [options] = re.findall(r'<select[^>]* id="f-department"[^>]* hx-swap-oob="true">.*?</select>', page)
    assert f"<option value={oslo.pk}>" in options
    assert 'id="f-role"' not in page, "which stays as it is"


def test_names_are_escaped(organization, listed):
    add(organization, "<b>x</b>", user__last_name='"><svg/onload=alert(1)>')

    response = listed()

    assert "<b>x</b>" not in response.text
    assert "<svg/onload" not in response.text
    assert ">&lt;b&gt;x&lt;/b&gt;" in response.text


def test_who_only_looks_may_export_and_has_no_way_to_add_or_change(organization, client):
    viewer = MemberFactory(organization=organization, role=Role.REPORTS_VIEWER)
    client.force_login(viewer.user)

    response = client.get(reverse("members:member_list", args=["acme"]))

    assert [action.key for action, _url in response.context["actions"]] == ["export"]
    for forbidden in ("Add members", "Block sign-in", "Move to department"):
        assert forbidden not in response.text


def test_everything_that_matches_can_be_chosen_once_there_is_more_than_a_page(organization, listed):
    assert 'name="all"' not in listed().text
    MemberFactory.create_batch(51, organization=organization)

    response = listed("?q=person")

    assert 'name="all" value="1"' in response.text
    assert "All 52 that match" in response.text
    assert '<input type="hidden" name="q" value="person">' in response.text


def test_the_list_costs_as_many_queries_for_twenty_as_for_one(organization, listed):
    department = DepartmentFactory(organization=organization)

    def cost():
        with CaptureQueriesContext(connection) as captured:
            listed()
        return len(captured)

    add(organization, "Ann", department=department)
    few = cost()
    MemberFactory.create_batch(20, organization=organization, department=department)

    assert cost() == few
    # Session, account, membership; departments, counts, rows; balances, auto-recharge; the licenses and Voice, which
    # can be asked for; the organizations of the menu, and whether it has Voice.
    assert few <= 12


# Columns


def choose(client, *keys, query="", **also):
    return client.post(reverse("members:members_columns", args=["acme"]) + query, {"column": keys, **also})


def headings(response):
    [head] = re.findall(r"<thead>.*?</thead>", response.text, re.DOTALL)
    found = re.findall(r"<th(?![^>]*(?:cell-select|cell-menu))[^>]*>(?:<a[^>]*>)?([^<]+)", head)
    return [unescape(heading) for heading in found]


def test_columns_are_chosen_and_kept_by_the_browser(organization, listed, client):
    add(organization, "Ann", email="ann@mail.example", job_title="Carpenter <1>", joined_at=timezone.now())
    usual = ["Name", "Department and role", "State", "Balance", "Auto-recharge"]
    assert headings(listed()) == usual

    response = choose(client, "email", "job_title", "state", "nonsense", query="?q=ann&sort=newest&cursor=x")

    assert response.url == reverse("members:member_list", args=["acme"]) + "?q=ann&sort=newest"
    page = listed("?q=ann")
    assert headings(page) == ["Name", "State", "E-mail", "Job title"]
    assert '<td data-label=E-mail>ann@mail.example<td data-label="Job title">Carpenter &lt;1&gt;' in page.text
    assert "</small><td><span class=badge-" in page.text, "without the cell of the department"
    assert 'value="email" checked' in page.text
    assert 'value="balance" checked' not in page.text
    choose(client)
    assert headings(listed()) == ["Name"]
    choose(client, "email", standard="1")
    assert headings(listed()) == usual


def test_a_column_that_is_not_shown_is_not_asked_for(organization, listed, client, additions):
    asked = []
    registry.add(
        MembersColumn(
            key="test_number", label="Number", order=10, values=lambda organization, members: asked.append(1) or {}
        )
    )
    listed()
    assert asked == [1]

    choose(client, "email")
    listed()

    assert asked == [1]


def test_the_file_has_every_column_whichever_are_shown(organization, listed, client):
    listed()
    whole = download(client)
    choose(client, "email")

    assert download(client) == whole


@pytest.mark.parametrize(
    ("query", "sorted_by", "next_order"),
    [("", "", "newest"), ("?sort=newest", "descending", "oldest"), ("?sort=oldest", "ascending", "newest")],
)
def test_the_heading_of_a_column_that_has_an_order_sorts_by_it(listed, client, query, sorted_by, next_order):
    listed()
    choose(client, "added", "email")

    text = listed(query).text

    heading = re.search(r'<th scope="col"([^>]*)><a class="sort" href="([^"]+)">Added', text)
    assert heading and (sorted_by in heading[1] if sorted_by else "aria-sort" not in heading[1])
    assert heading[2] == f"?sort={next_order}"
    assert re.search(r'<th scope="col">E-mail', text), "by which the list has no order"


# htmx


def test_htmx_gets_the_results_alone_and_a_word_about_them(organization, listed):
    headers = {"HX-Request": "true", "HX-Request-Type": "partial"}

    response = listed("?q=zo", **headers)

    assert "<html" not in response.text
    assert 'id="results"' in response.text
    assert 'id="list-status" role="status" hx-swap-oob="true">1 of 1 member, by name' in response.text
    assert 'id="member-tabs"' in response.text


def test_a_page_that_htmx_restores_is_whole(organization, listed):
    assert "<html" in listed("", **{"HX-Request": "true", "HX-Request-Type": "full"}).text
    assert "<html" in listed("", **{"HX-Request": "true"}).text


# What higher apps add


@pytest.fixture
def additions(db):
    entries = [
        MembersColumn(
            key="test_number",
            label="Number",
            order=10,
            values=lambda organization, members: {member.pk: f"No. {member.pk}" for member in members},
            numeric=True,
        ),
        MembersFilter(
            key="test_letter",
            label="Letter",
            order=10,
            choices=lambda organization: [("a", "With A"), ("b", "With B")],
            apply=lambda members, value: members.filter(user__first_name__istartswith=value),
        ),
        BulkAction(
            key="test_wave",
            label="Wave",
            url_name="members:members_move",
            capability="manage_members",
            order=1,
        ),
    ]
    registry.add(*entries)
    yield entries
    for entry in entries:
        registry.remove(type(entry), entry.key)


def test_other_apps_add_columns_filters_and_actions(organization, listed, additions):
    ann = add(organization, "Ann")
    add(organization, "Bo")

    response = listed("?test_letter=a")

    assert names(response) == ["Ann Berg"]
    assert f"<td data-label=Number class=num>No. {ann.pk}" in response.text
    assert "With A" in [str(chip.label) for chip in response.context["asked"].chips()]
    assert str(response.context["actions"][0][0].label) == "Wave"
    assert names(listed("?test_letter=c")) == ["Ann Berg", "Bo Berg", "Zoé Boss"]


def test_the_columns_of_other_apps_are_asked_once_a_page(organization, listed, additions):
    asked = []
    registry.add(
        MembersColumn(
            key="test_number",
            label="Number",
            order=10,
            values=lambda organization, members: asked.append(len(members)) or {},
        )
    )
    MemberFactory.create_batch(4, organization=organization)

    listed()

    assert asked == [5]


# The file


def download(client, query=""):
    response = client.get(reverse("members:member_export", args=["acme"]) + query)
    assert response.status_code == 200
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(response.getvalue().decode("utf-8-sig"))))


def test_the_file_holds_exactly_what_is_filtered(organization, listed, client):
    sales = DepartmentFactory(organization=organization, name="Sales")
    listed()
    add(organization, "Ann", department=sales, user__skype_name="ann.berg", user__email="ann@mail.example")
    add(organization, "Bo", state=State.LEFT, department=sales)

    header, *rows = download(client, f"?department={sales.pk}")

    assert header == [
        "Skype Name",
        "First name",
        "Last name",
        "E-mail",
        "Department",
        "Role",
        "Kind",
        "State",
        "Joined",
        "Job title",
        "Language",
        "Balance",
        "Auto-recharge",
        "Licenses",
        "Phone number",
    ]
    today = timezone.localdate(timezone=timezone.get_default_timezone()).isoformat()
    assert [row[:8] for row in rows] == [
        ["ann.berg", "Ann", "Berg", "ann@mail.example", "Sales", "Member", "Business account", "Active"]
    ]
    assert rows[0][8][:7] == today[:7]
    assert rows[0][11] == "0.0000"


def test_the_file_is_in_the_language_of_its_reader_and_defuses_formulas(organization, listed, client, boss, additions):
    listed()
    add(organization, '=HYPERLINK("http://x","y")')
    boss.user.language = "fr"
    boss.user.save()

    header, *rows = download(client)

    with translation.override("fr"):
        assert header[0] == translation.gettext("Skype Name")
        assert rows[0][5] == str(Role.MEMBER.label)
    assert rows[0][1] == '\'=HYPERLINK("http://x","y")'
    assert header[9] == "Number"
    assert rows[0][9].startswith("No. ")


def test_more_people_than_a_chunk_holds_are_all_in_the_file_once(organization, listed, client, monkeypatch):
    listed()
    MemberFactory.create_batch(60, organization=organization)
    monkeypatch.setattr("skypemgr.lists.keyset_chunks.__kwdefaults__", {"size": 25})

    _header, *rows = download(client, "?sort=-name")

    assert len(rows) == len({row[0] for row in rows}) == 61
