from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from members.models import Member
from skypemgr.lists import (
    ChoiceFilter,
    Ordering,
    Selection,
    Total,
    change_query,
    chips_of,
    count_up_to,
    keyset_chunks,
    keyset_page,
    read_choice,
    read_day,
    read_text,
)
from tests.factories import MemberFactory, OrganizationFactory

BY_NAME = Ordering("name", ("sort_key", "id"))
NEWEST = Ordering("newest", ("-created_at", "-id"))


@pytest.fixture
def seven(db):
    organization = OrganizationFactory()
    # Two share a name, and two share a moment: the key decides between them.
    members = [
        MemberFactory(organization=organization, sort_key=key) for key in ("ada", "bo", "bo", "cy", "dee", "eve", "fay")
    ]
    start = datetime(2026, 11, 21, 12, tzinfo=UTC)
    for member, second in zip(members, (0, 1, 1, 2, 3, 4, 5), strict=True):
        member.created_at = start + timedelta(seconds=second, microseconds=7)
    Member.objects.bulk_update(members, ["created_at"])
    return organization.members.present()


def turn(queryset, order, url="", size=3):
    return keyset_page(queryset, order=order, query=QueryDict(url.removeprefix("?")), size=size)


@pytest.mark.parametrize("order", [BY_NAME, NEWEST, Ordering("id", ("id",)), Ordering("latest", ("-id",))])
def test_next_visits_every_row_once_and_previous_leads_back(seven, order):
    expected = list(seven.order_by(*order.fields))
    forward, url = [], ""
    while True:
        page = turn(seven, order, url)
        forward.append(page.rows)
        if not page.next_url:
            break
        url = page.next_url

    assert [row for rows in forward for row in rows] == expected
    assert [len(rows) for rows in forward] == [3, 3, 1]

    back = turn(seven, order, page.previous_url)
    assert back.rows == forward[1]
    first = turn(seven, order, back.previous_url)
    assert first.rows == forward[0]
    assert first.previous_url == ""


def test_the_first_page_is_full_however_one_comes_to_it(seven):
    second = turn(seven, BY_NAME, turn(seven, BY_NAME, size=2).next_url)

    assert len(turn(seven, BY_NAME, second.previous_url).rows) == 3


def test_a_row_added_meanwhile_moves_nothing(seven):
    first = turn(seven, BY_NAME)
    MemberFactory(organization=first.rows[0].organization, sort_key="aaron")

    assert [row.sort_key for row in turn(seven, BY_NAME, first.next_url).rows] == ["cy", "dee", "eve"]


def test_a_page_beyond_the_rows_that_are_left_is_the_first_page(seven):
    last = turn(seven, BY_NAME, size=6).next_url
    seven.filter(sort_key="fay").delete()

    assert turn(seven, BY_NAME, last).rows == turn(seven, BY_NAME).rows


def test_urls_keep_the_filters(seven):
    query = QueryDict("q=bo&department=3&cursor=old")

    page = keyset_page(seven, order=BY_NAME, query=query, size=2)

    assert page.next_url.startswith("?q=bo&department=3&cursor=")
    assert page.next_url.count("cursor=") == 1


@pytest.mark.parametrize(
    "cursor",
    ["x", "%00", "%FF", "e30:", "0", "a" * 5_000, "W10:abc", "[]", "ImEi.:", "Tm90aGluZw:1tC3Xk:xyz"],
)
def test_a_forged_cursor_is_ignored(seven, cursor):
    assert turn(seven, BY_NAME, f"cursor={cursor}").rows == turn(seven, BY_NAME).rows


def test_a_cursor_of_another_order_or_list_is_ignored(seven):
    cursor = turn(seven, BY_NAME).next_url

    assert turn(seven, NEWEST, cursor).rows == turn(seven, NEWEST).rows
    users = type(seven[0].user).objects.all()
    assert turn(users, Ordering("name", ("skype_name", "id")), cursor).previous_url == ""


def test_a_page_is_found_by_a_bounded_index_scan_and_never_by_an_offset(seven):
    url = turn(seven, NEWEST).next_url
    with CaptureQueriesContext(connection) as captured:
        turn(seven, NEWEST, url)
        turn(seven, NEWEST, turn(seven, NEWEST, url).previous_url)

    for statement in captured:
        assert "OFFSET" not in statement["sql"]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
        cursor.execute("EXPLAIN " + captured[0]["sql"])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "member_newest" in plan
    assert "created_at <=" in plan.split("Index Cond:")[1].split("\n")[0]


def test_an_order_runs_in_one_direction():
    with pytest.raises(ValueError, match="one direction"):
        Ordering("odd", ("name", "-id"))


