from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.utils import timezone

from members.access import Actor
from members.browser_names import browser_name
from members.models import AuditEntry, Member, User, UserSession
from members.services.erasure import erase_member
from members.services.members import block_members
from members.services.purge import purge_personal_data
from tests.factories import PASSWORD, AuthenticatorAppFactory, MemberFactory, UserFactory
from tests.members.signing_in import SECURITY, code, is_signed_in, reset_path, sign_in

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1"
    " Mobile/15E148 Safari/604.1"
)


@pytest.fixture
def member():
    return MemberFactory(user__skype_name="hanna.berg")


@pytest.fixture
def elsewhere(client):
    """Another browser."""
    return client.__class__(headers={"user-agent": SAFARI}, REMOTE_ADDR="192.0.2.7")


def later(**elapsed):
    return time_machine.travel(timezone.now() + timedelta(**elapsed))


def use_for(client, *, hours: float, every: float = 0.5) -> float:
    """Use a session again and again; gives after how many hours it was over, or ``hours`` when it never was."""
    start, passed = timezone.now(), 0.0
    while passed < hours:
        passed += every
        with time_machine.travel(start + timedelta(hours=passed)):
            if client.get("/me/").status_code != 200:
                return passed
    return hours


# Limits


def test_a_session_that_nobody_uses_for_an_hour_is_over_and_says_so(client, member):
    sign_in(client, member.user, stay="on")

    with later(minutes=59):
        assert client.get("/me/").status_code == 200
    with later(minutes=59 + 59):
        assert client.get("/me/").status_code == 200
    with later(minutes=59 + 59 + 62):
        response = client.get("/me/settings/", follow=True)
    assert response.redirect_chain == [("/accounts/sign-in/?next=/me/settings/", 302)]
    assert "Your session has ended." in response.text
    assert not is_signed_in(client)
    assert not UserSession.objects.exists()


@pytest.mark.parametrize("facts", [{}, {"stay": "on"}])
def test_a_session_in_use_is_over_after_a_day(client, member, facts):
    sign_in(client, member.user, **facts)

    assert 24 <= use_for(client, hours=30) <= 24.5


@pytest.mark.parametrize("facts", [{"admin": True}, {"admin": True, "personal": True}])
def test_the_session_of_an_administrator_is_over_after_twelve_hours(client, facts):
    member = MemberFactory(**facts)
    sign_in(client, member.user, stay="on")

    assert 12 <= use_for(client, hours=30) <= 12.5


def test_the_session_of_an_operator_is_over_after_twelve_hours(client):
    operator = UserFactory(is_operator=True)
    AuthenticatorAppFactory(user=operator)
    sign_in(client, operator)
    client.post("/accounts/second-step/", {"code": code()})

    assert 12 <= use_for(client, hours=30) <= 12.5


def test_who_becomes_an_administrator_in_an_old_session_signs_in_again(client, member):
    sign_in(client, member.user)
    assert use_for(client, hours=13) == 13
    Member.objects.filter(pk=member.pk).update(role="administrator")

    with later(hours=13, minutes=5):
        response = client.get(f"/{member.organization.slug}/members/")
        assert response.url.startswith("/accounts/sign-in/")
        assert not is_signed_in(client)


def test_the_limits_are_settings(client, member, settings):
    settings.SESSION_IDLE_MINUTES, settings.SESSION_HOURS = 5, 1
    sign_in(client, member.user)

    with later(minutes=4):
        assert client.get("/me/").status_code == 200
    with later(minutes=10):
        assert client.get("/me/").status_code == 302
    sign_in(client, member.user)
    assert 1 <= use_for(client, hours=2, every=0.05) <= 1.1


def test_a_session_of_unknown_beginning_is_over(client, member):
    sign_in(client, member.user)
    session = client.session
    del session["began"]
    session.save()

    assert client.get("/me/").status_code == 302


def test_staying_signed_in_outlives_the_browser_and_nothing_else_does(client, member):
    sign_in(client, member.user)
    assert client.cookies["session"]["max-age"] == ""
    client.logout()

    sign_in(client, member.user, stay="on")
    assert 24 * 3600 - 10 <= client.cookies["session"]["max-age"] <= 24 * 3600
    with later(minutes=30):
        client.get("/me/")
        # What is left of the day, not a new one.
        assert client.cookies["session"]["max-age"] <= 24 * 3600 - 1_790


def test_a_page_in_use_writes_the_session_once_a_minute(client, member, django_assert_num_queries):
    sign_in(client, member.user)
    before = Session.objects.get().session_data
    client.get("/me/")
    assert Session.objects.get().session_data == before

    with later(seconds=61):
        client.get("/me/")
    assert Session.objects.get().session_data != before


# Signing in


def test_the_key_of_a_session_changes_at_sign_in(client, member):
    client.get("/setup/")
    session = client.session
    session["setup"] = {}
    session.save()
    before = client.session.session_key

    sign_in(client, member.user)
    first = client.session.session_key
    sign_in(client, member.user)

    assert len({before, first, client.session.session_key}) == 3
    assert not Session.objects.filter(session_key__in=[before, first]).exists()
    assert UserSession.objects.count() == 1


