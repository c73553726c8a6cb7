"""The members list that members see: by name, when the company allows it, and without a single address."""

import pytest
from django.urls import reverse

from tests.factories import DepartmentFactory, MemberFactory, OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    return OrganizationFactory(name="Architectes", show_colleagues=True)


@pytest.fixture
def reader(organization, client):
    reader = MemberFactory(organization=organization, user__first_name="Zoe", user__last_name="Zeller")
    client.force_login(reader.user)
    return reader


def person(organization, first_name, **facts):
    return MemberFactory(organization=organization, user__first_name=first_name, user__last_name="Moreau", **facts)


def url(organization):
    return reverse("me:colleagues", args=[organization.slug])


def test_members_see_who_has_joined_with_name_skype_name_and_department(client, organization, reader):
    department = DepartmentFactory(organization=organization, name="Atelier")
    ines = person(organization, "Ines", department=department, job_title="Urbanist")
    person(organization, "Waiting", invited=True)
    person(organization, "Stopped", state="blocked")
    person(organization, "Gone", state="left", personal=True)
    MemberFactory(user__first_name="Elsewhere")

    page = client.get(url(organization))

    assert page.status_code == 200
    for shown in ("Ines Moreau", ines.user.skype_name, "Atelier", "Urbanist", "Zoe"):
        assert shown in page.text
    for hidden in ("Waiting", "Stopped", "Gone", "Elsewhere", ines.email, reader.email):
        assert hidden not in page.text


def test_it_is_there_for_personal_accounts_too_and_led_to_from_their_page(client, organization):
    guest = MemberFactory(organization=organization, personal=True)
    client.force_login(guest.user)

    assert url(organization) in client.get("/me/").text
    assert client.get(url(organization)).status_code == 200


def test_without_the_policy_there_is_no_such_page(client, organization, reader):
    organization.show_colleagues = False
    organization.save()

    assert client.get(url(organization)).status_code == 404
    assert url(organization) not in client.get("/me/").text


def test_the_policy_is_off_from_the_start():
    assert not OrganizationFactory().show_colleagues


@pytest.mark.parametrize("state", ["invited", "blocked", "left"])
def test_who_is_no_active_member_finds_nothing(client, organization, state):
    member = MemberFactory(organization=organization, personal=True, state=state)
    client.force_login(member.user)

    assert client.get(url(organization)).status_code == 404


def test_strangers_and_members_of_others_find_nothing(client, organization):
    for user in (UserFactory(), MemberFactory(admin=True).user):
        client.force_login(user)
        assert client.get(url(organization)).status_code == 404


def test_it_is_searched_by_name_and_skype_name_and_never_by_address(client, organization, reader):
    ines = person(organization, "Ines", user__skype_name="atelier.ines", user__email="secret@home.example")
    person(organization, "Björn")

    for search in ("ines", "MOREAU ines", "atelier.i", "in"):
        page = client.get(url(organization), {"q": search})
        assert "Ines" in page.text, search
        assert "Björn" not in page.text, search
    assert ines.email == "secret@home.example"
    for search in ("secret", "home.example", "ines secret"):
        assert "No colleague is called like this." in client.get(url(organization), {"q": search}).text


def test_its_pages_follow_each_other_by_name(client, organization, reader, django_assert_max_num_queries):
    for number in range(60):
        person(organization, f"Ines{number:02}")

    with django_assert_max_num_queries(12):
        first = client.get(url(organization))
    assert "Ines00" in first.text
    assert "Ines50" not in first.text
    found = client.get(url(organization), {"q": "ines"})
    assert found.context["page"].next_url
    second = client.get(url(organization) + found.context["page"].next_url)
    assert "Ines50" in second.text
    assert "Ines00" not in second.text
