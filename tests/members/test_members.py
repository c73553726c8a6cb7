import threading

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.access import Actor
from members.audit import Action
from members.bulk import Reach, reach_of_block, reach_of_move, reach_of_resend
from members.errors import LastAdministrator, StateForbids
from members.models import AuditEntry, Member, User
from members.services import members as services
from members.services.members import assign_role, block_members, change_member, move_members, unblock_member
from tests.factories import DepartmentFactory, MemberFactory, OrganizationFactory

Role, State = Member.Role, Member.State
SYSTEM = Actor.system()


@pytest.fixture
def organization(db):
    return OrganizationFactory(language="sv")


@pytest.fixture
def boss(organization):
    return MemberFactory(organization=organization, admin=True)


@pytest.fixture
def manager(organization):
    return Actor.of_member(MemberFactory(organization=organization, role=Role.MEMBERS_MANAGER))


def everyone(organization):
    return Member.objects.of(organization)


def change(actor, member, **changes):
    facts = {
        "first_name": member.user.first_name,
        "last_name": member.user.last_name,
        "department": member.department,
    }
    return change_member(actor=actor, organization=member.organization, member=member, **(facts | changes))


# Names and department


def test_names_change_with_what_lists_sort_and_search_by(organization, manager):
    member = MemberFactory(organization=organization)

    change(manager, member, first_name="Åsa", last_name="Öberg")

    member.refresh_from_db()
    assert member.user.full_name == "Åsa Öberg"
    assert "asa oberg" in member.search_text
    assert member.sort_key.startswith("{sa }berg")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.after) == (Action.MEMBER_CHANGED, {"fields": ["first_name", "last_name"]})
    assert "Åsa" not in str([entry.before, entry.after])


def test_the_department_changes_and_nothing_else_is_logged(organization, manager):
    member = MemberFactory(organization=organization, department=DepartmentFactory(organization=organization, name="A"))

    change(manager, member, department=DepartmentFactory(organization=organization, name="B"))

    member.refresh_from_db()
    assert member.department.name == "B"
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.before, entry.after) == (
        Action.MEMBER_MOVED,
        {"department": "A"},
        {"department": "B"},
    )


def test_saving_without_a_change_is_not_logged(organization, manager):
    change(manager, MemberFactory(organization=organization))

    assert not AuditEntry.objects.exists()


def test_the_names_of_a_personal_account_are_not_ours_to_change(organization, manager):
    member = MemberFactory(organization=organization, personal=True)

    change(manager, member, department=DepartmentFactory(organization=organization))
    with pytest.raises(PermissionDenied):
        change(manager, member, first_name="Other")

    member.user.refresh_from_db()
    assert member.user.first_name == "Robin"


def test_who_has_left_does_not_change(organization, manager):
    with pytest.raises(StateForbids):
        change(manager, MemberFactory(organization=organization, state=State.LEFT), first_name="Other")


# Roles


def test_a_role_is_assigned_and_logged(organization, boss):
    member = MemberFactory(organization=organization)

    assign_role(actor=Actor.of_member(boss), organization=organization, member=member, role=Role.VOICE_MANAGER)

    member.refresh_from_db()
    assert member.role == Role.VOICE_MANAGER
    entry = AuditEntry.objects.get()
    assert (entry.before, entry.after) == ({"role": "member"}, {"role": "voice_manager"})
    assign_role(actor=Actor.of_member(boss), organization=organization, member=member, role=Role.VOICE_MANAGER)
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize("state", [State.INVITED, State.BLOCKED, State.LEFT])
def test_the_last_administrator_who_can_act_stays_one(organization, boss, state):
    MemberFactory(organization=organization, admin=True, state=state)
    MemberFactory(admin=True)

    with pytest.raises(LastAdministrator):
        assign_role(actor=SYSTEM, organization=organization, member=boss, role=Role.MEMBER)
    with pytest.raises(LastAdministrator):
        block_members(actor=SYSTEM, organization=organization, members=everyone(organization))
    boss.refresh_from_db()
    assert (boss.role, boss.state) == (Role.ADMINISTRATOR, State.ACTIVE)
    assert not AuditEntry.objects.exists()


