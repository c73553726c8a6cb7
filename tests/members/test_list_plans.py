"""The plans by which pages of the list are found, asked of the database for every filter, order and depth."""

import json
from datetime import timedelta
from decimal import Decimal
from itertools import product
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from django.http import QueryDict
from django.utils import timezone

from credit.ledger import Move, account_of, accounts_of, post
from members.access import Actor
from members.crowd import Tongue, add_crowd, tidy_tables
from members.models import Department, Member, User
from members.selectors import member_pages
from members.selectors.joined import JOINED
from members.selectors.member_pages import FEW, WINDOW
from members.selectors.members import ORDERS, TABS, MembersQuery
from members.services.demo import ENGLISH, FRENCH
from skypemgr.lists import MOST_COUNTED, PAGE_SIZE, Total, page_url
from telephony.models import LicenseAssignment, NumberAssignment, NumberOwnership, PhoneNumber
from tests.credit.moves import buy
from tests.factories import (
    EmergencyAddressFactory,
    LicenseFactory,
    MemberFactory,
    NumberAreaFactory,
    OrganizationFactory,
)

# Enough of them that a plan which reads all of an organization is told from one that reads a page.
PEOPLE = 20_000
REGION, STUDIO, TEAM = "Europe du Nord", "Europe du Sud / Studio Lyon", "Europe du Sud / Studio Lyon / Accueil"
# Of so many one is overdrawn, and one never got any credit.
FEW_AMONG = 400
TABLES = ("credit_ledgeraccount", "telephony_licenseassignment", "telephony_numberassignment")
SEARCHES = ("vasseur", "yann", "agathe even-even", "xyzzyx", "ka", "xq", "1234@")


pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def company(django_db_setup, django_db_blocker):
    """An organization in which most are alike, and departments came one after another; gone after the last test."""
    with django_db_blocker.unblock():
        organization = OrganizationFactory()
        add_crowd(
            organization=organization,
            founder=MemberFactory(organization=organization, admin=True),
            number=PEOPLE,
            tongues=[
                Tongue(first_names=first.split(), last_names=last.split(), language="")
                for first, last in (FRENCH, ENGLISH)
            ],
            password="un pont trois lanternes",
        )
        give_credit(organization)
        give_licenses(organization)
        give_numbers(organization)
        tidy_tables()
        with connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"VACUUM (ANALYZE) {table}")
    yield organization
    with django_db_blocker.unblock():
        call_command("flush", interactive=False, inhibit_post_migrate=True, verbosity=0)


def give_credit(organization):
    """Nearly everybody has credit; who is overdrawn, and who never got any, came last."""
    buy(organization, "1000000")
    people = Member.objects.of(organization).order_by("-created_at", "-pk")
    few = PEOPLE // FEW_AMONG
    accounts = list(accounts_of(organization, people[few:]).values())
    wallet, usage = account_of(organization, "wallet"), account_of(organization, "usage")
    given = [Move(wallet, account, Decimal(25), uuid4()) for account in accounts[few:]]
    owed = [Move(account, usage, Decimal(2), uuid4()) for account in accounts[:few]]
    post(organization=organization, operation="allocation", moves=given, actor=Actor.system())
    post(organization=organization, operation="charge", moves=owed, actor=Actor.system())


def give_licenses(organization):
    """Nearly everybody has Premium; a few have Voicemail, and it sleeps."""
    now, people = timezone.now(), list(Member.objects.of(organization).present().order_by("pk"))
    premium = LicenseFactory(organization=organization, code="premium", quantity=PEOPLE)
    voicemail = LicenseFactory(
        organization=organization, code="voicemail", quantity=PEOPLE, grace_since=now, asleep_since=now
    )
    for bought, some in ((premium, people[100:]), (voicemail, people[::FEW_AMONG])):
        LicenseAssignment.objects.bulk_create(
            LicenseAssignment(
                organization=organization, license=bought, product=bought.product, member=member, assigned_at=now
            )
            for member in some
        )


def give_numbers(organization):
    """Every fourth has a number."""
    LicenseFactory(organization=organization, quantity=PEOPLE)
    people = list(Member.objects.of(organization).present().order_by("-pk")[::4])
    now, area, address = timezone.now(), NumberAreaFactory(), EmergencyAddressFactory(organization=organization)
    numbers = PhoneNumber.objects.bulk_create(
        PhoneNumber(number=f"+1425{number:07}", area=area, organization=organization, acquired_at=now)
        for number in range(2_000_000, 2_000_000 + len(people))
    )
    NumberOwnership.objects.bulk_create(
        NumberOwnership(organization=organization, number=number, source=number.source, since=now) for number in numbers
    )
    NumberAssignment.objects.bulk_create(
        NumberAssignment(organization=organization, number=number, member=member, emergency_address=address, since=now)
        for number, member in zip(numbers, people, strict=True)
    )


