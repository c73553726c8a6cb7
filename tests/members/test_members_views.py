"""What is done to people ticked on the list: each act says what will happen, then does it."""

from urllib.parse import urlencode

import pytest
from django.urls import reverse

from members.audit import Action
from members.models import AuditEntry, Letter, Member
from tests.factories import DepartmentFactory, InvitationFactory, MemberFactory, OrganizationFactory

Role, State = Member.Role, Member.State


@pytest.fixture
def organization(db):
    return OrganizationFactory(slug="acme")


@pytest.fixture
def boss(organization, client):
    boss = MemberFactory(organization=organization, admin=True)
    client.force_login(boss.user)
    return boss


@pytest.fixture
def sales(organization):
    return DepartmentFactory(organization=organization, name="Sales")


def url(name, query=""):
    return reverse(f"members:{name}", args=["acme"]) + query


def ticked(*members):
    return "?" + "&".join(f"member={member.pk}" for member in members)


def hidden(response):
    return dict(response.context["chosen"].fields)


def test_moving_asks_where_then_says_what_will_happen_then_does_it(client, organization, boss, sales):
    there = MemberFactory.create_batch(2, organization=organization, department=sales)
    others = MemberFactory.create_batch(3, organization=organization)
    chosen = ticked(*there, *others)

    ask = client.get(url("members_move", chosen))
    assert ask.context["reach"] is None
    assert others[0].user.display_name in ask.text

    forecast = client.get(url("members_move", f"{chosen}&to={sales.pk}"))
    assert "3 of 5 people will be moved." in forecast.text
    assert "2 are there already." in forecast.text
    assert "Move 3 people" in forecast.text
    assert not AuditEntry.objects.exists()

    data = {"member": [member.pk for member in (*there, *others)], "to": sales.pk}
    done = client.post(url("members_move"), data, follow=True)
    assert done.redirect_chain == [(url("member_list"), 302)]
    assert "3 people moved to Sales." in done.text
    assert sales.members.count() == 5
    assert AuditEntry.objects.filter(action=Action.MEMBER_MOVED, actor_member=boss).count() == 3

    assert "0 people moved to Sales." in client.post(url("members_move"), data, follow=True).text
    assert AuditEntry.objects.count() == 3


def test_everything_that_matches_is_moved_and_the_list_comes_back_filtered(client, organization, boss, sales):
    MemberFactory.create_batch(60, organization=organization, role=Role.VOICE_MANAGER)
    query = "?all=1&role=voice_manager&q=person"

    forecast = client.get(url("members_move", f"{query}&to={sales.pk}"))
    assert "60 of 60 people will be moved." in forecast.text
    assert "and 55 others" in forecast.text

    response = client.post(url("members_move"), hidden(forecast) | {"to": sales.pk})
    assert response.url == url("member_list", "?q=person&role=voice_manager")
    assert sales.members.count() == 60


def test_people_of_another_organization_cannot_be_ticked(client, organization, boss, sales):
    stranger = MemberFactory()

    response = client.post(url("members_move"), {"member": stranger.pk, "to": sales.pk}, follow=True)

    assert "Nobody was chosen" in response.text
    stranger.refresh_from_db()
    assert stranger.department is None


@pytest.mark.parametrize("to", ["999999", "x", "", "-1"])
def test_a_department_that_is_not_on_offer_is_refused(client, organization, boss, to):
    assert client.get(url("members_move", f"{ticked(boss)}&to={to}")).status_code == 422
    assert client.post(url("members_move"), {"member": boss.pk, "to": to}).status_code == 422


def test_a_department_of_another_organization_is_not_on_offer(client, organization, boss):
    foreign = DepartmentFactory()

    response = client.post(url("members_move"), {"member": boss.pk, "to": foreign.pk})

    assert response.status_code == 422
    assert foreign.path not in response.text


def test_moving_to_no_department(client, organization, boss, sales):
    member = MemberFactory(organization=organization, department=sales)

    response = client.post(url("members_move"), {"member": member.pk, "to": "none"}, follow=True)

    assert "1 person moved to no department." in response.text
    assert not sales.members.exists()


