"""The front door: signing in and out, and the language in which it speaks."""

import re

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members.models import Letter
from tests.factories import PASSWORD, InvitationFactory, MemberFactory, OrganizationFactory, UserFactory
from tests.members.signing_in import SIGN_IN

pytestmark = pytest.mark.django_db


def sign_in(client, login, password=PASSWORD, **facts):
    return client.post(SIGN_IN, {"login": login, "password": password, **facts})


def signed_in_as(client) -> str:
    return client.session.get("_auth_user_id", "")


@pytest.mark.parametrize("login", ["hanna.berg", "HANNA.Berg", "hanna@a.example", "Hanna@A.example", " hanna.berg "])
def test_people_sign_in_by_skype_name_or_address_in_any_case(client, login):
    user = UserFactory(skype_name="hanna.berg", email="hanna@a.example")

    response = sign_in(client, login)

    assert (response.status_code, response.url) == (302, "/me/")
    assert signed_in_as(client) == str(user.pk)


@pytest.mark.parametrize(
    ("login", "password"),
    [("hanna.berg", "not this one at all"), ("nobody.here", PASSWORD), ("nobody@a.example", PASSWORD)],
)
def test_a_wrong_password_and_an_unknown_name_get_one_answer(client, login, password):
    UserFactory(skype_name="hanna.berg", email="hanna@a.example")

    response = sign_in(client, login, password)

    assert response.status_code == 422
    assert "The Skype Name or the password is not right." in response.text
    assert signed_in_as(client) == ""


def test_an_address_that_accounts_share_gets_the_same_answer_and_a_letter_an_hour(client):
    users = [UserFactory(email="both@a.example"), UserFactory(email="Both@a.example")]

    first, second = sign_in(client, "both@a.example"), sign_in(client, "both@a.example")

    assert first.status_code == second.status_code == 422
    assert "The Skype Name or the password is not right." in first.text
    letters = Letter.objects.filter(kind=Letter.Kind.SKYPE_NAMES, state=Letter.State.WAITING)
    [letter] = letters
    assert sorted(letter.facts["users"]) == [user.pk for user in users]


def test_an_invitation_to_an_address_takes_nothing_from_the_account_that_has_it(client):
    user = UserFactory(email="hanna@a.example")
    InvitationFactory(member=MemberFactory(invited=True, email="hanna@a.example", user__email="hanna@a.example"))

    sign_in(client, "hanna@a.example")

    assert signed_in_as(client) == str(user.pk)


def test_every_failed_sign_in_by_address_writes_one_row_whoever_has_the_address(client):
    UserFactory(email="one@a.example")
    UserFactory(email="both@a.example")
    UserFactory(email="both@a.example")

    for login in ("one@a.example", "both@a.example", "nobody@a.example"):
        before = Letter.objects.count()
        sign_in(client, login, "wrong wrong wrong wrong")
        assert Letter.objects.count() == before + 1


def test_whoever_is_unknown_costs_the_same_work_as_whoever_is_known(client, monkeypatch):
    """Time itself is not measured here: what takes it is counted, statements and hashes."""
    UserFactory(skype_name="hanna.berg", email="hanna@a.example")
    UserFactory(email="both@a.example")
    UserFactory(email="both@a.example")
    MemberFactory(invited=True, user__skype_name="not.joined")
    hashed = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *facts: hashed.append(facts) or encode(*facts))

    def work(path, login):
        hashed.clear()
        with CaptureQueriesContext(connection) as captured:
            client.post(path, {"login": login, "password": "wrong wrong wrong wrong"})
        return len(captured), len(hashed)

    for path in (SIGN_IN, "/accounts/reset/"):
        for logins in (
            ["hanna.berg", "nobody.here", "not.joined"],
            ["hanna@a.example", "nobody@a.example", "both@a.example"],
        ):
            assert len({work(path, login) for login in logins}) == 1, (path, logins)


def test_too_many_wrong_passwords_are_refused_before_anything_is_compared(client):
    UserFactory(skype_name="hanna.berg")
    for _number in range(10):
        sign_in(client, "hanna.berg", "wrong wrong wrong wrong")

    response = sign_in(client, "hanna.berg")

    assert response.status_code == 429
    assert 890 <= int(response["Retry-After"]) <= 900
    assert "That was tried too often." in response.text
    assert signed_in_as(client) == ""


def test_a_right_password_makes_earlier_mistakes_forgotten(client):
    UserFactory(skype_name="hanna.berg")
    for _round in range(3):
        for _number in range(9):
            sign_in(client, "hanna.berg", "wrong wrong wrong wrong")
        assert sign_in(client, "hanna.berg").status_code == 302


def test_a_session_ends_with_the_browser_unless_one_stays_signed_in(client):
    user = UserFactory()

    sign_in(client, user.skype_name)
    assert client.session.get_expire_at_browser_close()

    client.logout()
    sign_in(client, user.skype_name, stay="on")
    assert not client.session.get_expire_at_browser_close()
    assert 24 * 3600 - 5 <= client.session.get_expiry_age() <= 24 * 3600


