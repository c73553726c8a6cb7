"""Licenses for many on the pages: chosen, shown, and then assigned or taken away at once or behind the pages."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from members import batches
from members.bulk import reasons_of
from members.models import Batch, BatchRow, Member
from members.services.import_work import advance_batches_task
from telephony.license_errors import AboutPeople
from telephony.models import License, LicenseAssignment, NumberAssignment
from telephony.seat_reach import assign_exceptions
from telephony.seating import plan_assignment
from tests.factories import (
    DepartmentFactory,
    EmergencyAddressFactory,
    LicenseFactory,
    MemberFactory,
    OrganizationFactory,
    PhoneNumberFactory,
)
from tests.telephony.licensed import assigning, has, people, product

ASSIGN, UNASSIGN = "/acme/members/licenses/assign/", "/acme/members/licenses/unassign/"
ALL = {"all": "1"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    organization = OrganizationFactory(slug="acme")
    for code in ("phone-system", "premium", "calling-plan-domestic", "voicemail"):
        LicenseFactory(organization=organization, code=code, quantity=3)
    return organization


@pytest.fixture
def boss(organization, client):
    boss = MemberFactory(organization=organization, role=Member.Role.VOICE_MANAGER)
    client.force_login(boss.user)
    return boss


def ticked(*members):
    return {"member": [member.pk for member in members]}


def some(organization, number=1, **facts):
    return MemberFactory.create_batch(number, organization=organization, **facts)


def confirmed(client, url, whom, code, **changes):
    """The answer to the button of the page that says what will happen, sent as that page would."""
    page = client.get(url, {**whom, "product": code})
    form = page.text.partition("<main")[2].partition('method="post"')[2].partition("</form>")[0]
    sent: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form):
        sent.setdefault(name, []).append(value)
    return client.post(url, {**sent, **changes})


@pytest.mark.parametrize("url", [ASSIGN, UNASSIGN])
def test_the_buttons_of_the_members_list_lead_here(client, boss, url):
    assert f'formaction="{url}"' in client.get("/acme/members/").text
    page = client.get(url, ticked(boss))
    assert page.status_code == 200
    assert "Skype Premium (3 free)" in page.text
    assert 'method="post"' not in page.text.partition("<main")[2]


def test_a_department_is_given_a_license_from_its_page(client, boss, organization):
    sales = DepartmentFactory(organization=organization, name="Sales")
    [member] = some(organization, department=sales)

    page = client.get(reverse("members:department_detail", args=["acme", sales.pk]))
    assert ASSIGN in page.text
    confirmed(client, ASSIGN, {"all": "1", "department": sales.pk}, "premium")

    assert [has(member), has(boss)] == [["premium"], []]


def test_what_will_happen_is_told_with_names_before_it_does(client, boss, organization):
    [personal] = some(organization, personal=True)
    [left] = some(organization, state="left")
    [has_one] = some(organization)
    assigning("phone-system", has_one)

    page = client.get(ASSIGN, {**ticked(boss, personal, left, has_one), "product": "phone-system"})

    for text in (
        "1 of 4 people get a seat of Phone System (Cloud PBX).",
        "1 person has left",
        "1 person has a seat already",
        "1 person can’t get one: Phone System (Cloud PBX) is for business accounts",
        *(one.user.display_name for one in (personal, left, has_one)),
        "Assign to 1 person",
    ):
        assert text in page.text
    assert re.findall(r'<dd class="num">(\d+)</dd>', page.text) == ["2", "1", "1"]
    assert has(boss) == []


def test_everybody_who_can_gets_one_and_the_list_says_so(client, boss, organization):
    others = some(organization, 2)
    some(organization, state="left")

    answer = confirmed(client, ASSIGN, ALL, "premium")

    assert answer.status_code == 302
    assert "3 people have Skype Premium now." in client.get(answer["Location"]).text
    assert [has(one) for one in (boss, *others)] == [["premium"]] * 3


def test_when_seats_are_missing_they_can_be_bought_and_nobody_gets_one(client, boss, organization):
    some(organization, 4)

    page = client.get(ASSIGN, {**ALL, "product": "premium"})
    assert "2 seats of Skype Premium are missing." in page.text
    assert "/acme/features/buy/?product=premium&amp;quantity=2&amp;months=1" in page.text
    assert "Assign to" not in page.text
    answer = client.post(ASSIGN, {**ALL, "product": "premium", "count": "5"})

    assert answer.status_code == 422
    assert "5 seats of Skype Premium are needed, 3 are free." in answer.text
    assert not LicenseAssignment.objects.exists()


def test_others_than_were_shown_get_nothing(client, boss, organization):
    answer = client.post(ASSIGN, {**ALL, "product": "premium", "count": "7"})

    assert answer.status_code == 422
    assert not LicenseAssignment.objects.exists()


def test_sent_twice_each_has_one_seat(client, boss, organization):
    sent = {**ticked(boss), "product": "premium", "count": "1"}

    assert [client.post(ASSIGN, sent).status_code for _time in range(2)] == [302, 302]
    assert License.objects.get(product__code="premium").assigned == 1


def test_a_plan_is_assigned_to_those_who_have_phone_system(client, boss, organization):
    [without] = some(organization)
    assigning("phone-system", boss)

    page = client.get(ASSIGN, {**ALL, "product": "calling-plan-domestic"})
    assert "1 person can’t get one yet: Phone System (Cloud PBX) is needed first" in page.text
    assert without.user.display_name in page.text
    confirmed(client, ASSIGN, ALL, "calling-plan-domestic")

    assert [has(boss), has(without)] == [["calling-plan-domestic", "phone-system"], []]


def test_what_somebody_has_with_another_product_is_told(client, boss, organization):
    assigning("phone-system", boss)

    page = client.get(ASSIGN, {**ticked(boss), "product": "voicemail"})

    assert "1 person has Voicemail already, with another product that includes it" in page.text
    assert "Assign to" not in page.text


def test_taking_away_names_what_goes_along(client, boss, organization):
    [other] = some(organization)
    assigning("phone-system", boss, other)
    assigning("calling-plan-domestic", boss)

    page = client.get(UNASSIGN, {**ALL, "product": "phone-system"})
    assert "2 of 2 people lose Phone System (Cloud PBX) at once." in page.text
    assert "1 person loses Domestic Calling Plan too, which requires it." in page.text
    answer = confirmed(client, UNASSIGN, ALL, "phone-system")

    assert answer.status_code == 302
    assert [has(boss), has(other)] == [[], []]


def test_what_was_not_told_to_go_along_stops_it(client, boss):
    assigning("phone-system", boss)
    assigning("calling-plan-domestic", boss)

    answer = client.post(UNASSIGN, {**ticked(boss), "product": "phone-system", "count": "1"})

    assert answer.status_code == 422
    assert has(boss) == ["calling-plan-domestic", "phone-system"]


def test_a_product_that_is_not_owned_is_refused(client, boss):
    assert client.get(ASSIGN, {**ticked(boss), "product": "e5"}).status_code == 422
    assert client.post(ASSIGN, {**ticked(boss), "product": "e5", "count": "1"}).status_code == 422


def test_where_nothing_is_owned_it_can_be_bought(client, boss):
    other = MemberFactory(role="voice_manager")
    client.force_login(other.user)

    page = client.get(f"/{other.organization.slug}/members/licenses/assign/", ticked(other))

    assert "No licenses yet" in page.text


@pytest.fixture
def many(monkeypatch):
    monkeypatch.setattr(batches, "AT_ONCE", 1)


@pytest.mark.usefixtures("many")
def test_more_than_a_page_waits_for_get_it_behind_the_pages_all_at_once(client, boss, organization):
    [member] = some(organization)
    [left] = some(organization, state="left")

    answer = confirmed(client, ASSIGN, ticked(boss, member, left), "premium")
    batch = Batch.objects.get()
    assert answer["Location"] == reverse("members:run_detail", args=["acme", batch.pk])
    assert has(member) == []
    advance_batches_task()

    assert [has(one) for one in (boss, member, left)] == [["premium"], ["premium"], []]
    assert BatchRow.objects.get(member=left).outcome == "skipped"
    page = client.get(answer["Location"])
    assert "Skype Premium" in page.text


@pytest.mark.usefixtures("many")
def test_a_run_that_finds_too_few_seats_gives_nobody_one_and_says_why(client, boss, organization):
    members = some(organization, 2)
    answer = confirmed(client, ASSIGN, ticked(boss, *members), "premium")
    assigning("premium", *some(organization))
    advance_batches_task()

    page = client.get(answer["Location"])

    assert "3 seats of Skype Premium are needed, 2 are free." in page.text
    assert "Nobody got one." in page.text
    assert has(boss) == []


@pytest.mark.usefixtures("many")
def test_a_run_takes_away_what_goes_along_or_nothing(client, boss, organization):
    [member] = some(organization)
    assigning("phone-system", boss, member)
    answer = confirmed(client, UNASSIGN, ticked(boss, member), "phone-system")
    assigning("calling-plan-domestic", member)
    advance_batches_task()

    assert "Nobody lost one." in client.get(answer["Location"]).text
    assert has(boss) == ["phone-system"]
    confirmed(client, UNASSIGN, ticked(boss, member), "phone-system")
    advance_batches_task()
    assert [has(boss), has(member)] == [[], []]


@pytest.mark.usefixtures("many")
def test_one_key_starts_one_run(client, boss, organization):
    [member] = some(organization)
    key = "11111111-1111-4111-8111-111111111111"
    sent = {**ticked(boss, member), "product": "premium", "count": "2", "key": key}

    first, second = (client.post(ASSIGN, sent) for _time in range(2))

    assert first["Location"] == second["Location"]
    assert Batch.objects.count() == 1


@pytest.mark.parametrize("code", ["e5", "phone-system", "voicemail", "calling-plan-domestic", "premium"])
def test_whoever_is_told_to_get_one_is_who_gets_one(organization, code):
    """The conditions that are shown, and the rules by which seats are given, are the same ones."""
    LicenseFactory(organization=organization, code="e5", quantity=3)
    everybody = [*some(organization, 3), *some(organization, personal=True), *some(organization, state="left")]
    assigning("phone-system", everybody[0])
    assigning("e5", everybody[1])
    reasons = batch_reasons(organization, code, everybody)

    for member in everybody:
        try:
            plan = plan_assignment(organization, product(code), [member.pk])
            why = "there" if plan.having else ""
        except AboutPeople as refusal:
            why = type(refusal).__name__
        assert reasons[member.pk] == NAMES.get(why, why), member


NAMES = {
    "HasLeftAlready": "left",
    "OnlyBusiness": "personal",
    "AlreadyIncluded": "included",
    "RequirementMissing": "lacking",
}


def batch_reasons(organization, code, everybody):
    return reasons_of(people(*everybody), assign_exceptions(organization, product(code)))


def test_what_is_asked_does_not_grow_with_the_people(client, boss, organization, django_assert_max_num_queries):
    License.objects.filter(product__code="premium").update(quantity=300)
    some(organization, 150)

    with django_assert_max_num_queries(60):
        client.get(ASSIGN, {**ALL, "product": "premium"})
    with django_assert_max_num_queries(70):
        confirmed(client, ASSIGN, ALL, "premium")
    assert LicenseAssignment.objects.filter(product=product("premium")).count() == 151


def test_whoever_loses_phone_system_gives_the_number_back_and_the_page_says_so(client, boss, organization):
    [member] = some(organization)
    assigning("phone-system", member)
    number = PhoneNumberFactory(organization=organization)
    NumberAssignment.objects.create(
        organization=organization,
        number=number,
        member=member,
        emergency_address=EmergencyAddressFactory(organization=organization, country="US"),
        since=timezone.now(),
    )

    shown = client.get(UNASSIGN, {**ticked(member), "product": "phone-system"})
    confirmed(client, UNASSIGN, ticked(member), "phone-system")

    assert "1 person gives their phone number back." in shown.text
    assert has(member) == []
    assert not NumberAssignment.objects.filter(number=number, until=None).exists()