@pytest.mark.parametrize("name", ["members_move", "members_resend", "members_block"])
def test_nobody_chosen_leads_back_with_a_word(client, organization, boss, name):
    for query in ("", "?member=x", "?member=99999999999999999999", "?all=1&q=nobody"):
        assert "Nobody was chosen" in client.get(url(name, query), follow=True).text


def test_blocking_says_whom_it_leaves_alone_and_why(client, organization, boss):
    active = MemberFactory.create_batch(2, organization=organization)
    MemberFactory(organization=organization, invited=True)
    MemberFactory(organization=organization, state=State.BLOCKED)

    forecast = client.get(url("members_block", "?all=1"))
    for sentence in ("2 of 5 people will be blocked.", "1 is blocked already.", "1 has not joined yet.", "1 is you."):
        assert sentence in forecast.text

    done = client.post(url("members_block"), {"all": 1, "reason": " Fire  drill\u200b"}, follow=True)
    assert "2 people blocked." in done.text
    assert set(Member.objects.filter(state=State.BLOCKED)) >= set(active)
    assert set(AuditEntry.objects.values_list("reason", flat=True)) == {"Fire drill"}
    assert "0 of 5 people will be blocked." in client.get(url("members_block", "?all=1")).text


def test_the_last_administrator_is_not_blocked_and_neither_is_anybody_else(client, organization, boss):
    # The one who asks is left out by itself, so it takes somebody else's list to meet the rule.
    other = MemberFactory(organization=organization, admin=True)
    Member.objects.filter(pk=boss.pk).update(role=Role.ADMINISTRATOR)
    member = MemberFactory(organization=organization)

    client.post(url("members_block"), {"all": 1})

    states = dict(Member.objects.values_list("pk", "state"))
    assert states == {boss.pk: State.ACTIVE, other.pk: State.BLOCKED, member.pk: State.BLOCKED}


@pytest.mark.parametrize(
    ("name", "facts", "action"),
    [
        ("members_move", {"to": "none"}, Action.MEMBER_MOVED),
        ("members_block", {}, Action.MEMBER_BLOCKED),
        ("members_resend", {}, Action.INVITATION_RESENT),
    ],
)
def test_others_than_were_shown_are_shown_before_anything_happens(
    client, organization, boss, sales, name, facts, action
):
    def join():
        InvitationFactory(member__organization=organization, member__department=sales)
        MemberFactory(organization=organization, department=sales)

    join()
    shown = client.get(url(name, f"?all=1&{urlencode(facts)}"))
    data = {"all": "1", **facts, "count": shown.context["reach"].chosen}
    join()

    again = client.post(url(name), data)

    assert "The list has changed in the meantime." in again.text
    assert f'name="count" value="{data["count"] + 2}"' in again.text
    assert not AuditEntry.objects.filter(action=action).exists()
    client.post(url(name), data | {"count": data["count"] + 2})
    assert AuditEntry.objects.filter(action=action).exists()


def test_invitations_of_those_who_wait_are_sent_again(client, organization, boss):
    waiting = [InvitationFactory(member__organization=organization) for _n in range(2)]
    MemberFactory(organization=organization)

    forecast = client.get(url("members_resend", "?all=1"))
    assert "2 of 4 people will get a new letter." in forecast.text
    assert "2 have joined already." in forecast.text
    done = client.post(url("members_resend"), {"all": 1}, follow=True)

    assert "2 invitations are on their way." in done.text
    assert Letter.objects.filter(state=Letter.State.WAITING).count() == 2
    for invitation in waiting:
        invitation.refresh_from_db()
        assert invitation.version == 2


def test_a_members_manager_is_told_who_is_above_them(client, organization):
    manager = MemberFactory(organization=organization, role=Role.MEMBERS_MANAGER)
    MemberFactory.create_batch(2, organization=organization, admin=True)
    client.force_login(manager.user)

    response = client.get(url("members_block", "?all=1"))

    assert "0 of 3 people will be blocked." in response.text
    assert "2 have a role that is above yours." in response.text
    assert "button-danger-solid" not in response.text