def test_a_password_of_more_than_256_characters_is_refused_before_it_is_hashed(client, settings):
    user = UserFactory()
    settings.PASSWORD_HASHERS = ["tests.members.test_account_views.NoHasher"]

    response = sign_in(client, user.skype_name, "x" * 257)

    assert response.status_code == 422
    assert Letter.objects.count() == 0


class NoHasher:
    """Nothing may be hashed where this is the only hasher."""

    algorithm = "none"

    def encode(self, *facts):
        raise AssertionError("hashed")

    def salt(self):
        return "salt"


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example/",
        "/\\evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "http://testserver@evil.example/",
        "/%0d%0aSet-Cookie:x",
        "java\tscript:alert(1)",
        "https://evil.example/",
    ],
)
def test_only_pages_of_ours_follow_a_sign_in(client, wanted):
    user = UserFactory()

    response = sign_in(client, user.skype_name, next=wanted)

    assert response.status_code == 302
    assert "evil" not in response.url
    assert "alert" not in response.url
    assert "Set-Cookie" not in response.headers.get("Set-Cookie", "")


def test_a_page_of_ours_follows_a_sign_in(client):
    user = UserFactory()
    page = client.get(SIGN_IN, {"next": "/me/settings/"})
    assert 'value="/me/settings/"' in page.text

    assert sign_in(client, user.skype_name, next="/me/settings/").url == "/me/settings/"


def test_one_console_opens_at_once_and_several_are_offered(client):
    user = UserFactory()
    first = MemberFactory(user=user, personal=True, admin=True, organization__name="Alpha")
    assert sign_in(client, user.skype_name).url == reverse("reports:dashboard", args=[first.organization.slug])
    MemberFactory(user=user, personal=True, role="credit_manager", organization__name="Beta")
    MemberFactory(user=user, personal=True, organization__name="Gamma")

    assert sign_in(client, user.skype_name).url == "/accounts/choose/"

    page = client.get("/accounts/choose/")
    assert page.status_code == 200
    assert "Alpha" in page.text
    assert "Beta" in page.text
    assert "Gamma" not in page.text


def test_a_plain_member_lands_on_their_own_page(client):
    member = MemberFactory()

    assert sign_in(client, member.user.skype_name).url == "/me/"
    assert client.get("/").url == "/me/"


def test_visitors_are_led_to_set_up_first_and_to_sign_in_later(client, settings):
    settings.SETUP = "first"
    assert client.get("/").url == "/setup/"

    OrganizationFactory()
    assert client.get("/").url == SIGN_IN


def test_signing_out_takes_a_post_and_ends_the_session(client):
    user = UserFactory()
    client.force_login(user)

    assert client.get("/accounts/sign-out/").status_code == 405
    response = client.post("/accounts/sign-out/", follow=True)

    assert signed_in_as(client) == ""
    assert "You are signed out." in response.text


def test_a_blocked_account_gets_the_same_answer(client):
    user = UserFactory(is_active=False)

    response = sign_in(client, user.skype_name)

    assert "The Skype Name or the password is not right." in response.text


# Hosts


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "testserver@evil.example"])
def test_a_host_that_is_not_ours_is_refused_and_writes_no_letter(client, host):
    UserFactory(skype_name="hanna.berg")

    response = client.post("/accounts/reset/", {"login": "hanna.berg"}, headers={"host": host})

    assert response.status_code == 400
    assert not Letter.objects.exists()


def test_a_forwarded_host_changes_no_link(client):
    response = client.get("/me/", headers={"x-forwarded-host": "evil.example"})

    assert "evil" not in response.url


# Languages


def test_a_visitor_keeps_a_language_in_a_cookie_and_a_person_in_their_account(client):
    response = client.post("/language/", {"language": "sv", "next": "/accounts/sign-in/"})
    assert response.url == "/accounts/sign-in/"
    assert response.cookies["language"].value == "sv"

    user = UserFactory()
    client.force_login(user)
    client.post("/language/", {"language": "fr"})
    user.refresh_from_db()
    assert user.language == "fr"
    assert '<html lang="fr"' in client.get("/me/").text


@pytest.mark.parametrize("language", ["xx", "", "en" * 5_000])
def test_an_unknown_language_changes_nothing(client, language):
    response = client.post("/language/", {"language": language})

    assert response.status_code == 302
    assert "language" not in response.cookies


def test_no_page_of_the_front_door_needs_a_script(client):
    UserFactory()
    for path in [SIGN_IN, "/accounts/reset/", "/accounts/reset/sent/"]:
        page = client.get(path)
        assert page.status_code == 200
        assert not re.search(r"<script(?![^>]*type=\"module\")|onclick=|style=", page.text)
