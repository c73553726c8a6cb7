"""A first password that somebody else has chosen must be replaced by one of one's own."""

import pytest

from members.models import AuditEntry, Letter, Member, User
from tests.factories import PASSWORD, InvitationFactory, MemberFactory
from tests.members.signing_in import SIGN_IN

pytestmark = pytest.mark.django_db

NEW_PASSWORD = "seven slow barges passing"


def sign_in(client, login, password=PASSWORD, **facts):
    return client.post(SIGN_IN, {"login": login, "password": password, **facts})


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
