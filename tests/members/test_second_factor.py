import re

import pytest
import time_machine
from django.utils import timezone

from members.access import Actor
from members.codes import code_of, period_now
from members.errors import FactorExists, WrongCode
from members.factors import unseal_secret
from members.models import AuditEntry, AuthenticatorApp, Letter, Member, RecoveryCode, User
from members.services.factors import add_app, renew_recovery_codes, use_code
from members.tokens import invitation_token
from tests.factories import (
    PASSWORD,
    SECRET,
    AuthenticatorAppFactory,
    InvitationFactory,
    MemberFactory,
    UserFactory,
)
from tests.members.signing_in import (
    APP,
    SECOND_STEP,
    SECURITY,
    code,
    is_signed_in,
    reset_path,
    set_up_app,
    shown_codes,
    sign_in,
)

pytestmark = pytest.mark.django_db

NEW_PASSWORD = "seven slow barges passing"
SHORT = "wren & 8"


@pytest.fixture
def member():
    return MemberFactory(user__skype_name="hanna.berg")


@pytest.fixture
def own(client, member):
    client.force_login(member.user)
    return client


@pytest.fixture
def careful():
    """Somebody with an authenticator app."""
    member = MemberFactory(user__skype_name="carla.ful")
    AuthenticatorAppFactory(user=member.user)
    return member.user


def actor_of(user) -> Actor:
    return Actor.of_person(user, address="10.0.0.1")


# Setting up an app


def test_an_app_is_set_up_by_the_code_it_shows_and_gives_ten_recovery_codes(own, member):
    elsewhere = own.__class__()
    elsewhere.force_login(member.user)

    secret, response = set_up_app(own)

    assert response.status_code == 200
    assert len(shown_codes(response)) == 10
    app = AuthenticatorApp.objects.get(user=member.user)
    assert secret not in app.secret
    assert unseal_secret(app.secret) == secret
    # Of the codes only hashes are kept.
    kept = " ".join(RecoveryCode.objects.values_list("digest", flat=True))
    assert not any(shown.replace("-", "") in kept for shown in shown_codes(response))
    assert own.get(SECURITY).status_code == 200
    assert elsewhere.get("/me/").status_code == 302
    [letter] = Letter.objects.filter(kind="sign_in_changed")
    assert (letter.email, letter.facts) == (member.user.email, {"event": "app_added"})
    assert AuditEntry.objects.filter(action="factor.added", subject_member=member).count() == 1
    assert "10 of 10 left" in own.get(SECURITY).text


@pytest.mark.parametrize("typed", ["000000", "12345", "1234567", "abcdef", ""])
def test_a_wrong_code_sets_nothing_up_and_keeps_the_secret_on_the_page(own, member, typed):
    page = own.get(APP)
    [secret] = re.findall(r'id="secret"[^>]*>([A-Z2-7 ]+)<', page.text)
    [draft] = re.findall(r'name="draft" value="([^"]+)"', page.text)

    response = own.post(APP, {"draft": draft, "code": typed})

    assert response.status_code == 422
    assert secret in response.text
    assert not AuthenticatorApp.objects.exists()


@pytest.mark.parametrize("draft", ["", "x", "gAAAAA"])
def test_a_forged_draft_is_answered_with_a_new_secret(own, draft):
    assert own.post(APP, {"draft": draft, "code": "123456"}).status_code == 422
    assert not AuthenticatorApp.objects.exists()


def test_the_draft_of_somebody_else_sets_nothing_up(own, client):
    [draft] = re.findall(r'name="draft" value="([^"]+)"', own.get(APP).text)
    other = own.__class__()
    other.force_login(UserFactory())

    assert other.post(APP, {"draft": draft, "code": "123456"}).status_code == 422
    assert "open too long" in other.post(APP, {"draft": draft, "code": "123456"}).text


def test_a_second_app_is_refused(careful):
    with pytest.raises(FactorExists):
        add_app(actor=actor_of(careful), secret=SECRET, code=code())


def test_the_first_code_opens_nothing_later(own, member, client):
    secret, _response = set_up_app(own)

    with pytest.raises(WrongCode):
        use_code(actor=actor_of(member.user), user=member.user, code=code_of(secret, period_now()))


# The second step


def test_a_password_alone_does_not_sign_in_who_has_an_app(client, careful):
    response = sign_in(client, careful)

    assert (response.status_code, response.url) == (302, SECOND_STEP)
    assert not is_signed_in(client)
    assert client.get("/me/").status_code == 302
    assert client.get(SECOND_STEP).status_code == 200


def test_password_and_code_sign_in_and_go_where_one_wanted(client, careful):
    sign_in(client, careful, next="/me/settings/", stay="on")
    before = client.session.session_key

    response = client.post(SECOND_STEP, {"code": code()})

    assert (response.status_code, response.url) == (302, "/me/settings/")
    assert is_signed_in(client)
    assert client.session.session_key != before
    assert not client.session.get_expire_at_browser_close()
    assert "second_step" not in client.session


