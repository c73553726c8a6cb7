"""Nobody finds out by trying: neither a password, nor a code, nor who has an account."""

import re
import statistics
import time
from functools import partial

import pytest
import time_machine
from django.contrib.auth.hashers import Argon2PasswordHasher, MD5PasswordHasher, make_password
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from members.models import Letter, Throttle
from skypemgr import settings as everywhere
from tests.factories import PASSWORD, AuthenticatorAppFactory, MemberFactory, PasskeyFactory, UserFactory
from tests.members.signing_in import SECOND_STEP, code, is_signed_in, reset_path, sign_in
from tests.soft_passkey import SoftPasskey

pytestmark = pytest.mark.django_db

WRONG = "wrong wrong wrong wrong"
KNOWN, UNKNOWN = "hanna.berg", "nobody.xxx"
ADDRESSES = ("hanna@a.example", "nobod@a.example")


def guess(client, login, number=10, password=WRONG):
    return [client.post("/accounts/sign-in/", {"login": login, "password": password}) for _number in range(number)]


def plain(response, login: str) -> str:
    """A page without what was typed, and without what every page has of its own."""
    text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", response.text)
    return text.replace(login, "…")


@pytest.fixture
def hashes(monkeypatch):
    """Every hash that is made from here on."""
    made = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *facts: made.append(facts) or encode(*facts))
    return made


@pytest.fixture
def hanna():
    return UserFactory(skype_name=KNOWN, email=ADDRESSES[0])


# Guessing passwords


def test_of_fifty_wrong_sign_ins_at_once_ten_are_compared(hanna, hashes, race, transactional_db):
    outcomes = race(*[partial(guess, Client(), KNOWN, 1)] * 50)

    statuses = [outcome[0].status_code for outcome in outcomes]
    assert (statuses.count(422), statuses.count(429)) == (10, 40)
    assert len(hashes) == 10


@pytest.mark.parametrize("login", [KNOWN, UNKNOWN, *ADDRESSES])
def test_the_eleventh_try_is_refused_whether_or_not_there_is_such_an_account(client, hanna, hashes, login):
    guess(client, login)
    hashes.clear()

    [response] = guess(client, login, 1)

    assert response.status_code == 429
    assert 890 <= int(response["Retry-After"]) <= 900
    assert hashes == []


def test_a_name_and_an_address_of_one_account_are_counted_together(client, hanna):
    guess(client, KNOWN, 5)
    guess(client, ADDRESSES[0], 5)

    # The right password gets the answer of a wrong one: any other would tell that name and address belong together.
    assert guess(client, KNOWN, 1, PASSWORD)[0].status_code == 422
    assert guess(client, ADDRESSES[0], 1, PASSWORD)[0].status_code == 422
    assert not is_signed_in(client)
    with time_machine.travel(timezone.now()):
        Throttle.objects.update(began_at=timezone.now() - timezone.timedelta(minutes=16))
    assert guess(client, KNOWN, 1, PASSWORD)[0].status_code == 302


def test_one_place_is_stopped_that_tries_many_names(client, hanna):
    for number in range(30):
        guess(client, f"nobody.number{number}", 10)

    assert guess(client, KNOWN, 1, PASSWORD)[0].status_code == 429
    elsewhere = client.__class__(REMOTE_ADDR="192.0.2.9")
    assert guess(elsewhere, KNOWN, 1, PASSWORD)[0].status_code == 302


def test_after_a_hundred_failures_only_a_letter_opens_the_account(client, hanna):
    stranger = client.__class__(REMOTE_ADDR="192.0.2.9")
    for _round in range(10):
        guess(stranger, KNOWN)
        Throttle.objects.update(began_at=timezone.now() - timezone.timedelta(days=2))

    [response] = guess(stranger, KNOWN, 1, PASSWORD)
    assert response.status_code == 429
    assert "Choose a new password by letter" in response.text
    client.post(reset_path(hanna), {"password": "seven slow barges passing"})
    assert is_signed_in(client)
    assert guess(stranger, KNOWN, 1, "seven slow barges passing")[0].status_code == 302


def test_nobody_can_lock_out_a_browser_that_has_signed_in_before(client, hanna):
    sign_in(client, hanna)
    client.post("/accounts/sign-out/")
    stranger = client.__class__()
    for _round in range(10):
        guess(stranger, KNOWN)
        Throttle.objects.update(began_at=timezone.now() - timezone.timedelta(days=2))
    guess(stranger, KNOWN, 5)

    assert guess(stranger, KNOWN, 1, PASSWORD)[0].status_code == 429
    assert guess(client, KNOWN, 1, PASSWORD)[0].status_code == 302


