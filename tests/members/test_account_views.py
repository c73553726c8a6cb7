import re
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.tokens import default_token_generator
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from members.models import AuditEntry, Letter, Member, User
from members.tokens import address_token
from tests.factories import PASSWORD, InvitationFactory, MemberFactory, OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db

SIGN_IN = "/accounts/sign-in/"
NEW_PASSWORD = "seven slow barges passing"


def sign_in(client, login, password=PASSWORD, **facts):
    return client.post(SIGN_IN, {"login": login, "password": password, **facts})


def signed_in_as(client) -> str:
    return client.session.get("_auth_user_id", "")


def reset_path(user) -> str:
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return reverse("accounts:reset_password", args=[uid, default_token_generator.make_token(user)])


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


# Forgotten passwords


@pytest.mark.parametrize("login", ["hanna.berg", "hanna@a.example", "nobody.here", "nobody@a.example", "in vain"])
def test_asking_for_a_new_password_always_shows_one_page_and_writes_one_row(client, login):
    UserFactory(skype_name="hanna.berg", email="hanna@a.example")

    response = client.post("/accounts/reset/", {"login": login}, follow=True)

    assert response.redirect_chain == [("/accounts/reset/sent/", 302)]
    assert "Look into your mail" in response.text
    [letter] = Letter.objects.filter(kind=Letter.Kind.PASSWORD_RESET)
    known = login.startswith("hanna")
    assert (letter.email, letter.state) == (("hanna@a.example", "waiting") if known else ("", "canceled"))


def test_accounts_of_one_address_get_one_letter(client):
    users = [UserFactory(email="both@a.example") for _number in range(2)]

    client.post("/accounts/reset/", {"login": "both@a.example"})

    [letter] = Letter.objects.all()
    assert sorted(letter.facts["users"]) == [user.pk for user in users]


def test_nobody_is_buried_in_reset_letters(client):
    UserFactory(skype_name="hanna.berg", email="hanna@a.example")

    for login in ["hanna.berg", "hanna@a.example", "HANNA.BERG", "Hanna@a.example", "hanna.berg"]:
        assert client.post("/accounts/reset/", {"login": login}).url == "/accounts/reset/sent/"

    assert Letter.objects.filter(state=Letter.State.WAITING).count() == 3
    assert Letter.objects.count() == 5


@pytest.mark.parametrize("facts", [{"invited": True}, {"state": "blocked", "user__is_active": False}])
def test_a_reset_never_opens_an_account_that_may_not_sign_in(client, facts):
    member = MemberFactory(**facts)

    client.post("/accounts/reset/", {"login": member.user.skype_name})
    client.post("/accounts/reset/", {"login": member.user.email})
    response = client.post(reset_path(member.user), {"password": NEW_PASSWORD})

    assert not Letter.objects.exclude(state=Letter.State.CANCELED).exists()
    assert response.status_code == 410
    member.user.refresh_from_db()
    assert not member.user.check_password(NEW_PASSWORD)


def test_an_invited_account_with_a_first_password_cannot_be_reset_either(client):
    member = MemberFactory(state="invited", user__must_change_password=True, user__waiting=False)

    client.post("/accounts/reset/", {"login": member.user.skype_name})

    assert client.get(reset_path(member.user)).status_code == 410
    assert not Letter.objects.exclude(state=Letter.State.CANCELED).exists()


def test_a_reset_link_works_once_signs_in_and_ends_every_other_session(client, django_user_model):
    member = MemberFactory(user__email_verified_at=None)
    elsewhere = client.__class__()
    elsewhere.force_login(member.user)
    path = reset_path(member.user)
    assert client.get(path).status_code == 200

    response = client.post(path, {"password": NEW_PASSWORD})

    assert (response.status_code, response.url) == (302, "/me/")
    member.user.refresh_from_db()
    assert member.user.check_password(NEW_PASSWORD)
    assert member.user.email_verified_at is not None
    assert signed_in_as(client) == str(member.user.pk)
    assert elsewhere.get("/me/").status_code == 302
    closed = client.get(path)
    assert closed.status_code == 410
    assert "This link can’t be used any more" in closed.text
    assert "/accounts/reset/" in closed.text
    [letter] = Letter.objects.filter(kind=Letter.Kind.PASSWORD_CHANGED)
    assert letter.email == member.user.email
    assert AuditEntry.objects.filter(action="password.changed", subject_member=member).count() == 1


def test_a_reset_link_dies_with_the_next_sign_in_and_the_next_address(client):
    user = UserFactory()
    path = reset_path(user)
    user.last_login = timezone.now()
    user.save()
    assert client.get(path).status_code == 410

    path = reset_path(user)
    user.email = "elsewhere@a.example"
    user.save()
    assert client.get(path).status_code == 410


@pytest.mark.parametrize("path", ["MQ/x-y", "!!!/abc-def", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5/a-b", "w6k/a-b"])
def test_nonsense_in_a_reset_link_is_answered_like_a_dead_one(client, path):
    assert client.get(f"/accounts/reset/{path}/").status_code == 410


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("x" * 14, "too short"),
        ("x" * 257, "too long"),
        ("123456789012345678", "entirely numeric"),
        ("hanna.berg@a.example", "too similar"),
        ("Architectes-2026!", "little more than your name"),
        ("nothing\0at all here", "Null"),
    ],
)
def test_a_password_that_anybody_could_guess_is_refused_next_to_its_field(client, password, reason):
    member = MemberFactory(
        organization__name="Architectes", user__skype_name="hanna.berg", user__email="hanna.berg@a.example"
    )

    response = client.post(reset_path(member.user), {"password": password})

    assert response.status_code == 422
    assert reason in response.text
    assert 'class="field-error"' in response.text