def narrow_filters(company):
    """What no order of the list knows: of everybody, and of those in one of its tabs, roles and departments."""
    [region] = Department.objects.filter(organization=company, path=REGION).values_list("pk", flat=True)
    today = timezone.localdate()
    long_ago, tomorrow = (today + timedelta(days=days) for days in (-1000, 1))
    some = [{"joined": choice} for choice, _label in JOINED]
    some += [
        {"joined_from": f"{first}", "joined_to": f"{last}"}
        for first, last in ((long_ago, ""), ("", tomorrow), (long_ago, tomorrow), ("", long_ago), (today, today))
    ]
    some += [{"credit": choice} for choice in ("overdrawn", "5", "50")]
    some += [{"license": choice} for choice in ("premium", "voicemail.asleep")]
    some += [{"number": choice} for choice in ("yes", "no")]
    for chosen in some:
        yield from (
            chosen | more for more in ({}, {"state": "active"}, {"role": "member"}, {"department": str(region)})
        )


def filters(company):
    yield from ({"state": state} for state in TABS)
    yield from ({"role": role} for role in Member.Role.values)
    yield from ({"kind": kind} for kind in User.Kind.values)
    keys = dict(Department.objects.filter(organization=company).values_list("path", "pk"))
    yield from ({"department": str(keys[path])} for path in (REGION, STUDIO, TEAM))
    yield {"department": "none"}


def pages(company, filters):
    """What is asked for the first page of a list, one in its middle and one at its end, in each order."""
    for order in ORDERS:
        query = QueryDict(mutable=True)
        query.update({**filters, "sort": order.name})
        yield query
        members = MembersQuery.read(company, query).matching().order_by(*order.fields)
        number = members.count()
        for place, direction in ((number // 2, "after"), (number - PAGE_SIZE - 1, "before")):
            if place > PAGE_SIZE:
                yield QueryDict(page_url(query, order, direction, members[place]).removeprefix("?"))


def show(company, query):
    """The rows of a page and the counts above it, as the view asks for them."""
    asked = MembersQuery.read(company, query)
    total = next(tab.total for tab in asked.tabs() if tab.current and tab.total is not None)
    return asked.page(total).rows


def plans(company, query):
    """How the database finds what a page shows: a plan with what really happened for each statement."""
    found = []

    def explain(execute, sql, params, many, context):
        if sql.lstrip().startswith(("SELECT", "WITH")):
            with connection.cursor() as cursor:
                cursor.cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF, FORMAT JSON) {sql}", params)
                [(text,)] = cursor.fetchall()
                plan = json.loads(text) if isinstance(text, str) else text
                found.append(plan[0]["Plan"])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        show(company, query)
    return found


def nodes(plan):
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


def complaints(company, query, *, most_sorted, most_read):
    """What a plan that reads members does beyond reading what the page shows."""
    for plan in plans(company, query):
        found = list(nodes(plan))
        if not any(node.get("Relation Name") == "members_member" for node in found):
            continue
        for node in found:
            what = f"{query.urlencode()}: {node['Node Type']} {node.get('Relation Name', '')}"
            read = node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0))
            if node.get("Relation Name") in ("members_member", "members_user", *TABLES):
                if node["Node Type"] == "Seq Scan":
                    yield what
                if read > most_read:
                    yield f"{what} that reads {read:g} rows"
            if "Sort" in node["Node Type"] and (rows := node["Plans"][0]["Actual Rows"]) > most_sorted:
                yield f"{what} of {rows:g} rows"


def all_complaints(company, chosen):
    top = Department.objects.filter(organization=company, pk=chosen.get("department", "0").replace("none", "0"))
    below = [company.departments.filter(path__startswith=f"{department.path} / ").count() for department in top]
    most = PAGE_SIZE + 1
    if sum(below):
        # The first few of each are put in order, and a page of each that had no more than these to give.
        most += sum(below) * FEW + PAGE_SIZE // FEW * PAGE_SIZE
    return [
        found
        for query in pages(company, chosen)
        for found in complaints(company, query, most_sorted=most, most_read=2 * most)
    ]


def test_a_page_by_any_filter_in_any_order_at_any_depth_reads_no_more_than_a_page(company):
    assert [found for chosen in filters(company) for found in all_complaints(company, chosen)] == []


def test_what_no_order_knows_is_found_near_or_by_an_index_of_its_own(company):
    assert [found for chosen in narrow_filters(company) for found in narrow_complaints(company, chosen)] == []