def test_one_of_two_administrators_can_go(organization, boss):
    other = MemberFactory(organization=organization, admin=True)

    assign_role(actor=Actor.of_member(boss), organization=organization, member=other, role=Role.MEMBER)

    other.refresh_from_db()
    assert other.role == Role.MEMBER


def test_a_blocked_administrator_can_be_demoted(organization, boss):
    blocked = MemberFactory(organization=organization, admin=True, state=State.BLOCKED)

    assign_role(actor=Actor.of_member(boss), organization=organization, member=blocked, role=Role.MEMBER)

    blocked.refresh_from_db()
    assert blocked.role == Role.MEMBER


@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_demote_each_other_at_once_leave_one(race):
    organization = OrganizationFactory()
    one, other = MemberFactory.create_batch(2, organization=organization, admin=True)

    outcomes = race(
        lambda: assign_role(actor=Actor.of_member(one), organization=organization, member=other, role=Role.MEMBER),
        lambda: assign_role(actor=Actor.of_member(other), organization=organization, member=one, role=Role.MEMBER),
    )

    assert sum(isinstance(outcome, LastAdministrator) for outcome in outcomes) == 1
    assert everyone(organization).administrators().count() == 1


@pytest.mark.django_db(transaction=True)
def test_demoting_one_while_the_other_is_blocked_leaves_one(race):
    organization = OrganizationFactory()
    one, other = MemberFactory.create_batch(2, organization=organization, admin=True)

    outcomes = race(
        lambda: assign_role(actor=SYSTEM, organization=organization, member=other, role=Role.MEMBER),
        lambda: block_members(actor=SYSTEM, organization=organization, members=Member.objects.filter(pk=one.pk)),
    )

    assert sum(isinstance(outcome, LastAdministrator) for outcome in outcomes) == 1
    assert everyone(organization).administrators().count() == 1


@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_both_administrators_are_lost(race, monkeypatch):
    organization = OrganizationFactory()
    one, other = MemberFactory.create_batch(2, organization=organization, admin=True)
    counted = threading.Barrier(2)
    keep = services.keep_an_administrator

    def keep_and_wait(*args, **kwargs):
        keep(*args, **kwargs)
        counted.wait(timeout=10)

    monkeypatch.setattr(services, "lock_organization", lambda organization: None)
    monkeypatch.setattr(services, "keep_an_administrator", keep_and_wait)

    race(
        lambda: assign_role(actor=SYSTEM, organization=organization, member=other, role=Role.MEMBER),
        lambda: assign_role(actor=SYSTEM, organization=organization, member=one, role=Role.MEMBER),
    )

    assert everyone(organization).administrators().count() == 0


def test_the_organization_is_locked_before_the_members_are_and_they_before_they_change(
    organization, boss, locks_before_writes
):
    member = MemberFactory(organization=organization, admin=True)
    acts = [
        lambda: assign_role(actor=SYSTEM, organization=organization, member=member, role=Role.MEMBER),
        lambda: change(SYSTEM, member, first_name="Other"),
        lambda: move_members(
            actor=SYSTEM,
            organization=organization,
            members=everyone(organization),
            department=DepartmentFactory(organization=organization),
        ),
        lambda: block_members(
            actor=SYSTEM, organization=organization, members=everyone(organization).filter(pk=member.pk)
        ),
    ]
    for act in acts:
        with locks_before_writes(), CaptureQueriesContext(connection) as captured:
            act()
        locked = [query["sql"].split(" FROM ")[1].split()[0] for query in captured if " FOR NO KEY" in query["sql"]]
        assert locked[:2] == ['"members_organization"', '"members_member"']
        assert set(locked[2:]) <= {'"members_user"'}


# Moving many


