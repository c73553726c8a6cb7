"""A new password by the link of a letter."""

import pytest
from django.utils import timezone

from members.models import AuditEntry, Letter
from tests.factories import MemberFactory, UserFactory
from tests.members.signing_in import reset_path

pytestmark = pytest.mark.django_db

NEW_PASSWORD = "seven slow barges passing"


def signed_in_as(client) -> str:
    return client.session.get("_auth_user_id", "")


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