@pytest.mark.parametrize(
    "password", [" fifteen chars ", "pass phrase with spaces", "ö" * 64, "🦆" * 15, "x" * 100 + "Y1" * 14]
)
def test_a_good_password_is_kept_as_it_was_typed(client, password):
    user = UserFactory()

    assert client.post(reset_path(user), {"password": password}).status_code == 302

    user.refresh_from_db()
    assert user.check_password(password)
    assert not user.check_password(password.strip() + "!")


# Addresses


def test_opening_a_verification_link_changes_nothing_and_its_button_confirms(client):
    user = UserFactory(email_verified_at=None)
    path = reverse("accounts:verify_address", args=[address_token(user)])

    page = client.get(path)
    user.refresh_from_db()
    assert (page.status_code, user.email_verified_at) == (200, None)
    assert "Is this your address?" in page.text

    response = client.post(path, follow=True)

    user.refresh_from_db()
    assert user.email_verified_at is not None
    assert "Your address is confirmed." in response.text
    assert "This address is confirmed" in client.get(path).text


def test_confirming_the_address_of_an_administrator_lets_letters_leave(client):
    organization = OrganizationFactory(letters_released_at=None)
    plain = MemberFactory(organization=organization, user__email_verified_at=None)
    founder = MemberFactory(organization=organization, admin=True, user__email_verified_at=None)

    client.post(reverse("accounts:verify_address", args=[address_token(plain.user)]))
    organization.refresh_from_db()
    assert organization.letters_released_at is None

    client.post(reverse("accounts:verify_address", args=[address_token(founder.user)]))
    organization.refresh_from_db()
    assert organization.letters_released_at is not None
    [entry] = AuditEntry.objects.filter(action="organization.verified")
    assert entry.actor_user == founder.user


def test_a_stale_old_or_forged_verification_link_explains_itself(client, time_machine):
    user = UserFactory(email_verified_at=None)
    path = reverse("accounts:verify_address", args=[address_token(user)])
    forged = client.get(path.replace("verify/W", "verify/X"))
    assert forged.status_code == 410

    user.email = "elsewhere@a.example"
    user.save()
    assert client.post(path).status_code == 410

    path = reverse("accounts:verify_address", args=[address_token(user)])
    time_machine.move_to(timezone.now() + timedelta(days=14, minutes=1))
    response = client.post(path)
    assert response.status_code == 410
    assert "You can send a new one to yourself." in response.text
    user.refresh_from_db()
    assert user.email_verified_at is None


def test_the_verification_letter_can_be_sent_again_but_not_for_ever(client):
    user = UserFactory(email_verified_at=None)
    client.force_login(user)

    for _number in range(5):
        response = client.post("/accounts/verify/", {"next": "/me/settings/"}, follow=True)
        assert "A letter is on its way" in response.text
    response = client.post("/accounts/verify/", {"next": "/me/settings/"}, follow=True)

    assert "That was tried too often." in response.text
    assert Letter.objects.filter(kind=Letter.Kind.ADDRESS_VERIFICATION).count() == 5


# First passwords


@pytest.fixture
def newcomer():
    member = MemberFactory(
        state="invited",
        joined_at=None,
        user__must_change_password=True,
        user__waiting=False,
        user__email_verified_at=None,
    )
    InvitationFactory(member=member)
    return member


def test_nothing_works_before_a_first_password_is_replaced(client, newcomer):
    assert sign_in(client, newcomer.user.skype_name, next="/me/settings/").url == "/accounts/first-password/"

    for path in ["/me/", "/me/settings/", "/accounts/choose/"]:
        assert client.get(path).url == "/accounts/first-password/"
    assert client.get("/", follow=True).redirect_chain[-1][0] == "/accounts/first-password/"
    assert client.post("/me/settings/password/", {"new_password": NEW_PASSWORD}).url == "/accounts/first-password/"


def test_a_first_password_must_be_replaced_by_another_one(client, newcomer):
    client.force_login(newcomer.user)

    response = client.post("/accounts/first-password/", {"first_name": "Théo", "password": PASSWORD})

    assert response.status_code == 422
    assert "This is the password you signed in with." in response.text
    newcomer.refresh_from_db()
    assert newcomer.state == Member.State.INVITED


def test_choosing_a_password_of_ones_own_makes_the_member_active(client, newcomer):
    client.force_login(newcomer.user)

    response = client.post(
        "/accounts/first-password/", {"first_name": "Théo", "last_name": "Lacombe", "password": NEW_PASSWORD}
    )

    assert (response.status_code, response.url) == (302, "/me/")
    newcomer.refresh_from_db()
    user = User.objects.get(pk=newcomer.user.pk)
    assert (newcomer.state, newcomer.joined_at is not None, user.must_change_password) == ("active", True, False)
    assert user.check_password(NEW_PASSWORD)
    assert "theo" in newcomer.search_text
    assert newcomer.invitations.get().state == "accepted"
    assert AuditEntry.objects.filter(action="member.joined", subject_member=newcomer).count() == 1
    assert client.get("/me/").status_code == 200
    assert client.get("/accounts/first-password/").url == "/"
    # Whoever typed the password need not be who reads the mail.
    assert Letter.objects.filter(kind=Letter.Kind.ADDRESS_VERIFICATION, email=user.email).count() == 1


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