def test_many_are_moved_and_those_who_are_there_stay(organization, manager):
    target = DepartmentFactory(organization=organization)
    there = MemberFactory.create_batch(2, organization=organization, department=target)
    elsewhere = MemberFactory.create_batch(3, organization=organization)
    chosen = Member.objects.filter(pk__in=[member.pk for member in there + elsewhere])

    assert reach_of_move(chosen, manager, target) == Reach(chosen=5, changed=3, untouched=(("there", 2),))
    for expected in (3, 0):
        assert move_members(actor=manager, organization=organization, members=chosen, department=target) == expected

    assert chosen.filter(department=target).count() == 5
    assert AuditEntry.objects.filter(action=Action.MEMBER_MOVED).count() == 3


def test_many_are_moved_to_no_department(organization, manager):
    department = DepartmentFactory(organization=organization)
    MemberFactory.create_batch(2, organization=organization, department=department)

    assert reach_of_move(everyone(organization), manager, None).changed == 2
    move_members(actor=manager, organization=organization, members=everyone(organization), department=None)

    assert not everyone(organization).exclude(department=None).exists()


def test_who_left_and_who_ranks_higher_is_not_moved(organization, manager, boss):
    left = MemberFactory(organization=organization, state=State.LEFT)
    target = DepartmentFactory(organization=organization)
    chosen = Member.objects.filter(pk__in=[left.pk, boss.pk])

    reach = reach_of_move(chosen, manager, target)

    assert reach == Reach(chosen=2, changed=0, untouched=(("left", 1), ("above", 1)))
    assert move_members(actor=manager, organization=organization, members=chosen, department=target) == 0


def test_ten_thousand_and_more_are_moved_in_few_statements(organization, django_assert_max_num_queries):
    count = 10_050
    users = User.objects.bulk_create(
        User(skype_name=f"mass.{n}", email=f"m{n}@example.com", kind="business", owner=organization)
        for n in range(count)
    )
    Member.objects.bulk_create(
        Member(organization=organization, user=user, email=user.email, state=State.ACTIVE, sort_key=user.skype_name)
        for user in users
    )
    target = DepartmentFactory(organization=organization)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE members_user, members_member")

    with django_assert_max_num_queries(20):
        moved = move_members(actor=SYSTEM, organization=organization, members=everyone(organization), department=target)

    assert moved == count
    assert target.members.count() == count
    assert AuditEntry.objects.count() == count


# Blocking


def test_blocking_ends_every_session_of_a_business_account_for_good(organization, manager):
    member = MemberFactory(organization=organization)
    session = member.user.get_session_auth_hash()
    chosen = everyone(organization).filter(pk=member.pk)

    assert block_members(actor=manager, organization=organization, members=chosen, reason="On leave") == 1

    member = chosen.get()
    assert (member.state, member.user.is_active) == (State.BLOCKED, False)
    assert AuditEntry.objects.get().reason == "On leave"
    unblock_member(actor=manager, organization=organization, member=member)
    member = chosen.get()
    assert (member.state, member.user.is_active) == (State.ACTIVE, True)
    assert member.user.get_session_auth_hash() != session


def test_blocking_leaves_a_personal_account_itself_alone(organization, manager):
    member = MemberFactory(organization=organization, personal=True)
    session = member.user.get_session_auth_hash()

    block_members(actor=manager, organization=organization, members=everyone(organization).filter(pk=member.pk))

    member = Member.objects.get(pk=member.pk)
    assert (member.state, member.user.is_active) == (State.BLOCKED, True)
    assert member.user.get_session_auth_hash() == session


