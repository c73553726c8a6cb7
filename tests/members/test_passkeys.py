import json
import random

import pytest
import time_machine
from django.utils import timezone

from members.models import AuditEntry, Letter, Passkey, RecoveryCode, User
from members.passkeys import NONSENSE, RelyingParty
from tests.factories import PASSWORD, AuthenticatorAppFactory, MemberFactory, UserFactory
from tests.members.signing_in import (
    CONFIRM,
    SECOND_STEP,
    SECURITY,
    SIGN_IN,
    forget_proof,
    is_signed_in,
    shown_codes,
    sign_in,
)
from tests.soft_passkey import PRESENT, VERIFIED, SoftPasskey

pytestmark = pytest.mark.django_db

ADD = "/me/security/passkeys/add/"
NEW_OPTIONS = "/me/security/passkeys/options/"
OPTIONS = "/accounts/passkey/options/"
PASSKEY = "/accounts/passkey/"


@pytest.fixture(autouse=True)
def host_name(settings):
    """An installation with a host name."""
    settings.BASE_URL = "http://testserver"


@pytest.fixture
def member():
    return MemberFactory(user__skype_name="hanna.berg")


def make(client, name="Work laptop", passkey=None) -> tuple[SoftPasskey, object]:
    """A passkey of whoever is signed in, and the answer to its making."""
    passkey = passkey or SoftPasskey()
    options = client.post(NEW_OPTIONS).json()
    return passkey, client.post(ADD, {"name": name, "credential": passkey.make(options)})


@pytest.fixture
def passkey(client, member):
    """A passkey of ``member``, who has signed out again."""
    client.force_login(member.user)
    made, _response = make(client)
    client.logout()
    member.user.refresh_from_db()
    return made


def use(client, passkey, path=PASSKEY, **facts):
    return client.post(path, {"credential": passkey.use(client.post(OPTIONS).json()), **facts})


# Making


def test_a_passkey_is_made_named_and_told(client, member):
    client.force_login(member.user)

    passkey, response = make(client, name="  Work \t laptop ")

    assert len(shown_codes(response)) == 10
    kept = Passkey.objects.get(user=member.user)
    assert (kept.name, kept.credential_id) == ("Work laptop", passkey.credential_id)
    assert "Work laptop" in client.get(SECURITY).text
    assert Letter.objects.filter(facts={"event": "passkey_added"}).count() == 1
    assert AuditEntry.objects.filter(action="factor.added", subject_member=member).count() == 1


def test_what_is_asked_of_the_browser_names_the_host_and_demands_verification(client, member, passkey):
    client.force_login(member.user)

    asked = client.post(NEW_OPTIONS).json()["publicKey"]

    assert asked["rp"]["id"] == "testserver"
    assert asked["user"]["name"] == "hanna.berg"
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    assert [key["id"] for key in asked["excludeCredentials"]] == [passkey.credential_id]


def test_several_passkeys_are_made_and_only_the_first_brings_recovery_codes(client, member):
    client.force_login(member.user)
    make(client, "One")
    codes = set(RecoveryCode.objects.values_list("digest", flat=True))

    _second, response = make(client, "Two")

    assert response.url == SECURITY
    assert Passkey.objects.filter(user=member.user).count() == 2
    assert set(RecoveryCode.objects.values_list("digest", flat=True)) == codes


def test_one_passkey_belongs_to_one_account(client, member, passkey):
    client.force_login(UserFactory())

    _same, response = make(client, passkey=passkey)

    assert response.status_code == 422
    assert Passkey.objects.get().user == member.user


@pytest.mark.parametrize(
    "spoil",
    [
        lambda passkey: setattr(passkey, "origin", "http://evil.example"),
        lambda passkey: setattr(passkey, "origin", "https://testserver"),
        lambda passkey: setattr(passkey, "host", "evil.example"),
        lambda passkey: setattr(passkey, "flags", PRESENT),
        lambda passkey: setattr(passkey, "flags", VERIFIED),
    ],
    ids=["origin", "scheme", "host", "not verified", "nobody present"],
)
def test_a_passkey_of_elsewhere_or_without_verification_is_not_taken(client, member, passkey, spoil):
    client.force_login(member.user)
    wrong = SoftPasskey()
    spoil(wrong)

    _wrong, response = make(client, passkey=wrong)

    assert response.status_code == 422
    assert Passkey.objects.count() == 1
    client.logout()
    spoil(passkey)
    assert use(client, passkey).status_code == 422
    assert not is_signed_in(client)


