"""Two at once: on real threads and connections, twenty times each; and what would happen without the lock."""

import threading
from functools import partial
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members import departments as tree
from members.access import Actor
from members.errors import DepartmentExists, InvitationClosed
from members.models import ApiToken, AuditEntry, Department, Invitation, Letter, Member, Operation, User
from members.newcomers import sorting_of
from members.services import departments, joining
from members.services.api_tokens import make_api_token
from members.services.departments import add_department
from members.services.invitations import invite_personal
from members.services.members import block_members, send_password_letter
from members.services.profile import change_address, change_profile, leave_organization
from members.tokens import invitation_token, read_invitation_token
from tests.factories import PASSWORD, InvitationFactory, MemberFactory, OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)

SYSTEM = Actor.system()


def personal_invitation(**facts) -> Invitation:
    return InvitationFactory(
        member=None, organization=facts.pop("organization", None) or OrganizationFactory(), kind="personal", **facts
    )


def test_one_name_for_two_departments_at_once_makes_one(race, rounds):
    organization = OrganizationFactory()
    for number in range(rounds):
        add = partial(add_department, actor=SYSTEM, organization=organization, name=f"Werft {number}")

        outcomes = race(add, add)

        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Department", "DepartmentExists"]
    assert Department.objects.count() == rounds


def test_control_without_the_lock_the_second_department_fails_in_the_database(race, monkeypatch):
    organization = OrganizationFactory()
    looked = threading.Barrier(2)
    check = tree.check_place

    def check_and_wait(*args, **kwargs):
        check(*args, **kwargs)
        looked.wait(timeout=10)

    monkeypatch.setattr(departments, "lock_organization", lambda organization: None)
    monkeypatch.setattr(tree, "check_place", check_and_wait)
    add = partial(add_department, actor=SYSTEM, organization=organization, name="Werft")

    outcomes = race(add, add)

    assert not any(isinstance(outcome, DepartmentExists) for outcome in outcomes)
    assert sum(isinstance(outcome, IntegrityError) for outcome in outcomes) == 1


def test_the_tree_is_locked_before_it_is_read():
    organization = OrganizationFactory()
    with CaptureQueriesContext(connection) as captured:
        add_department(actor=SYSTEM, organization=organization, name="Werft")

    statements = [query["sql"] for query in captured]
    [lock] = [place for place, sql in enumerate(statements) if "FOR NO KEY UPDATE" in sql]
    reads = [place for place, sql in enumerate(statements) if 'FROM "members_department"' in sql]
    assert lock < min(reads)


def test_one_form_sent_twice_at_once_is_carried_out_once(race, rounds):
    admin = MemberFactory(admin=True)
    for number in range(rounds):
        send = partial(
            invite_personal,
            actor=Actor.of_member(admin),
            organization=admin.organization,
            people=[f"anna{number}@home.example"],
            key=uuid4(),
        )

        one, other = race(send, send)

        assert [entry.pk for entry in one] == [entry.pk for entry in other]
    assert Invitation.objects.count() == rounds
    assert AuditEntry.objects.filter(action="invitation.sent").count() == rounds


def test_control_without_the_claim_both_would_have_been_carried_out(race, monkeypatch):
    def make_anew(*, organization, name, key, facts):
        Operation.objects.create(organization=organization, name=name, key=uuid4(), digest="")

    admin = MemberFactory(admin=True)
    monkeypatch.setattr("members.services.invitations.claim", make_anew)
    key = uuid4()

    def send(address):
        return invite_personal(actor=Actor.of_member(admin), organization=admin.organization, people=[address], key=key)

    race(partial(send, "anna@home.example"), partial(send, "bo@home.example"))

    # With the claim, the second would have been told that this form was sent with other values.
    assert Invitation.objects.count() == 2


def test_accepting_and_declining_at_once_is_one_of_them(race, rounds):
    for _round in range(rounds):
        person = UserFactory()
        invitation = personal_invitation(user=person, email=person.email)

        accepted, declined = race(
            partial(joining.accept_personal_invitation, actor=Actor.of_person(person), invitation=invitation),
            partial(joining.decline_invitation, actor=Actor.of_person(person), invitation=invitation),
        )

        state = Invitation.objects.get(pk=invitation.pk).state
        if isinstance(accepted, Member):
            assert (state, type(declined)) == ("accepted", InvitationClosed)
        else:
            assert (state, declined, type(accepted)) == ("declined", None, InvitationClosed)
        assert Member.objects.filter(user=person).exists() == isinstance(accepted, Member)


def test_leaving_while_being_blocked_leaves_either_way(race, rounds):
    organization = OrganizationFactory()
    MemberFactory(organization=organization, admin=True)
    for _round in range(rounds):
        member = MemberFactory(organization=organization, personal=True)

        left, blocked = race(
            partial(leave_organization, actor=Actor.of_person(member.user), organization=organization),
            partial(
                block_members, actor=SYSTEM, organization=organization, members=Member.objects.filter(pk=member.pk)
            ),
        )

        member.refresh_from_db()
        entries = set(AuditEntry.objects.filter(subject_member=member).values_list("action", flat=True))
        # Whoever is blocked may leave, so both is one order and leaving alone the other.
        assert (member.state, left) == ("left", None)
        assert entries == ({"member.blocked", "member.left"} if blocked else {"member.left"})