def test_blocking_leaves_alone_whom_it_does_not_concern(organization, boss):
    actor = Actor.of_member(boss)
    active = MemberFactory.create_batch(2, organization=organization)
    for state in (State.INVITED, State.BLOCKED, State.LEFT):
        MemberFactory(organization=organization, state=state)

    reach = reach_of_block(everyone(organization), actor)
    blocked = block_members(actor=actor, organization=organization, members=everyone(organization))

    assert reach == Reach(chosen=6, changed=2, untouched=(("left", 1), ("blocked", 1), ("invited", 1), ("self", 1)))
    assert blocked == 2
    assert {entry.subject_member for entry in AuditEntry.objects.all()} == set(active)
    assert reach_of_block(everyone(organization), actor).changed == 0
    assert block_members(actor=actor, organization=organization, members=everyone(organization)) == 0


def test_a_members_manager_does_not_rule_over_higher_roles(organization, manager, boss):
    voice = MemberFactory(organization=organization, role=Role.VOICE_MANAGER)
    blocked = MemberFactory(organization=organization, role=Role.ADMINISTRATOR, state=State.BLOCKED)

    assert block_members(actor=manager, organization=organization, members=everyone(organization)) == 0
    for act in (
        lambda: change(manager, voice, first_name="Other"),
        lambda: change(manager, boss, first_name="Other"),
        lambda: unblock_member(actor=manager, organization=organization, member=blocked),
        lambda: assign_role(actor=manager, organization=organization, member=voice, role=Role.MEMBER),
    ):
        with pytest.raises(PermissionDenied):
            act()
    assert not AuditEntry.objects.exists()


def test_only_a_blocked_member_is_unblocked(organization, manager):
    for state in (State.INVITED, State.ACTIVE, State.LEFT):
        with pytest.raises(StateForbids):
            unblock_member(
                actor=manager, organization=organization, member=MemberFactory(organization=organization, state=state)
            )


def test_a_reach_counts_whose_invitations_wait(organization):
    for state in State:
        MemberFactory(organization=organization, state=state)

    assert reach_of_resend(everyone(organization)) == Reach(chosen=4, changed=1, untouched=(("left", 1), ("joined", 2)))


# Who may, and where


@pytest.mark.parametrize("role", [Role.MEMBER, Role.REPORTS_VIEWER, Role.CREDIT_MANAGER, Role.VOICE_MANAGER])
def test_who_does_not_manage_members_changes_nobody(organization, role):
    actor = Actor.of_member(MemberFactory(organization=organization, role=role))
    member = MemberFactory(organization=organization)

    for act in every_act(actor, organization, member):
        with pytest.raises(PermissionDenied):
            act()


def test_a_member_of_another_organization_is_nobodys_to_change(organization):
    foreign = MemberFactory(state=State.BLOCKED)
    actor = Actor.of_member(MemberFactory(organization=organization, admin=True))

    for act in every_act(actor, foreign.organization, foreign):
        with pytest.raises(PermissionDenied):
            act()
    for act in (
        lambda: change_member(
            actor=actor, organization=organization, member=foreign, first_name="x", last_name="", department=None
        ),
        lambda: assign_role(actor=actor, organization=organization, member=foreign, role=Role.MEMBER),
        lambda: unblock_member(actor=actor, organization=organization, member=foreign),
        lambda: move_members(
            actor=actor,
            organization=organization,
            members=everyone(organization),
            department=DepartmentFactory(organization=foreign.organization),
        ),
    ):
        with pytest.raises(PermissionDenied):
            act()
    department = DepartmentFactory(organization=organization)
    chosen = Member.objects.filter(pk=foreign.pk)
    assert move_members(actor=actor, organization=organization, members=chosen, department=department) == 0
    assert block_members(actor=actor, organization=organization, members=chosen) == 0


def every_act(actor, organization, member):
    chosen = Member.objects.filter(pk=member.pk)
    return [
        lambda: change_member(
            actor=actor, organization=organization, member=member, first_name="x", last_name="", department=None
        ),
        lambda: assign_role(actor=actor, organization=organization, member=member, role=Role.MEMBER),
        lambda: move_members(actor=actor, organization=organization, members=chosen, department=None),
        lambda: block_members(actor=actor, organization=organization, members=chosen),
        lambda: unblock_member(actor=actor, organization=organization, member=member),
    ]