def test_the_text_says_how_many_of_how_many(seven):
    page = keyset_page(
        seven, order=BY_NAME, query=QueryDict(), size=3, text="{shown} of {total} members", total=Total(1204)
    )

    assert page.text == "3 of 1,204 members"


def test_counting_stops_at_the_cap(seven):
    assert str(count_up_to(seven)) == "7"
    assert str(count_up_to(seven, 5)) == "5+"
    assert str(Total(9_990) + Total(10_000, capped=True)) == "19,990+"


@pytest.mark.parametrize("order", [BY_NAME, NEWEST])
@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_chunks_hold_every_row_once_in_order(seven, order, size):
    chunks = list(keyset_chunks(seven, order=order, size=size))

    assert [row for chunk in chunks for row in chunk] == list(seven.order_by(*order.fields))
    assert all(len(chunk) <= size for chunk in chunks)


def test_changing_a_query_drops_the_cursor_and_what_is_empty():
    query = QueryDict("q=a&sort=name&cursor=abc&role=x&role=y")

    assert change_query(query, sort="newest") == "?q=a&role=x&role=y&sort=newest"
    assert change_query(query, role="", q="") == "?sort=name"
    assert query["cursor"] == "abc"


@pytest.mark.parametrize("value", ["password", "-company__wallet__balance", "a;--", "a.b", "", "NAME"])
def test_only_allowed_choices_get_through(value):
    query = QueryDict(mutable=True)
    query["sort"] = value

    assert read_choice(query, "sort", ["name", "newest"], "name") == "name"


def test_an_allowed_choice_is_read():
    assert read_choice(QueryDict("sort=newest"), "sort", ["name", "newest"], "name") == "newest"


def test_a_search_is_cut_and_holds_only_what_can_be_seen():
    query = QueryDict(mutable=True)
    query["q"] = " a\u200bb\x07c\n" + "d" * 500

    assert read_text(query) == "a b c " + "d" * 94
    assert read_text(QueryDict()) == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-21", date(2026, 11, 21)),
        ("2026-02-30", None),
        ("9999-12-31", None),
        ("0001-01-01", None),
        ("01/02/2026", None),
        ("20261121", None),
        ("2026-W47-6", None),
        ("٢٠٢٦-١١-٢١", None),
        ("", None),
    ],
)
def test_only_iso_days_of_this_century_are_read(text, expected):
    query = QueryDict(mutable=True)
    query["since"] = text

    assert read_day(query, "since") == expected


def test_each_chosen_filter_has_a_chip_that_takes_it_away():
    filters = [
        ChoiceFilter(key="role", label="Role", every="Every role", choices=[("a", "Boss")], chosen="a"),
        ChoiceFilter(key="kind", label="Kind", every="Every kind", choices=[("b", "Business")]),
    ]

    assert [(chip.label, chip.url) for chip in chips_of(filters, QueryDict("q=x&role=a&cursor=c"))] == [
        ("Boss", "?q=x")
    ]


def test_a_selection_reads_ids_and_leaves_nonsense_out():
    query = QueryDict(
        "member=3&member=x&member=-1&member=1e3&member=3&member=99999999999999999999&member=%D9%A3&member=7"
    )

    selection = Selection.read(query, name="member")

    assert selection.ids == (3, 7)
    assert selection.fields(["q"]) == [("member", "3"), ("member", "7")]


def test_everything_that_matches_takes_its_filters_along():
    selection = Selection.read(QueryDict("all=1&member=3&q=ann&role=&sort=name"), name="member")

    assert selection.everything
    assert selection.ids == ()
    assert selection.fields(["q", "role", "state"]) == [("all", "1"), ("q", "ann")]


def test_a_selection_gives_the_ticked_rows_or_all_that_match(seven):
    bo = seven.filter(sort_key="bo")
    ada = seven.get(sort_key="ada")

    assert list(Selection.read(QueryDict(f"member={ada.pk}"), name="member").of(seven, bo)) == [ada]
    assert set(Selection.read(QueryDict("all=1"), name="member").of(seven, bo)) == set(bo)


def test_a_page_costs_one_query_wherever_it_is(seven, django_assert_num_queries):
    url = turn(seven, BY_NAME).next_url
    for place in ("", url):
        with django_assert_num_queries(1):
            turn(seven, BY_NAME, place)


def test_a_page_holds_fifty_rows_unless_told_otherwise(db):
    organization = OrganizationFactory()
    MemberFactory.create_batch(51, organization=organization)

    page = keyset_page(organization.members.all(), order=BY_NAME, query=QueryDict("size=1000&per_page=1000"))

    assert len(page.rows) == 50
    assert page.next_url