def test_an_invitation_accepted_while_its_person_moves_is_theirs_at_one_address(race, rounds):
    for number in range(rounds):
        person = UserFactory()
        invitation = personal_invitation(user=person, email=person.email)
        token = invitation_token(invitation)
        found, _newest = read_invitation_token(token)

        accepted, moved = race(
            partial(joining.accept_personal_invitation, actor=Actor.of_person(person), invitation=found),
            partial(
                change_address, actor=Actor.of_person(person), password=PASSWORD, email=f"moved{number}@home.example"
            ),
        )

        assert isinstance(moved, User), moved
        now = Invitation.objects.get(pk=invitation.pk)
        if isinstance(accepted, Member):
            assert now.state == "accepted"
        else:
            # The link of the old address is dead, and a new one went to the new address.
            assert isinstance(accepted, InvitationClosed), accepted
            assert (now.state, now.email, now.version) == ("pending", f"moved{number}@home.example", 2)


def test_whoever_is_blocked_while_they_work_is_refused_from_the_next_request_on(race):
    admin = MemberFactory(admin=True)
    manager = MemberFactory(organization=admin.organization, role=Member.Role.MEMBERS_MANAGER)
    urls = [reverse(f"members:{name}", args=[admin.organization.slug]) for name in ("member_list", "member_export")]
    clients = [Client() for _number in range(8)]
    for client in clients:
        client.force_login(manager.user)

    def work(client, url):
        response = client.get(url)
        return response.status_code, b"".join(response) if response.streaming else response.content

    outcomes = race(
        partial(
            block_members,
            actor=Actor.of_member(admin),
            organization=admin.organization,
            members=Member.objects.filter(pk=manager.pk),
        ),
        *[partial(work, client, urls[place % 2]) for place, client in enumerate(clients)],
    )

    assert outcomes[0] == 1
    # Those that had begun end as they would have, or are refused as a stranger's are; none fails.
    assert {status for status, _content in outcomes[1:]} <= {200, 302, 404}
    name = admin.organization.name.encode()
    assert not any(name in content for status, content in outcomes[1:] if status != 200)
    for client in clients:
        for url in urls:
            response = client.get(url)
            assert response.status_code == 302
            assert response.url.startswith(reverse("accounts:sign_in"))


def _make_token_while_blocked(meanwhile, **options):
    admin = MemberFactory(admin=True)
    other = MemberFactory(admin=True, organization=admin.organization)
    block = partial(
        block_members,
        actor=Actor.of_member(other),
        organization=admin.organization,
        members=Member.objects.filter(pk=admin.pk),
    )
    make = partial(
        make_api_token,
        actor=Actor.of_member(admin),
        organization=admin.organization,
        name="Import",
        scopes=["members:read"],
        days=30,
        key=uuid4(),
    )
    return meanwhile(block, make, at='UPDATE "members_apitoken"', **options)


def test_a_token_made_while_its_maker_is_blocked_is_none_or_ends(meanwhile):
    held = _make_token_while_blocked(meanwhile)

    assert held.waited
    assert isinstance(held.second, PermissionDenied)
    assert not ApiToken.objects.filter(revoked_at=None).exists()


def test_control_without_the_lock_a_token_outlives_the_block_of_its_maker(meanwhile):
    _make_token_while_blocked(meanwhile, unlocked=True)

    assert ApiToken.objects.filter(revoked_at=None, made_by__state="blocked").exists()


def test_names_changed_in_two_tabs_at_once_are_one_of_both(race, rounds):
    for _round in range(rounds):
        member = MemberFactory(personal=True)
        names = [("Ada", "Berg"), ("Bo", "Celsius")]

        outcomes = race(
            *[
                partial(
                    change_profile, actor=Actor.of_person(member.user), first_name=first, last_name=last, language=""
                )
                for first, last in names
            ]
        )

        assert [type(outcome) for outcome in outcomes] == [User, User]
        now = Member.objects.select_related("user", "organization").get(pk=member.pk)
        assert (now.user.first_name, now.user.last_name) in names
        # The name by which lists sort is that of the same tab.
        assert now.sort_key == sorting_of(now.user, now.organization, now.email)["sort_key"]


def test_a_letter_to_choose_a_password_asked_for_twice_at_once_is_one(race, rounds):
    organization = OrganizationFactory()
    for _round in range(rounds):
        member = MemberFactory(organization=organization)
        send = partial(send_password_letter, actor=SYSTEM, organization=organization, member=member)

        assert race(send, send) == [None, None]
        assert Letter.objects.filter(member=member).count() == 1
