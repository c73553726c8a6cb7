import re

import pytest

from members.models import Member, Organization
from tests.factories import PASSWORD, MemberFactory, OrganizationFactory, UserFactory

COMPANY = {"name": "Architectes", "slug": "", "country": "FR", "currency": "EUR", "time_zone": "", "language": "fr"}
FOUNDER = {
    "skype_name": "architectes.admin",
    "email": "helene@architectes.example",
    "first_name": "Hélène",
    "last_name": "Marchand",
    "password": "four pigeons on a slate roof",
}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def open_setup(settings):
    settings.SETUP = "open"


def finish(client):
    page = client.get("/setup/check/")
    key = re.search(r'name="key" value="([^"]+)"', page.content.decode())[1]
    return client.post("/setup/check/", {"key": key})


def test_a_founder_sets_up_and_lands_signed_in_on_the_dashboard(client):
    assert client.post("/setup/", COMPANY).url == "/setup/account/"
    proposed = client.get("/setup/account/")
    assert b'value="architectes.admin"' in proposed.content
    assert client.post("/setup/account/", FOUNDER).url == "/setup/check/"

    response = finish(client)

    assert response.url == "/architectes/"
    page = client.get("/architectes/")
    assert page.status_code == 200
    assert "Ajouter des membres" in page.content.decode() or "Add members" in page.content.decode()
    member = Member.objects.get()
    assert member.user.check_password(FOUNDER["password"])
    assert member.organization.time_zone == "Europe/Paris"


def test_nothing_exists_before_the_last_step(client):
    client.post("/setup/", COMPANY)
    client.post("/setup/account/", FOUNDER)

    assert not Organization.objects.exists()


def test_somebody_signed_in_founds_with_their_personal_account(client):
    user = UserFactory()
    client.force_login(user)
    client.post("/setup/", COMPANY)
    client.post("/setup/account/")

    finish(client)

    assert Member.objects.get().user == user


def test_a_visitor_founds_with_a_personal_account_they_have(client):
    user = UserFactory()
    client.post("/setup/", COMPANY)

    response = client.post("/setup/account/?existing", {"login": user.skype_name, "password": PASSWORD})

    assert response.url == "/setup/check/"
    finish(client)
    assert Member.objects.get().user == user


def test_a_wrong_password_is_told_without_saying_which_half_was_wrong(client):
    client.post("/setup/", COMPANY)

    response = client.post("/setup/account/?existing", {"login": "nobody.here", "password": PASSWORD})

    assert response.status_code == 422
    assert "The Skype Name or the password is not right." in response.content.decode()


def test_a_business_account_is_turned_away(client):
    member = MemberFactory()
    client.post("/setup/", COMPANY)

    response = client.post("/setup/account/?existing", {"login": member.user.skype_name, "password": PASSWORD})

    assert response.status_code == 422


@pytest.mark.parametrize("password", ["short", "architectes.admin", "x" * 257])
def test_passwords_that_are_no_protection_are_refused_next_to_the_field(client, password):
    client.post("/setup/", COMPANY)

    response = client.post("/setup/account/", {**FOUNDER, "password": password})

    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {"password"}


def test_a_taken_address_is_told_at_the_end_and_nothing_is_made(client):
    OrganizationFactory(slug="architectes")
    client.post("/setup/", COMPANY)
    client.post("/setup/account/", FOUNDER)

    response = finish(client)

    assert response.status_code == 422
    assert "architectes-2" in response.content.decode()
    assert Organization.objects.count() == 1


def test_a_closed_installation_says_so(client, settings):
    settings.SETUP = "operator"

    assert client.get("/setup/").status_code == 403


@pytest.mark.parametrize("path", ["/setup/account/", "/setup/check/"])
def test_a_later_step_leads_back_to_the_first(client, path):
    response = client.get(path, follow=True)

    assert response.redirect_chain[-1][0] == "/setup/"