@pytest.mark.parametrize("typed", ["000000", "1234567", "x" * 41, ""])
def test_a_wrong_code_signs_nobody_in(client, careful, typed):
    sign_in(client, careful)

    assert client.post(SECOND_STEP, {"code": typed}).status_code == 422
    assert not is_signed_in(client)


def test_a_code_works_once(client, careful):
    right = code()
    sign_in(client, careful)
    assert client.post(SECOND_STEP, {"code": right}).status_code == 302
    client.logout()
    sign_in(client, careful)

    assert client.post(SECOND_STEP, {"code": right}).status_code == 422
    # Nor does one of the time before it.
    assert client.post(SECOND_STEP, {"code": code(-1)}).status_code == 422
    assert client.post(SECOND_STEP, {"code": code(1)}).status_code == 302


def test_the_second_step_is_over_after_ten_minutes_and_with_the_password(client, careful):
    sign_in(client, careful)
    with time_machine.travel(timezone.now() + timezone.timedelta(minutes=11)):
        assert client.post(SECOND_STEP, {"code": code()}).url == "/accounts/sign-in/"

    sign_in(client, careful)
    careful.set_password(NEW_PASSWORD)
    careful.save()
    assert client.post(SECOND_STEP, {"code": code(1)}).url == "/accounts/sign-in/"
    assert not is_signed_in(client)


def test_a_block_ends_the_second_step(client, careful):
    sign_in(client, careful)
    User.objects.filter(pk=careful.pk).update(is_active=False)

    assert client.post(SECOND_STEP, {"code": code()}).url == "/accounts/sign-in/"


def test_nobody_takes_the_second_step_without_the_first(client, careful):
    assert client.get(SECOND_STEP).url == "/accounts/sign-in/"
    assert client.post(SECOND_STEP, {"code": code()}).url == "/accounts/sign-in/"


def test_after_ten_wrong_codes_no_right_one_is_taken_and_one_begins_again_at_the_password(client, careful):
    sign_in(client, careful)
    for _number in range(10):
        assert client.post(SECOND_STEP, {"code": "000000"}).status_code == 422

    response = client.post(SECOND_STEP, {"code": code()})

    assert response.status_code == 429
    assert 890 <= int(response["Retry-After"]) <= 900
    assert client.get(SECOND_STEP).url == "/accounts/sign-in/"
    sign_in(client, careful)
    assert client.post(SECOND_STEP, {"code": code()}).status_code == 429


# No other way past it


def test_a_reset_link_does_not_skip_the_second_step(client, careful):
    response = client.post(reset_path(careful), {"password": NEW_PASSWORD})

    assert response.url == SECOND_STEP
    assert not is_signed_in(client)
    assert client.post(SECOND_STEP, {"code": code()}).status_code == 302
    assert is_signed_in(client)


def test_a_reset_link_opened_by_somebody_who_is_signed_in_does_not_either(client, careful, member):
    client.force_login(member.user)

    client.post(reset_path(careful), {"password": NEW_PASSWORD})

    assert not is_signed_in(client)


def test_a_first_password_does_not_skip_the_second_step(client, careful):
    User.objects.filter(pk=careful.pk).update(must_change_password=True)

    assert sign_in(client, careful).url == SECOND_STEP
    assert client.get("/accounts/first-password/").status_code == 302
    assert client.post(SECOND_STEP, {"code": code()}).url == "/accounts/first-password/"


def test_set_up_with_an_account_one_has_does_not_skip_the_second_step(client):
    founder = AuthenticatorAppFactory().user
    company = {"name": "Quai", "country": "FR", "currency": "EUR", "language": "en", "slug": "quai"}
    client.post("/setup/", company)

    response = client.post("/setup/account/?existing", {"login": founder.skype_name, "password": PASSWORD})

    assert response.url == SECOND_STEP
    assert not is_signed_in(client)
    assert client.post(SECOND_STEP, {"code": code()}).url == "/setup/check/"
    assert client.get("/setup/check/").status_code == 200


def test_an_invitation_does_not_skip_the_second_step(client, careful):
    Member.objects.filter(user=careful).update(state="invited")
    member = Member.objects.get(user=careful)
    invitation = InvitationFactory(member=member)

    response = client.post(
        f"/join/{invitation_token(invitation)}/accept/",
        {"first_name": "Carla", "last_name": "Ful", "password": NEW_PASSWORD},
    )

    assert response.url == SECOND_STEP
    assert not is_signed_in(client)


# Recovery codes


