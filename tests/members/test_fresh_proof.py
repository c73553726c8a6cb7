"""Dangerous things need a proof that it is still the same person."""

import pytest
import time_machine
from django.utils import timezone

from members.access import Actor
from members.models import AuditEntry, AuthenticatorApp, RecoveryCode
from members.services.accounts import reset_password
from tests.factories import (
    PASSWORD,
    AuthenticatorAppFactory,
    MemberFactory,
    OrganizationFactory,
    UserFactory,
)
from tests.members.signing_in import (
    APP,
    CONFIRM,
    code,
    forget_proof,
    reset_path,
    set_up_app,
    sign_in,
)

pytestmark = pytest.mark.django_db

NEW_PASSWORD = "seven slow barges passing"


@pytest.fixture
def careful():
    """Somebody with an authenticator app."""
    member = MemberFactory(user__skype_name="carla.ful")
    AuthenticatorAppFactory(user=member.user)
    return member.user


DANGEROUS = [
    ("get", APP),
    ("post", APP),
    ("get", "/me/security/app/remove/"),
    ("post", "/me/security/app/remove/"),
    ("get", "/me/security/passkeys/add/"),
    ("post", "/me/security/passkeys/add/"),
    ("post", "/me/security/passkeys/options/"),
    ("get", "/me/security/recovery-codes/"),
    ("post", "/me/security/recovery-codes/"),
    ("post", "/me/security/sessions/1/end/"),
    ("post", "/me/security/sessions/end-others/"),
]


@pytest.mark.parametrize(("method", "path"), DANGEROUS)
def test_dangerous_things_need_a_fresh_proof_and_change_nothing_without(client, careful, method, path):
    client.force_login(careful)
    forget_proof(client)

    facts = {"password": PASSWORD} if method == "post" else None
    response = getattr(client, method)(path, facts, headers={"referer": "http://testserver/me/security/"})

    back = path if method == "get" else "/me/security/"
    assert response.url == f"{CONFIRM}?next={back.replace('/', '%2F')}"
    assert AuthenticatorApp.objects.count() == 1
    assert not RecoveryCode.objects.exists()


@pytest.mark.parametrize("referer", ["http://evil.example/x/", "//evil.example/", "javascript:alert(1)", ""])
def test_a_proof_never_leads_elsewhere(client, careful, referer):
    client.force_login(careful)
    forget_proof(client)

    response = client.post("/me/security/recovery-codes/", headers={"referer": referer})

    assert response.url == f"{CONFIRM}?next=%2F"
    assert client.post(CONFIRM, {"way": "password", "password": PASSWORD, "next": referer}).url == "/"


@pytest.mark.parametrize("way", [{"way": "password", "password": PASSWORD}, {"way": "code"}])
def test_password_or_code_are_a_proof_for_fifteen_minutes(client, careful, way):
    client.force_login(careful)
    forget_proof(client)
    if way["way"] == "code":
        way = {**way, "code": code()}
    assert client.get(CONFIRM, {"next": APP}).status_code == 200

    response = client.post(CONFIRM, {**way, "next": "/me/security/recovery-codes/"})

    assert response.url == "/me/security/recovery-codes/"
    assert client.get("/me/security/recovery-codes/").status_code == 200
    with time_machine.travel(timezone.now() + timezone.timedelta(minutes=14)):
        assert client.get("/me/security/recovery-codes/").status_code == 200
    with time_machine.travel(timezone.now() + timezone.timedelta(minutes=16)):
        assert client.get("/me/security/recovery-codes/").status_code == 302


@pytest.mark.parametrize(
    "answers",
    [
        {"way": "password", "password": "wrong wrong wrong wrong"},
        {"way": "password"},
        {"way": "code", "code": "000000"},
        {"way": "passkey"},
        {"way": "passkey", "credential": "{}"},
        {"way": "nothing"},
        {},
    ],
)
def test_nothing_else_is_a_proof(client, careful, answers):
    client.force_login(careful)
    forget_proof(client)

    client.post(CONFIRM, answers)

    assert client.get(APP).url.startswith(CONFIRM)


def test_a_proof_cannot_be_guessed_without_end(client, careful):
    client.force_login(careful)
    for _number in range(10):
        client.post(CONFIRM, {"way": "password", "password": "wrong wrong wrong wrong"})

    assert client.post(CONFIRM, {"way": "password", "password": PASSWORD}).status_code == 429


def test_signing_in_is_a_proof(client):
    user = UserFactory()
    sign_in(client, user)

    assert client.get(APP).status_code == 200


def test_an_earlier_session_does_not_live_on_after_a_reset_link(client, careful):
    client.force_login(careful)

    reset_password(actor=Actor.visitor(), user=careful, token=reset_path(careful).split("/")[-2], password=NEW_PASSWORD)

    assert client.get("/me/").status_code == 302


def test_a_personal_accounts_factors_are_in_no_log(client):
    user = UserFactory()
    MemberFactory(user=user, personal=True, organization=OrganizationFactory())
    client.force_login(user)

    set_up_app(client)

    assert AuthenticatorApp.objects.filter(user=user).exists()
    assert not AuditEntry.objects.filter(action="factor.added").exists()