def test_a_known_browser_has_ten_tries_too_and_for_its_own_accounts_alone(client, hanna):
    sign_in(client, hanna)
    client.post("/accounts/sign-out/")
    other = UserFactory(skype_name="other.person")
    assert [answer.status_code for answer in guess(client, KNOWN, 11)] == [422] * 10 + [429]

    stranger = client.__class__()
    guess(stranger, "other.person")
    assert sign_in(client, other).status_code == 429


@pytest.mark.parametrize("cookie", ["", "x", "a:b:c", "WyJ4IixbMV1d:1wXyZ:forged"])
def test_a_forged_mark_of_a_known_browser_is_worth_nothing(client, hanna, cookie):
    guess(client.__class__(), KNOWN)
    client.cookies["browser"] = cookie

    assert guess(client, KNOWN, 1, PASSWORD)[0].status_code == 429


def test_the_second_step_makes_a_browser_known_only_when_it_is_taken(client):
    user = AuthenticatorAppFactory().user
    sign_in(client, user)
    assert "browser" not in client.cookies

    client.post(SECOND_STEP, {"code": code()})
    assert client.cookies["browser"]["max-age"] == 365 * 24 * 3600
    assert client.cookies["browser"]["httponly"]


# Finding out who has an account


def work_of(client, path, facts, hashes) -> tuple[int, int, int]:
    hashes.clear()
    with CaptureQueriesContext(connection) as captured:
        response = client.post(path, facts)
    return response.status_code, len(captured), len(hashes)


@pytest.mark.parametrize("path", ["/accounts/sign-in/", "/accounts/reset/"])
@pytest.mark.parametrize("logins", [(KNOWN, UNKNOWN, "block.edd", "invit.edd", "facto.red"), ADDRESSES])
def test_answers_about_any_account_are_the_same_to_the_byte_and_cost_the_same(client, hanna, hashes, path, logins):
    UserFactory(skype_name="block.edd", is_active=False)
    MemberFactory(invited=True, user__skype_name="invit.edd")
    AuthenticatorAppFactory(user=PasskeyFactory(user__skype_name="facto.red").user)

    for number in range(12):
        facts = {"password": WRONG}
        works = {work_of(client, path, {"login": login, **facts}, hashes) for login in logins}
        assert len(works) == 1, (number, works)
        pages = {plain(client.post(path, {"login": login, **facts}, follow=True), login) for login in logins}
        assert len(pages) == 1, number


def test_a_passkey_gets_one_answer_whoever_it_belongs_to_or_not(client, settings, hashes):
    settings.BASE_URL = "http://testserver"
    blocked, known, unknown = SoftPasskey(), SoftPasskey(), SoftPasskey()
    for passkey, active in ((blocked, False), (known, True)):
        PasskeyFactory(user__is_active=active, made=passkey)
    known.flags = blocked.flags

    works, pages = set(), set()
    for passkey in (blocked, unknown, known):
        options = client.post("/accounts/passkey/options/").json()
        passkey.origin = "http://evil.example"
        facts = {"credential": passkey.use(options)}
        works.add(work_of(client, "/accounts/passkey/", facts, hashes))
        options = client.post("/accounts/passkey/options/").json()
        facts = {"credential": passkey.use(options)}
        pages.add(plain(client.post("/accounts/passkey/", facts), "-"))

    assert len(works) == len(pages) == 1
    assert works.pop()[0] == 422


def test_an_invitation_that_was_never_ours_costs_nothing_and_says_nothing(client, hashes):
    MemberFactory(invited=True)

    works = {
        work_of(client, f"/join/{token}/accept/", {"password": WRONG}, hashes)
        for token in ("x", "WzEsMSwiYWJjIl0:forged", "WzIsMSwiYWJjIl0:forged")
    }

    assert len(works) == 1
    assert works.pop()[::2] == (404, 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "logins"),
    [
        ("/accounts/sign-in/", (KNOWN, UNKNOWN)),
        ("/accounts/sign-in/", ADDRESSES),
        ("/accounts/reset/", (KNOWN, UNKNOWN)),
        ("/accounts/reset/", ADDRESSES),
    ],
)
def test_time_tells_nothing_either(client, hanna, settings, path, logins):
    """Fifty pairs, with the hashes of every installation: the medians of known and unknown differ by 10 ms at most."""
    settings.PASSWORD_HASHERS = everywhere.PASSWORD_HASHERS
    hanna.password = make_password(PASSWORD)
    assert hanna.password.startswith(Argon2PasswordHasher.algorithm)
    hanna.save()
    times: dict[str, list[float]] = {login: [] for login in logins}

    for number in range(53):
        for login in logins if number % 2 else reversed(logins):
            Throttle.objects.all().delete()
            Letter.objects.all().delete()
            before = time.perf_counter()
            client.post(path, {"login": login, "password": WRONG})
            times[login].append(time.perf_counter() - before)

    known, unknown = (statistics.median(times[login][3:]) for login in logins)
    assert abs(known - unknown) <= 0.010, f"{known * 1000:.1f} and {unknown * 1000:.1f} ms"