def test_what_was_signed_counts_once_and_for_five_minutes(client, member):
    client.force_login(member.user)
    passkey = SoftPasskey()
    answer = passkey.make(client.post(NEW_OPTIONS).json())
    with time_machine.travel(timezone.now() + timezone.timedelta(minutes=6)):
        assert client.post(ADD, {"name": "x", "credential": answer}).status_code == 422
    assert client.post(ADD, {"name": "x", "credential": answer}).status_code == 422

    answer = passkey.make(client.post(NEW_OPTIONS).json())
    assert client.post(ADD, {"name": "x", "credential": answer}).status_code == 200
    assert client.post(ADD, {"name": "x", "credential": answer}).status_code == 422


def test_without_a_script_the_page_says_what_is_missing(client, member):
    client.force_login(member.user)

    assert "Passkeys need JavaScript" in client.post(ADD, {"name": "x"}).text
    client.logout()
    assert "Passkeys need JavaScript" in client.post(PASSKEY).text


def test_an_account_has_at_most_twenty(client, member, passkey):
    client.force_login(member.user)
    kept = Passkey.objects.get()
    Passkey.objects.bulk_create(
        Passkey(user=member.user, name="x", credential_id=str(number), credential=bytes(kept.credential))
        for number in range(19)
    )

    assert make(client)[1].status_code == 422


# Where they work


@pytest.mark.parametrize(
    ("base_url", "host", "works_at"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8000", "http://localhost:8000"),
        ("http://[::1]:8000", "[::1]:8000", "http://localhost:8000"),
        ("https://phones.example.org", "testserver", "https://phones.example.org"),
    ],
)
def test_an_address_without_the_host_name_says_where_passkeys_work(client, settings, base_url, host, works_at):
    settings.BASE_URL = base_url
    settings.ALLOWED_HOSTS = ["*"]
    settings.LOCAL = not base_url.startswith("https")
    client.force_login(UserFactory())

    for path in (SECURITY, ADD):
        assert works_at in client.get(path, headers={"host": host}).text
    assert client.post(OPTIONS, headers={"host": host}).status_code == 409
    assert client.post(NEW_OPTIONS, headers={"host": host}).status_code == 409
    client.logout()
    page = client.get(SIGN_IN, headers={"host": host}).text
    assert works_at in page
    assert "Sign in with a passkey" not in page


def test_on_ones_own_machine_they_work_at_localhost(client, settings):
    settings.BASE_URL = "http://127.0.0.1:8000"

    assert client.post(OPTIONS, headers={"host": "localhost:8000"}).json()["publicKey"]["rpId"] == "localhost"


# Signing in


def test_a_passkey_signs_in_without_a_password_and_without_a_second_step(client, member, passkey):
    AuthenticatorAppFactory(user=member.user)
    page = client.get(SIGN_IN, {"next": "/me/settings/"}).text
    assert "Sign in with a passkey" in page

    response = use(client, passkey, next="/me/settings/")

    assert response.url == "/me/settings/"
    assert is_signed_in(client)
    assert Passkey.objects.get().last_used_at is not None


def test_what_the_browser_is_asked_says_nothing_about_who_has_a_passkey(client, passkey):
    asked = client.post(OPTIONS).json()["publicKey"]

    assert asked.keys() == {"challenge", "rpId", "userVerification"}
    assert asked["userVerification"] == "required"


def test_a_passkey_is_the_second_step_after_a_password(client, member, passkey):
    assert sign_in(client, member.user).url == SECOND_STEP
    asked = client.post(OPTIONS).json()
    assert [key["id"] for key in asked["publicKey"]["allowCredentials"]] == [passkey.credential_id]

    assert client.post(SECOND_STEP, {"credential": passkey.use(asked)}).status_code == 302

    assert is_signed_in(client)


def test_the_passkey_of_somebody_else_is_no_second_step(client, member, passkey):
    other = UserFactory()
    client.force_login(other)
    theirs, _response = make(client)
    client.logout()
    sign_in(client, member.user)

    assert use(client, theirs, SECOND_STEP).status_code == 422
    assert not is_signed_in(client)


def test_what_was_asked_for_one_thing_is_no_answer_to_another(client, member, passkey):
    asked = client.post(OPTIONS).json()
    sign_in(client, member.user)

    assert client.post(SECOND_STEP, {"credential": passkey.use(asked)}).status_code == 422
    assert client.post(PASSKEY, {"credential": passkey.use(asked)}).status_code == 422
    assert not is_signed_in(client)


def test_a_copy_is_noticed_by_its_count(client, passkey):
    use(client, passkey)
    client.logout()
    passkey.count -= 1

    assert use(client, passkey).status_code == 422
    assert not is_signed_in(client)