@pytest.mark.parametrize(
    ("index", "chosen"),
    [
        ("member_joined", {"joined": "7"}),
        ("member_joined", {"joined_to": "2001-01-01"}),
        ("ledger_accounts_by_band", {"credit": "overdrawn"}),
    ],
)
def test_a_filter_without_its_index_would_be_told_of(company, index, chosen):
    assert narrow_complaints(company, chosen) == []
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {index}")

    assert narrow_complaints(company, chosen)


def narrow_complaints(company, chosen):
    matching = MembersQuery.read(company, as_query(chosen)).matching().count()
    # Those who match are sorted when they are not near, which is so for few of them or for those of one time.
    most = max(WINDOW, matching) + PAGE_SIZE
    # Nothing knows who never got any credit, but that they have no account: each key is looked up in an index. So is
    # who has a seat or a number, which is known by these alone: they are looked through when few of them match.
    looked_up = {"license", "number"} & chosen.keys() or chosen.get("credit", "overdrawn") != "overdrawn"
    read = PEOPLE + 1 if looked_up else 0
    return [
        found
        for query in pages(company, chosen)
        for found in complaints(company, query, most_sorted=most, most_read=max(2 * most, read))
    ]


def as_query(chosen):
    query = QueryDict(mutable=True)
    query.update(chosen)
    return query


def test_a_search_reads_what_it_finds_and_no_list_of_everybody(company):
    for search, order in product(SEARCHES, ORDERS):
        query = QueryDict(mutable=True)
        query.update({"q": search, "sort": order.name})

        assert list(complaints(company, query, most_sorted=WINDOW, most_read=2 * WINDOW)) == []


@pytest.mark.parametrize(
    ("index", "chosen"),
    [
        ("member_by_name", {}),
        ("member_newest_by_state", {"state": "blocked"}),
        ("member_by_role", {"role": "voice_manager"}),
        ("member_by_kind", {"kind": "personal"}),
        ("member_newest_by_department", {"department": "none"}),
    ],
)
def test_a_list_without_its_index_would_be_told_of(company, index, chosen):
    assert all_complaints(company, chosen) == []
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {index}")

    assert all_complaints(company, chosen)


def test_pages_across_departments_hold_whom_the_whole_list_holds_there(company):
    region = Department.objects.get(organization=company, path=REGION)
    for order in ORDERS:
        query = QueryDict(mutable=True)
        query.update({"department": str(region.pk), "sort": order.name})
        asked = MembersQuery.read(company, query)
        everybody = list(asked.matching().order_by(*order.fields).values_list("pk", flat=True))
        rows = {row.pk: row for row in asked.matching()}
        for place in range(0, len(everybody) - PAGE_SIZE, len(everybody) // 7):
            after = QueryDict(page_url(query, order, "after", rows[everybody[place]]).removeprefix("?"))
            before = QueryDict(page_url(query, order, "before", rows[everybody[place + PAGE_SIZE]]).removeprefix("?"))
            total = Total.up_to(len(everybody), MOST_COUNTED)

            assert keys(company, after, total) == everybody[place + 1 : place + PAGE_SIZE + 1]
            assert keys(company, before, total) == everybody[place : place + PAGE_SIZE]


def test_pages_by_months_hold_whom_the_whole_list_holds_there(company, monkeypatch):
    monkeypatch.setattr(member_pages, "WINDOW", 1)
    year = timezone.localdate().year
    for order, chosen in product(
        ORDERS[2:],
        [
            {"joined": "earlier"},
            {"joined": "year"},
            {"joined_from": f"{year - 2}-03-07", "joined_to": f"{year - 1}-11-21"},
            {"joined_from": f"{year - 1}-04-02", "joined_to": f"{year - 1}-04-20"},
            {"joined_to": f"{year - 1}-05-31", "state": "active"},
        ],
    ):
        query = QueryDict(mutable=True)
        query.update({**chosen, "sort": order.name})
        asked = MembersQuery.read(company, query)
        members = list(asked.matching().order_by(*order.fields))
        assert len(members) > PAGE_SIZE
        total = Total.up_to(MOST_COUNTED + 1, MOST_COUNTED)
        for place in range(0, len(members) - PAGE_SIZE, len(members) // 5):
            after = QueryDict(page_url(query, order, "after", members[place]).removeprefix("?"))
            before = QueryDict(page_url(query, order, "before", members[place + PAGE_SIZE]).removeprefix("?"))

            assert keys(company, after, total) == [member.pk for member in members[place + 1 : place + PAGE_SIZE + 1]]
            assert keys(company, before, total) == [member.pk for member in members[place : place + PAGE_SIZE]]


def keys(company, query, total):
    return [member.pk for member in MembersQuery.read(company, query).page(total).rows]
