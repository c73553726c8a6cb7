"""The letters of a long list by name: which there are, and where they lead."""

import pytest
from django.urls import reverse

from members.models import Member
from tests.factories import MemberFactory, OrganizationFactory


@pytest.fixture
def organization(db):
    return OrganizationFactory(slug="acme", name="Acme")


@pytest.fixture
def listed(client, organization):
    """Get a page of the list; gives the response."""
    boss = MemberFactory(organization=organization, admin=True, user__first_name="Zoé", user__last_name="Boss")
    client.force_login(boss.user)
    return lambda query="": client.get(reverse("members:member_list", args=["acme"]) + query)


def add(organization, first_name, **facts):
    MemberFactory(organization=organization, user__first_name=first_name, user__last_name="Berg", **facts)


def names(response):
    return [row.name for row in response.context["rows"]]


def letters(response):
    return [letter.label for letter in response.context["letters"]]


def test_a_long_list_by_name_offers_the_letters_with_which_names_begin(organization, listed):
    for name in ["Élodie", "Eva", "4711", "Ивáн", "…"] + ["Ann"] * 50:
        add(organization, name)
    add(organization, "Wim", state=Member.State.LEFT)

    first = listed()

    assert letters(first) == ["4", "A", "B", "E", "Z", "И"]
    assert [letter.label for letter in first.context["letters"] if letter.current] == ["4"]
    assert 'href="?from=E">E</a>' in first.text
    from_e = listed("?from=E")
    assert names(from_e)[:3] == ["Élodie Berg", "Eva Berg", "Zoé Boss"]
    assert 'href="?from=E" aria-current="true">E</a>' in from_e.text


def test_a_swedish_directory_has_its_letters_after_z(organization, listed):
    organization.language = "sv"
    organization.save()
    for name in ["Åsa", "Örjan", "Äpple"] + ["Ann"] * 50:
        add(organization, name)

    assert letters(listed())[-4:] == ["Z", "Å", "Ä", "Ö"]
    assert names(listed("?from=Ä")) == ["Äpple Berg", "Örjan Berg"]


@pytest.mark.parametrize("query", ["?sort=newest", "?sort=-name", "?q=ann"])
def test_letters_are_offered_only_where_the_list_goes_by_them(organization, listed, query):
    for _number in range(51):
        add(organization, "Ann")

    assert letters(listed(query)) == []


def test_a_list_of_one_page_needs_no_letters(organization, listed):
    add(organization, "Ann")

    assert letters(listed()) == []


def test_letters_keep_the_filters(organization, listed):
    for _number in range(51):
        add(organization, "Ann", state=Member.State.BLOCKED)

    assert listed("?state=blocked").context["letters"][0].url == "?state=blocked&from=A"