def test_a_passkey_that_does_not_count_goes_on_working(client, passkey):
    for _number in range(2):
        passkey.count = -1
        assert use(client, passkey).status_code == 302
        client.logout()


def test_a_blocked_account_is_not_opened(client, member, passkey):
    User.objects.filter(pk=member.user.pk).update(is_active=False)

    assert use(client, passkey).status_code == 422
    assert not is_signed_in(client)


def test_a_removed_passkey_opens_nothing(client, member, passkey):
    client.force_login(member.user)
    path = f"/me/security/passkeys/{Passkey.objects.get().pk}/remove/"
    assert "This is your last second factor." in client.get(path).text
    assert client.post(path, {"password": PASSWORD}).url == SECURITY
    client.logout()

    assert use(client, passkey).status_code == 422
    assert not RecoveryCode.objects.exists()
    assert Letter.objects.filter(facts={"event": "passkey_removed"}).count() == 1


def test_a_passkey_beside_another_factor_goes_without_a_word(client, member, passkey):
    AuthenticatorAppFactory(user=member.user)
    client.force_login(member.user)

    assert client.post(f"/me/security/passkeys/{Passkey.objects.get().pk}/remove/").url == SECURITY
    assert not Passkey.objects.exists()
    assert RecoveryCode.objects.count() == 10


def test_a_passkey_gets_another_name_from_its_owner_alone(client, member, passkey):
    path = f"/me/security/passkeys/{Passkey.objects.get().pk}/"
    client.force_login(UserFactory())
    assert client.post(path, {"name": "Mine"}).status_code == 404
    assert client.post(f"{path}remove/", {"password": PASSWORD}).status_code == 404

    client.force_login(member.user)
    assert client.post(path, {"name": "Phone"}).url == SECURITY
    assert Passkey.objects.get().name == "Phone"
    assert client.post(path, {"name": "\u200b\u2028"}).status_code in (302, 422)


def test_a_passkey_is_a_proof(client, member, passkey):
    client.force_login(member.user)
    forget_proof(client)
    assert client.get(ADD).url.startswith(CONFIRM)

    assert use(client, passkey, CONFIRM, way="passkey", next=ADD).url == ADD

    assert client.get(ADD).status_code == 200


def test_the_passkey_of_somebody_else_is_no_proof(client, member, passkey):
    client.force_login(UserFactory())
    forget_proof(client)

    assert use(client, passkey, CONFIRM, way="passkey").status_code == 422
    assert client.get(ADD).url.startswith(CONFIRM)


# Nonsense


ANSWERS = [
    "",
    "x",
    "null",
    "[]",
    "{}",
    '"x"',
    "1e999",
    "[" * 5_000,
    '{"rawId": 1}',
    '{"rawId": "é"}',
    '{"rawId": "AA", "id": "AA", "type": "public-key", "response": {}}',
    '{"rawId": "AA", "id": "AA", "type": "public-key", "response": {"clientDataJSON": "AA", "signature": "AA"}}',
]


@pytest.mark.parametrize("answer", ANSWERS)
def test_nonsense_gets_the_answer_of_a_wrong_passkey(client, member, passkey, answer):
    client.post(OPTIONS)
    assert client.post(PASSKEY, {"credential": answer}).status_code == 422

    client.force_login(member.user)
    client.post(NEW_OPTIONS)
    assert client.post(ADD, {"name": "x", "credential": answer}).status_code == 422


def test_answers_that_were_damaged_on_the_way_are_refused_and_never_a_fault(client, member):
    """Six hundred of them: each differs from a good one in some bytes."""
    party = RelyingParty(host="testserver", origin="http://testserver")
    chance = random.Random(20261122)
    made, used = SoftPasskey(), SoftPasskey()
    options, challenge = party.creation_options(member.user)
    _options, asked = party.request_options(None)
    good = [json.loads(made.make(json.loads(json.dumps(options)))), json.loads(used.use({"publicKey": dict(asked)}))]
    for _number in range(300):
        for answer, verify in zip(good, (party.verify_made, lambda c, a: party.verify_used(c, a, None)), strict=True):
            damaged = json.loads(json.dumps(answer))
            part = chance.choice(sorted(damaged["response"]))
            text = list(damaged["response"][part])
            for _place in range(chance.randint(1, 4)):
                text[chance.randrange(len(text))] = chance.choice("ABCDwxyz0189-_")
            damaged["response"][part] = "".join(text)[: chance.randint(0, len(text))]
            try:
                verify(challenge if verify == party.verify_made else asked, json.dumps(damaged))
            except Exception as error:  # noqa: BLE001
                assert type(error).__name__ == "PasskeyRefused", repr(error.__cause__)
    assert ValueError in NONSENSE
