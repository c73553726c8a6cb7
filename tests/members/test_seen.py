"""What a company sees of its members: told from the roles themselves, before somebody joins and ever after."""

import re
from uuid import uuid4

import pytest

from members.access import ROLES, Actor, Capability
from members.models import Member
from members.registry import VisibleFact, registry
from members.seen import sight_of
from members.services.consents import decide_call_detail
from members.services.hand_over import hand_over
from members.services.personal_data import export_member_data
from members.tokens import invitation_token
from tests.factories import InvitationFactory, MemberFactory, OrganizationFactory
from tests.members.signing_in import sign_in

pytestmark = pytest.mark.django_db
CALLS = "Whom you call, when and for how long."
NAMES = "Your name, your Skype Name, your job title and your department."


@pytest.fixture
def organization():
    organization = OrganizationFactory(slug="acme", name="Acme")
    MemberFactory(organization=organization, admin=True)
    MemberFactory(organization=organization, role=Member.Role.CREDIT_MANAGER)
    return organization


def texts(facts):
    return [str(fact.text) for fact in facts]


def roles_of(sight, text):
    return next(dict(fact.roles) for fact in sight.seen if str(fact.text) == text)


def seen_by(page, text):
    """What the table of a page says about who sees something."""
    return re.search(re.escape(text) + r".*?<td[^>]*>(.*?)</td>", page, re.DOTALL)[1]


def test_each_fact_is_seen_by_the_roles_that_can_and_no_others(organization):
    people = dict(Member.Role.choices)
    for role in Member.Role.values:
        MemberFactory(organization=organization, role=role)
    sight = sight_of(organization, "business")

    for fact in registry.all(VisibleFact):
        if fact.capability is not None and fact.kind in ("", "business"):
            able = {str(people[role]) for role, held in ROLES.items() if fact.capability in held}
            assert set(roles_of(sight, str(fact.text))) == able
    assert roles_of(sight, CALLS) == {"Administrator": 2, "Credit manager": 2, "Reports viewer": 1}
    assert roles_of(sight_of(organization, "personal", agreed=True), CALLS) == {"Administrator": 2}


def test_a_role_that_nobody_has_sees_nothing(organization):
    assert roles_of(sight_of(organization, "business"), NAMES) == {"Administrator": 1, "Credit manager": 1}


@pytest.mark.parametrize(
    ("kind", "agreed", "seen"), [("business", False, 1), ("personal", False, 0), ("personal", True, 1)]
)
def test_calls_of_a_personal_account_are_seen_only_when_its_owner_agreed(organization, kind, agreed, seen):
    sight = sight_of(organization, kind, agreed=agreed)

    assert texts(sight.seen).count(CALLS) == seen
    assert texts(sight.unseen).count(CALLS) == 1 - seen
    assert "What you say or write." in texts(sight.unseen)


def test_other_organizations_are_a_matter_of_personal_accounts(organization):
    assert "Your other organizations." in texts(sight_of(organization, "personal").unseen)
    assert "Your other organizations." not in texts(sight_of(organization, "business").unseen)


def test_colleagues_see_names_where_the_company_shows_them(organization):
    assert not sight_of(organization, "business").seen[0].by_everybody
    organization.show_colleagues = True

    assert [str(fact.text) for fact in sight_of(organization, "business").seen if fact.by_everybody] == [NAMES]


def test_the_page_tells_what_is_seen_and_by_whom(organization, client):
    member = MemberFactory(organization=organization, personal=True)
    sign_in(client, member.user)
    before = client.get("/me/seen/acme/").text
    assert seen_by(before, CALLS) == "Nobody"
    assert "Administrator (1)" in seen_by(before, NAMES)
    assert "/me/call-detail/acme/" in before
    assert "/me/seen/acme/" in client.get("/me/").text

    decide_call_detail(actor=Actor.of_person(member.user), organization=organization, given=True)

    assert seen_by(client.get("/me/seen/acme/").text, CALLS) == "Administrator (1)"


def test_whose_data_were_exported_reads_when(organization, client):
    member = MemberFactory(organization=organization)
    sign_in(client, member.user)
    assert "Nobody has exported your personal data." in client.get("/me/seen/acme/").text

    export_member_data(actor=Actor.system(), organization=organization, member=member)

    assert "Exported personal data" in client.get("/me/seen/acme/").text


def test_what_was_exported_of_the_person_before_is_not_the_next_ones(organization, client):
    member = MemberFactory(organization=organization)
    facts = {"actor": Actor.system(), "organization": organization, "member": member}
    export_member_data(**facts)
    given = hand_over(**facts, email="bert@a.example", first_name="", last_name="", key=uuid4())
    given.user.set_password("three quiet herons wait")
    given.user.save()
    Member.objects.filter(pk=given.pk).update(state="active")
    sign_in(client, given.user)

    assert "Exported personal data" not in client.get("/me/seen/acme/").text


def test_who_is_no_member_reads_nothing(organization, client):
    sign_in(client, MemberFactory().user)

    assert client.get("/me/seen/acme/").status_code == 404


@pytest.mark.parametrize("kind", ["business", "personal"])
def test_whoever_is_invited_reads_the_same_before_they_join(organization, client, kind):
    facts = {"member": None, "kind": "personal", "user": None, "email": "guest@a.example"}
    if kind == "business":
        facts = {"member": MemberFactory(organization=organization, invited=True)}
    invitation = InvitationFactory(organization=organization, **facts)
    sight = sight_of(organization, kind)

    page = client.get(f"/join/{invitation_token(invitation)}/").text

    for text in texts([*sight.seen, *sight.unseen]):
        assert text in page
    assert "(1)" not in page


def test_every_capability_that_shows_people_is_among_the_facts():
    shown = {fact.capability for fact in registry.all(VisibleFact)}

    assert shown >= {
        Capability.VIEW_MEMBERS,
        Capability.MANAGE_MEMBERS,
        Capability.MANAGE_CREDIT,
        Capability.VIEW_AUDIT,
    }