def test_a_password_and_a_change_of_factors_change_the_key_too(client, member):
    sign_in(client, member.user)
    before = client.session.session_key

    client.post(
        "/me/settings/password/",
        {"password-password": PASSWORD, "password-new_password": "seven slow barges passing"},
    )

    assert client.session.session_key != before
    assert UserSession.objects.get().key == client.session.session_key
    assert client.get("/me/").status_code == 200


# The list


def test_the_list_says_which_browsers_are_signed_in_from_where_and_since_when(client, elsewhere, member):
    sign_in(client, member.user)
    sign_in(elsewhere, member.user)

    page = client.get(SECURITY, headers={"user-agent": FIREFOX}).text

    for text in ("Safari on iPhone", "192.0.2.7", "127.0.0.1", "this browser", "last seen", "Sign out everywhere else"):
        assert text in page
    assert page.count("this browser</span>") == 1


def test_a_session_that_is_over_is_not_in_the_list(client, elsewhere, member):
    sign_in(elsewhere, member.user)
    with later(minutes=90):
        sign_in(client, member.user)
        assert "192.0.2.7" not in client.get(SECURITY).text


def test_one_browser_is_signed_out_from_another(client, elsewhere, member):
    sign_in(client, member.user)
    sign_in(elsewhere, member.user)
    theirs = UserSession.objects.get(address="192.0.2.7")

    response = client.post(f"/me/security/sessions/{theirs.pk}/end/", follow=True)

    assert "That browser is signed out." in response.text
    assert elsewhere.get("/me/").status_code == 302
    assert client.get("/me/").status_code == 200
    assert AuditEntry.objects.filter(action="sessions.ended", subject_member=member).count() == 1
    assert client.post(f"/me/security/sessions/{theirs.pk}/end/").status_code == 404


def test_every_other_browser_is_signed_out_at_once(client, elsewhere, member):
    others = [elsewhere, client.__class__(), client.__class__()]
    for browser in (client, *others):
        sign_in(browser, member.user)

    response = client.post("/me/security/sessions/end-others/", follow=True)

    assert "3 other browsers are signed out." in response.text
    assert [browser.get("/me/").status_code for browser in (client, *others)] == [200, 302, 302, 302]
    assert UserSession.objects.count() == 1


def test_nobody_ends_the_session_of_somebody_else(client, elsewhere, member):
    sign_in(elsewhere, UserFactory())
    sign_in(client, member.user)
    theirs = UserSession.objects.get(address="192.0.2.7")

    assert client.post(f"/me/security/sessions/{theirs.pk}/end/").status_code == 404
    client.post("/me/security/sessions/end-others/")

    assert elsewhere.get("/me/").status_code == 200


def test_a_session_without_its_row_is_over_within_a_minute(client, member):
    sign_in(client, member.user)
    UserSession.objects.all().delete()

    with later(seconds=61):
        assert client.get("/me/").status_code == 302


def test_signing_out_takes_the_browser_from_the_list(client, member):
    sign_in(client, member.user)
    client.post("/accounts/sign-out/")

    assert not UserSession.objects.exists()


# What ends every session at once


def administrator_of(member) -> dict:
    admin = MemberFactory(organization=member.organization, admin=True)
    return {"actor": Actor.of_member(admin), "organization": member.organization}


def block(client, member):
    block_members(**administrator_of(member), members=Member.objects.filter(pk=member.pk))


def reset(client, member):
    member.user.refresh_from_db()
    client.__class__().post(reset_path(member.user), {"password": "seven slow barges passing"})


def erase(client, member):
    Member.objects.filter(pk=member.pk).update(state="left")
    erase_member(**administrator_of(member), member=member)


@pytest.mark.parametrize("end", [block, reset, erase])
def test_what_ends_access_ends_every_session_at_once(client, elsewhere, member, end):
    sign_in(client, member.user)
    sign_in(elsewhere, member.user)

    end(client, member)

    assert [browser.get("/me/").status_code for browser in (client, elsewhere)] == [302, 302]
    assert not UserSession.objects.filter(user=member.user, address="192.0.2.7").exists()
    User.objects.filter(pk=member.user.pk).update(is_active=True)
    assert [browser.get("/me/").status_code for browser in (client, elsewhere)] == [302, 302]


def test_rows_of_browsers_that_are_gone_are_purged(client, member):
    sign_in(client, member.user)
    UserSession.objects.update(seen_at=timezone.now() - timedelta(days=2))

    purge_personal_data()

    assert not UserSession.objects.exists()


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox on Windows"),
        (SAFARI, "Safari on iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36", "Chrome on Linux"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18 Safari/605.1.15", "Safari on macOS"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/142.0 Safari/537.36 Edg/142.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/142.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.5.0", "curl"),
        ("", "Unknown browser"),
        ("<script>alert(1)</script>", "Unknown browser"),
    ],
)
def test_a_browser_is_called_what_its_owner_calls_it(user_agent, name):
    assert browser_name(user_agent) == name


@pytest.mark.parametrize("user_agent", ["x" * 5_000, "a\x00b", "<script>alert(1)</script>", "é\u2028"])
def test_whatever_a_browser_says_about_itself_somebody_can_sign_in(client, member, user_agent):
    client.post(
        "/accounts/sign-in/",
        {"login": member.user.skype_name, "password": PASSWORD},
        headers={"user-agent": user_agent},
    )

    assert is_signed_in(client)
    assert "<script>alert" not in client.get(SECURITY).text