def test_a_recovery_code_signs_in_once_and_is_told(client, careful):
    codes = renew_recovery_codes(actor=actor_of(careful))
    Letter.objects.all().delete()
    sign_in(client, careful)

    assert client.post(SECOND_STEP, {"code": codes[3].upper().replace("-", " ")}).status_code == 302

    assert is_signed_in(client)
    assert [letter.facts["event"] for letter in Letter.objects.all()] == ["code_used"]
    assert AuditEntry.objects.filter(action="recovery_code.used").count() == 1
    page = client.get(SECURITY).text
    assert "9 of 10 left" in page
    assert "That was a recovery code; 9 are left." in page
    client.logout()
    sign_in(client, careful)
    assert client.post(SECOND_STEP, {"code": codes[3]}).status_code == 422
    assert client.post(SECOND_STEP, {"code": codes[4]}).status_code == 302


def test_the_recovery_codes_of_somebody_else_open_nothing(client, careful):
    other = AuthenticatorAppFactory().user
    codes = renew_recovery_codes(actor=actor_of(other))
    sign_in(client, careful)

    assert client.post(SECOND_STEP, {"code": codes[0]}).status_code == 422


def test_new_recovery_codes_replace_the_old_and_are_shown_once(client, careful):
    old = renew_recovery_codes(actor=actor_of(careful))
    client.force_login(careful)

    page = client.post("/me/security/recovery-codes/")

    new = shown_codes(page)
    assert len(new) == 10
    assert not set(new) & set(old)
    assert not any(shown in client.get("/me/security/recovery-codes/").text for shown in new)
    with pytest.raises(WrongCode):
        use_code(actor=actor_of(careful), user=careful, code=old[0])
    use_code(actor=actor_of(careful), user=careful, code=new[0])
    assert AuditEntry.objects.filter(action="recovery_codes.renewed").count() == 2


def test_the_codes_of_the_page_come_as_a_file_and_nothing_else_does(client, careful):
    codes = renew_recovery_codes(actor=actor_of(careful))
    client.force_login(careful)
    path = "/me/security/recovery-codes/file/"

    answer = client.post(path, {"codes": " ".join(codes)})

    assert answer["Content-Disposition"] == 'attachment; filename="skype-manager-recovery-codes.txt"'
    assert all(shown in answer.text for shown in codes)
    assert client.post(path, {"codes": "<script> x"}).status_code == 404
    assert client.post(path, {"codes": f"{codes[0]} {codes[0]}"}).status_code == 404
    assert client.post(path, {}).status_code == 404


def test_without_a_second_factor_there_are_no_recovery_codes(own):
    assert own.get("/me/security/recovery-codes/").status_code == 302
    assert own.post("/me/security/recovery-codes/").status_code == 302
    assert not RecoveryCode.objects.exists()


# Taking away


def test_the_app_is_removed_with_the_password_and_the_recovery_codes_go_too(client, careful):
    renew_recovery_codes(actor=actor_of(careful))
    client.force_login(careful)
    elsewhere = client.__class__()
    elsewhere.force_login(careful)

    assert client.post("/me/security/app/remove/", {"password": "wrong wrong wrong wrong"}).status_code == 422
    assert AuthenticatorApp.objects.exists()
    response = client.post("/me/security/app/remove/", {"password": PASSWORD})

    assert response.url == SECURITY
    assert not AuthenticatorApp.objects.exists()
    assert not RecoveryCode.objects.exists()
    assert client.get(SECURITY).status_code == 200
    assert elsewhere.get("/me/").status_code == 302
    assert Letter.objects.filter(facts={"event": "app_removed"}).count() == 1
    assert AuditEntry.objects.filter(action="factor.removed").count() == 1
    client.logout()
    assert sign_in(client, careful).url == "/me/"


def test_a_short_password_is_good_beside_a_second_factor_and_not_alone(client, careful):
    client.force_login(careful)
    change = {"password-password": PASSWORD, "password-new_password": SHORT}
    assert "At least 8 characters" in client.get(SECURITY).text

    assert client.post("/me/settings/password/", change).status_code == 302
    response = client.post("/me/security/app/remove/", {"password": SHORT})

    assert response.status_code == 422
    assert "Without a second factor a password needs 15 characters." in response.text
    assert AuthenticatorApp.objects.exists()


def test_a_short_password_that_stands_alone_has_to_be_replaced_at_the_next_sign_in(client):
    user = UserFactory()
    user.set_password(SHORT)
    user.save()

    assert sign_in(client, user, SHORT).url == "/accounts/first-password/"
    assert client.get("/me/").url == "/accounts/first-password/"


def test_a_short_password_is_refused_to_who_has_no_second_factor(own):
    change = {"password-password": PASSWORD, "password-new_password": SHORT}

    response = own.post("/me/settings/password/", change)

    assert response.status_code == 422
    assert "too short" in response.text
