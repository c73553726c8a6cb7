"""The page of those who hold a role."""

import re
from datetime import UTC, datetime

import pytest

from members.models import AuditEntry, Member, User
from members.selectors.administrators import find_plain_members, role_holders_page
from tests.factories import AuthenticatorAppFactory, MemberFactory, OrganizationFactory
from tests.members.signing_in import CONFIRM, forget_proof

pytestmark = pytest.mark.django_db

URL = "/acme/settings/administrators/"
ONLY = "The only administrator. Give the role to somebody else first."


@pytest.fixture
def organization():
    return OrganizationFactory(slug="acme")


@pytest.fixture
def admin(organization, client):
    admin = MemberFactory(organization=organization, admin=True)
    client.force_login(admin.user)
    return admin


def row_of(page, member):
    return next(row for row in re.findall(r"<tr>.*?</tr>", page, re.DOTALL) if member.user.skype_name in row)


def test_administrators_come_first_then_managers_and_nobody_else(client, organization, admin):
    viewer = MemberFactory(organization=organization, role="reports_viewer")
    second = MemberFactory(organization=organization, admin=True, invited=True)
    plain = MemberFactory(organization=organization)
    gone = MemberFactory(organization=organization, admin=True, state=Member.State.LEFT)
    stranger = MemberFactory(admin=True)

    rows = role_holders_page(organization, client.get(URL).wsgi_request.GET).rows

    assert {member.pk for member in rows[:2]} == {admin.pk, second.pk}
    assert rows[2:] == [viewer]
    page = client.get(URL).text
    assert all(someone.user.skype_name not in page for someone in (plain, gone, stranger))


def test_a_row_tells_second_factor_last_sign_in_and_state(client, organization, admin):
    AuthenticatorAppFactory(user=admin.user)
    idle = MemberFactory(organization=organization, role="voice_manager", state=Member.State.BLOCKED)
    User.objects.filter(pk=idle.user_id).update(last_login=datetime(2025, 3, 4, 12, tzinfo=UTC))

    page = client.get(URL).text

    assert ">On</span>" in row_of(page, admin)
    assert ">Off</span>" in row_of(page, idle)
    assert ">Blocked</span>" in row_of(page, idle)
    assert "2025" in row_of(page, idle)
    assert f"/acme/members/@{idle.user.skype_name}/" in row_of(page, idle)


def test_a_member_found_by_name_gets_a_role(client, organization, admin):
    anna = MemberFactory(organization=organization, user__first_name="Anna", user__last_name="Berg")
    MemberFactory(user__first_name="Anna", user__last_name="Elsewhere")
    page = client.get(URL, {"q": "anna"}).text
    assert "Elsewhere" not in page
    assert find_plain_members(organization, "anna") == [anna]

    page = client.post(f"{URL}give/", {"skype_name": anna.user.skype_name, "role": "credit_manager"}, follow=True).text

    assert "Anna Berg now has the role “Credit manager”." in page
    assert "Credit manager" in row_of(page, anna)
    [entry] = AuditEntry.objects.filter(action="member.role_changed")
    assert (entry.subject_member, entry.actor_member) == (anna, admin)


@pytest.mark.parametrize("role", ["member", "", "owner"])
def test_no_other_role_is_given_there(client, organization, admin, role):
    anna = MemberFactory(organization=organization)

    page = client.post(f"{URL}give/", {"skype_name": anna.user.skype_name, "role": role}, follow=True).text

    assert "Nothing has changed. Choose a role." in page
    assert not AuditEntry.objects.exists()


def test_a_role_is_given_only_with_a_fresh_proof(client, organization, admin):
    anna = MemberFactory(organization=organization)
    forget_proof(client)

    response = client.post(f"{URL}give/", {"skype_name": anna.user.skype_name, "role": "administrator"})

    assert response.url.startswith(CONFIRM)
    assert Member.objects.get(pk=anna.pk).role == "member"


def test_a_role_is_taken_away_after_its_consequence_was_shown(client, organization, admin):
    manager = MemberFactory(organization=organization, role="members_manager")
    url = f"{URL}@{manager.user.skype_name}/take-away/"
    assert "Add, change, invite and block people" in client.get(url).text

    response = client.post(url, follow=True)

    assert "can do nothing in the console any more." in response.text
    assert Member.objects.get(pk=manager.pk).role == "member"


def test_the_only_administrator_keeps_the_role_and_reads_why(client, organization, admin):
    MemberFactory(organization=organization, admin=True, state=Member.State.BLOCKED)
    url = f"{URL}@{admin.user.skype_name}/take-away/"
    assert ONLY in row_of(client.get(URL).text, admin)
    assert "take-away" not in row_of(client.get(URL).text, admin)
    assert "button-danger" not in client.get(url).text

    page = client.post(url, follow=True).text

    assert Member.objects.get(pk=admin.pk).role == "administrator"
    assert "can do nothing" not in page


def test_one_of_two_administrators_gives_their_own_role_away_and_is_out(client, organization, admin):
    MemberFactory(organization=organization, admin=True)
    url = f"{URL}@{admin.user.skype_name}/take-away/"
    assert ONLY not in client.get(URL).text
    assert "This is you." in client.get(url).text

    response = client.post(url)

    assert response.url == "/"
    assert client.get(URL).status_code == 403


def test_the_settings_and_the_table_of_roles_lead_there(client, organization, admin):
    assert f'href="{URL}"' in client.get("/acme/settings/").text
    assert f'href="{URL}"' in client.get("/acme/members/roles/").text
    client.force_login(MemberFactory(organization=organization, role="members_manager").user)
    assert f'href="{URL}"' not in client.get("/acme/members/roles/").text
    assert client.get(URL).status_code == 403
