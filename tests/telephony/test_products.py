"""The page of a product, and what licenses and numbers add to the list of members."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from members.list_columns import COOKIE
from members.models import Member
from telephony.models import License, NumberAssignment
from tests.factories import (
    EmergencyAddressFactory,
    LicenseFactory,
    MemberFactory,
    OrganizationFactory,
    PhoneNumberFactory,
    SeatFactory,
)
from tests.telephony.licensed import assigning, has, unassigning

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    return OrganizationFactory(slug="acme")


@pytest.fixture
def boss(organization, client):
    boss = MemberFactory(organization=organization, admin=True, user__first_name="Zoé")
    client.force_login(boss.user)
    return boss


@pytest.fixture
def premium(organization):
    return LicenseFactory(organization=organization, code="premium", quantity=4)


def named(organization, *names, **facts):
    return [MemberFactory(organization=organization, user__first_name=name, **facts) for name in names]


def sleep(bought):
    now = timezone.now()
    License.objects.filter(pk=bought.pk).update(grace_since=now, asleep_since=now)


def give_number(member):
    number = PhoneNumberFactory(organization=member.organization)
    NumberAssignment.objects.create(
        organization=member.organization,
        number=number,
        member=member,
        emergency_address=EmergencyAddressFactory(organization=member.organization),
        since=timezone.now(),
    )
    return number


def who(client, query="", page="/acme/features/premium/"):
    """The Skype Names of the rows, in their order."""
    context = client.get(f"{page}{query}").context
    rows = [row[0] if isinstance(row, tuple) else row.member for row in context["rows"]]
    return [member.user.first_name for member in rows]


def test_a_product_tells_its_seats_its_people_and_what_it_costs(client, boss, organization, premium):
    ann, bo = named(organization, "Ann", "Bo")
    named(organization, "Cid")
    assigning("premium", ann, bo)

    page = client.get("/acme/features/premium/")

    assert who(client) == ["Ann", "Bo"]
    assert "€33.60" in page.text, "four seats at what they were bought for"
    assert "€19.96" in page.text, "and at what they cost from the next period on"
    assert "/acme/features/premium/" in client.get("/acme/features/").text


def test_people_of_a_product_are_searched_for_and_exported(client, boss, organization, premium):
    ann, bo = named(organization, "Ann", "Bo")
    assigning("premium", ann, bo)

    assert who(client, "?q=ann") == ["Ann"]
    assert "Nobody who has this is called that." in client.get("/acme/features/premium/?q=xyz").text
    content = client.get("/acme/features/premium/people.csv?q=ann").getvalue().decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(content)))
    assert rows[0][:2] == ["Skype Name", "First name"]
    assert [row[1:2] + row[5:7] for row in rows[1:]] == [["Ann", "Skype Premium", "Active"]]


def test_who_was_ticked_loses_it(client, boss, organization, premium):
    ann, bo = named(organization, "Ann", "Bo")
    assigning("premium", ann, bo)
    sent = {"member": [ann.pk], "product": "premium", "license": "premium"}

    page = client.get("/acme/members/licenses/unassign/", sent)
    assert "1 of 1 person loses Skype Premium at once." in page.text
    client.post("/acme/members/licenses/unassign/", {**sent, "count": "1"})

    assert [has(ann), has(bo)] == [[], ["premium"]]


def test_all_who_have_it_lose_it_and_nobody_else_is_meant(client, boss, organization, premium):
    ann, bo = named(organization, "Ann", "Bo")
    assigning("premium", ann, bo)
    sent = {"all": "1", "product": "premium", "license": "premium", "q": "ann"}

    client.post("/acme/members/licenses/unassign/", {**sent, "count": "1"})

    assert [has(ann), has(bo)] == [[], ["premium"]]


def test_whose_seats_sleep_have_a_tab_of_their_own(client, boss, organization, premium):
    other = LicenseFactory(organization=organization, code="premium")
    ann, bo = named(organization, "Ann", "Bo")
    SeatFactory(license=premium, member=ann)
    SeatFactory(license=other, member=bo)
    sleep(other)

    assert who(client) == ["Ann"]
    assert who(client, "?license=premium.asleep") == ["Bo"]
    assert "Asleep" in client.get("/acme/features/premium/").text


def test_a_product_that_nobody_knows_is_not_found(client, boss):
    assert client.get("/acme/features/nonsense/").status_code == 404
    assert client.get("/acme/features/e5/").status_code == 200


def test_pages_of_people_cost_the_same_however_many(client, boss, organization, django_assert_max_num_queries):
    bought = LicenseFactory(organization=organization, code="e5", quantity=70)
    assigning("e5", *MemberFactory.create_batch(60, organization=organization))

    with django_assert_max_num_queries(30):
        page = client.get("/acme/features/e5/")
    assert len(page.context["rows"]) == 50
    assert len(client.get("/acme/features/e5/" + page.context["page"].next_url).context["rows"]) == 10
    assert License.objects.get(pk=bought.pk).assigned == 60


# The list of members

LIST = "/acme/members/"


def test_the_list_is_narrowed_to_who_can_use_a_license(client, boss, organization, premium):
    other = LicenseFactory(organization=organization, code="voicemail")
    ann, bo, cid = named(organization, "Ann", "Bo", "Cid")
    SeatFactory(license=premium, member=ann)
    SeatFactory(license=premium, member=bo)
    SeatFactory(license=other, member=cid)
    unassigning("premium", bo)
    sleep(other)

    assert who(client, "?license=premium", LIST) == ["Ann"]
    assert who(client, "?license=voicemail", LIST) == []
    assert who(client, "?license=voicemail.asleep", LIST) == ["Cid"]
    assert "Has Skype Premium" in client.get(LIST).text
    assert who(client, "?license=e5", LIST) == ["Ann", "Bo", "Cid", "Zoé"], "what is not owned narrows nothing"


def test_the_list_is_narrowed_to_who_has_a_number_or_none(client, boss, organization):
    LicenseFactory(organization=organization)
    ann, bo = named(organization, "Ann", "Bo")
    give_number(ann)
    give_number(bo)
    NumberAssignment.objects.filter(member=bo).update(until=timezone.now())

    assert who(client, "?number=yes", LIST) == ["Ann"]
    assert who(client, "?number=no", LIST) == ["Bo", "Zoé"]
    assert who(client, "?number=no&q=bo", LIST) == ["Bo"]
    assert who(client, "?number=no&sort=-name", LIST) == ["Zoé", "Bo"]
    assert "number=no" in client.get(LIST + "?number=no").context["exports"][0][1]


def test_without_voice_nobody_is_asked_about_numbers(client, boss):
    assert "With a phone number" not in client.get(LIST).text


def test_the_columns_tell_licenses_and_number(client, boss, organization, premium):
    [ann] = named(organization, "Ann")
    assigning("premium", ann)
    number = give_number(ann)
    client.cookies[COOKIE] = "name-licenses-number"

    page = client.get(LIST).text

    assert "Skype Premium" in page
    assert f"+1 425-555-{number.number[-4:]}" in page


def test_the_file_holds_both_and_is_taken_in_again_unchanged(client, boss, organization, premium):
    [ann] = named(organization, "Ann")
    assigning("premium", ann)
    number = give_number(ann)

    content = client.get("/acme/members/export.csv").getvalue()
    [header, *rows] = csv.reader(io.StringIO(content.decode("utf-8-sig")))
    told = {row[header.index("First name")]: row for row in rows}["Ann"]
    assert told[header.index("Licenses")] == "Skype Premium"
    assert told[header.index("Phone number")] == number.digits

    file = SimpleUploadedFile("people.csv", content, content_type="text/csv")
    answer = client.post(reverse("members:import_add", args=["acme"]), {"addresses": "", "file": file})
    assert answer.status_code in (302, 422)
    assert Member.objects.of(organization).count() == 2
    assert has(ann) == ["premium"]
