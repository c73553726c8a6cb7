"""Departments that go, or move, while somebody names them; and what would happen without each guard."""

from functools import partial
from uuid import uuid4

import pytest
from django.db import IntegrityError, OperationalError
from django.test import Client
from django.urls import reverse

from members.access import Actor
from members.errors import DepartmentGone, DepartmentInsideItself
from members.forms.members import NOWHERE
from members.models import Batch, Department, Invitation, Member
from members.services import import_work, imports, joining
from members.services.departments import (
    add_department,
    change_department,
    delete_department,
    merge_departments,
)
from members.services.invitations import invite_personal, resend_invitations
from members.services.members import change_member
from skypemgr.invariants import find_violations
from tests.factories import DepartmentFactory, InvitationFactory, MemberFactory, OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)

SYSTEM = Actor.system()
INVITED = r'^INSERT INTO "members_invitation"'
CLAIMED = r'^UPDATE "members_invitation" SET "state"'


# Where the merger has the first department that it dissolves.
GOING = r'^SELECT .*"members_department".* LIMIT 21 FOR UPDATE'
# Taking those that go, or that people are put into, by their keys.
IN_ORDER = r"FOR UPDATE$(?<!LIMIT 21 FOR UPDATE)|FOR KEY SHARE"


@pytest.fixture
def admin():
    return MemberFactory(admin=True)


@pytest.fixture
def department(admin):
    return DepartmentFactory(organization=admin.organization)


def deleting(department) -> partial:
    return partial(delete_department, actor=SYSTEM, organization=department.organization, department=department)


def inviting(department, name="anna") -> partial:
    return partial(
        invite_personal,
        actor=SYSTEM,
        organization=department.organization,
        people=[f"{name}@home.example"],
        department=department,
        key=uuid4(),
    )


def accepting(department) -> partial:
    person = UserFactory()
    invitation = InvitationFactory(
        member=None,
        organization=department.organization,
        kind="personal",
        user=person,
        email=person.email,
        department=department,
    )
    # As it was when the link was read.
    found = Invitation.objects.select_related("organization", "user").get(pk=invitation.pk)
    return partial(joining.accept_personal_invitation, actor=Actor.of_person(person), invitation=found)


# Invitations


def test_an_invitation_to_a_department_that_is_deleted_meanwhile_leads_to_its_successor_or_nowhere(admin, race, rounds):
    for number in range(rounds):
        department = DepartmentFactory(organization=admin.organization)

        invited, deleted = race(inviting(department, f"anna{number}"), deleting(department))

        assert deleted == 0
        assert isinstance(invited, list | DepartmentGone), invited
        sent = Invitation.objects.filter(email=f"anna{number}@home.example")
        assert sent.count() == (1 if isinstance(invited, list) else 0)
        assert not Invitation.objects.exclude(department=None).exists()


def test_whoever_deletes_a_department_waits_for_those_who_are_being_invited_to_it(department, meanwhile):
    held = meanwhile(inviting(department), deleting(department), at=INVITED)

    assert held.waited
    assert (len(held.first), held.second) == (1, 0)
    assert Invitation.objects.get().department is None


def test_control_without_the_lock_an_invitation_names_a_department_that_is_gone(department, meanwhile):
    held = meanwhile(inviting(department), deleting(department), at=INVITED, unlocked=True)

    assert isinstance(held.first, IntegrityError)


def test_somebody_who_joins_while_their_department_is_deleted_joins_without_one(admin, race, rounds):
    for _round in range(rounds):
        department = DepartmentFactory(organization=admin.organization)

        joined, deleted = race(accepting(department), deleting(department))

        assert isinstance(joined, Member), joined
        assert deleted in (0, 1), deleted
        assert Member.objects.get(pk=joined.pk).department is None
    assert Department.objects.count() == 0


def test_control_without_the_lock_somebody_joins_a_department_that_is_gone(department, meanwhile):
    held = meanwhile(accepting(department), deleting(department), at=CLAIMED, unlocked=True)

    assert isinstance(held.first, IntegrityError) or isinstance(held.second, IntegrityError)


def test_a_link_that_was_read_before_its_department_was_deleted_still_joins(department):
    accept = accepting(department)
    deleting(department)()

    assert accept().department is None


def test_two_invitations_of_one_person_accepted_at_once_make_one_member(admin, race, rounds):
    for _round in range(rounds):
        person = UserFactory()
        organization = admin.organization
        by_name = InvitationFactory(
            member=None, organization=organization, kind="personal", user=person, email=person.email
        )
        by_address = InvitationFactory(
            member=None, organization=organization, kind="personal", user=None, email=f"other.{person.email}"
        )

        outcomes = race(
            *[
                partial(joining.accept_personal_invitation, actor=Actor.of_person(person), invitation=invitation)
                for invitation in (by_name, by_address)
            ]
        )

        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AlreadyMember", "Member"]


# Imports


def running(admin, path, number=1) -> Batch:
    batch = imports.start_import_of_file(
        actor=Actor.of_member(admin),
        organization=admin.organization,
        content=f"email;department\nanna{number}@people.example;{path}\n".encode(),
        file_name="people.csv",
        key=uuid4(),
    )
    import_work.advance(batch)
    return imports.start_batch(actor=Actor.of_member(admin), organization=admin.organization, batch=batch)


def test_an_import_into_a_department_that_is_deleted_meanwhile_loses_nobody(admin, race, rounds):
    for number in range(rounds):
        department = DepartmentFactory(organization=admin.organization)
        batch = running(admin, department.path, number)

        imported, deleted = race(partial(import_work.advance, batch), deleting(department))

        assert imported is None
        assert deleted in (0, 1), deleted
        member = Member.objects.get(email=f"anna{number}@people.example")
        # They go where whoever deleted it sent them, or the import has made it anew.
        assert (member.department is None) == (deleted == 1)
    assert not [found for found in find_violations() if "imports" in found.invariant + found.message]


def test_whoever_deletes_a_department_waits_for_an_import_that_fills_it(admin, department, meanwhile):
    batch = running(admin, department.path)

    held = meanwhile(partial(import_work.advance, batch), deleting(department), at="^SET CONSTRAINTS ALL IMMEDIATE")

    assert (held.first, held.second, held.waited) == (None, 1, True)
    assert Member.objects.get(email="anna1@people.example").department is None


def test_control_without_the_lock_a_department_is_deleted_under_those_whom_an_import_puts_there(
    admin, department, meanwhile
):
    batch = running(admin, department.path)

    held = meanwhile(
        partial(import_work.advance, batch), deleting(department), at="^SET CONSTRAINTS ALL IMMEDIATE", unlocked=True
    )

    assert isinstance(held.second, IntegrityError)


# The tree


def swap(organization) -> list[partial]:
    one, other = DepartmentFactory.create_batch(2, organization=organization)
    return [
        partial(
            change_department,
            actor=SYSTEM,
            organization=organization,
            department=department,
            name=department.name,
            parent=parent,
        )
        for department, parent in ((one, other), (other, one))
    ]


def test_two_departments_put_into_each_other_at_once_make_no_circle(race, rounds):
    for _round in range(rounds):
        outcomes = race(*swap(OrganizationFactory()))

        assert {type(outcome) for outcome in outcomes} == {Department, DepartmentInsideItself}
    assert not [found for found in find_violations() if "trees" in found.invariant]


def test_control_without_the_lock_two_departments_are_in_each_other(race, unguarded):
    outcomes = race(*unguarded(*swap(OrganizationFactory())))

    assert [type(outcome) for outcome in outcomes] == [Department, Department]
    assert [found for found in find_violations() if "trees" in found.invariant]


def test_a_department_added_under_one_that_is_deleted_is_under_it_or_refused(admin, race, rounds):
    for number in range(rounds):
        department = DepartmentFactory(organization=admin.organization)
        add = partial(
            add_department, actor=SYSTEM, organization=admin.organization, name=f"Dock {number}", parent=department
        )

        added, deleted = race(add, deleting(department))

        assert (type(added).__name__, type(deleted).__name__) in {
            ("Department", "DepartmentNotEmpty"),
            ("DepartmentGone", "int"),
        }


def test_invitations_are_locked_in_one_order_when_their_department_is_deleted(admin, race, rounds):
    for _round in range(rounds):
        organization = OrganizationFactory()
        department = DepartmentFactory(organization=organization)
        invitations = [
            InvitationFactory(
                member=None,
                organization=organization,
                kind="personal",
                user=None,
                email=f"p{number}@home.example",
                department=department,
            ).pk
            for number in range(20)
        ]
        resend = partial(resend_invitations, actor=SYSTEM, organization=organization, invitations=invitations)

        assert race(resend, deleting(department)) == [20, 0]


# Merging


def merging(department, into) -> partial:
    return partial(
        merge_departments, actor=SYSTEM, organization=department.organization, department=department, into=into
    )


def pair(organization) -> list[Department]:
    departments = DepartmentFactory.create_batch(2, organization=organization)
    for department in departments:
        MemberFactory(organization=organization, department=department)
    return departments


def test_two_departments_merged_into_each_other_at_once_leave_one_with_everybody(race, rounds):
    for _round in range(rounds):
        organization = OrganizationFactory()
        one, other = pair(organization)

        outcomes = race(merging(one, other), merging(other, one))

        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["DepartmentGone", "int"]
        [left] = organization.departments.all()
        assert Member.objects.filter(organization=organization, department=left).count() == 2


def test_control_without_the_lock_two_mergers_break_in_the_database(race, unguarded):
    one, other = pair(OrganizationFactory())

    outcomes = race(*unguarded(merging(one, other), merging(other, one)))

    assert sorted(type(outcome).__name__ for outcome in outcomes) != ["DepartmentGone", "int"]


def test_an_import_into_a_department_that_is_merged_meanwhile_loses_nobody(admin, race, rounds):
    for number in range(rounds):
        department, into = DepartmentFactory.create_batch(2, organization=admin.organization)
        batch = running(admin, department.path, number)

        imported, merged = race(partial(import_work.advance, batch), merging(department, into))

        assert imported is None
        assert merged in (0, 1), merged
        member = Member.objects.get(email=f"anna{number}@people.example")
        # They go along, or the import has made the department anew.
        assert member.department is not None
        assert (member.department == into) == (merged == 1)


def merged_beside_an_import(admin):
    """A merger of a department and the one under it, and an import that puts people into both, the upper one first."""
    upper, into = pair(admin.organization)
    merge_into = [
        DepartmentFactory(organization=admin.organization, parent=above, name="Dock", path=f"{above.path} / Dock")
        for above in (upper, into)
    ]
    batch = imports.start_import_of_file(
        actor=Actor.of_member(admin),
        organization=admin.organization,
        content=f"email;department\na@people.example;{upper.path}\nb@people.example;{merge_into[0].path}\n".encode(),
        file_name="people.csv",
        key=uuid4(),
    )
    import_work.advance(batch)
    batch = imports.start_batch(actor=Actor.of_member(admin), organization=admin.organization, batch=batch)
    return merging(upper, into), partial(import_work.create_chunk, batch=batch, size=10)


def test_a_merger_of_several_and_an_import_into_them_never_wait_for_each_other(admin, meanwhile):
    merger, chunk = merged_beside_an_import(admin)

    held = meanwhile(merger, chunk, at=GOING)

    assert not isinstance(held.first, Exception), held.first
    assert not isinstance(held.second, OperationalError), held.second


def test_control_without_one_order_of_locks_a_merger_and_an_import_wait_for_each_other(admin, meanwhile):
    merger, chunk = merged_beside_an_import(admin)

    held = meanwhile(merger, chunk, at=GOING, unlocked=True, without=IN_ORDER)

    assert any(isinstance(outcome, OperationalError) for outcome in (held.first, held.second))


# The pages


FORMS = {
    "invite_personal": lambda gone: {"people": "anna@home.example", "department": gone.pk, "key": uuid4()},
    "department_add": lambda gone: {"name": "Dock", "parent": gone.pk},
    "department_change": lambda gone: {"name": "Dock", "parent": NOWHERE},
    "department_delete": lambda gone: {"successor": NOWHERE},
    "department_merge": lambda gone: {"into": gone.pk},
    "member_profile": lambda gone: {"department": gone.pk, "email": "a@people.example"},
    "members_move": lambda gone: {"to": gone.pk},
}


@pytest.mark.parametrize("form", FORMS)
def test_a_form_that_names_a_department_which_goes_meanwhile_is_answered(form, admin, department, meanwhile):
    """Whoever sent it had read the departments; it went before anything was locked."""
    slug, client = admin.organization.slug, Client()
    client.force_login(admin.user)
    somebody = MemberFactory(organization=admin.organization)
    args = {"member_profile": [slug, somebody.user.skype_name]}.get(form, [slug])
    args += [department.pk] if form in ("department_change", "department_delete") else []
    args += [DepartmentFactory(organization=admin.organization).pk] if form == "department_merge" else []
    facts = FORMS[form](department) | ({"member": [somebody.pk]} if form == "members_move" else {})

    held = meanwhile(
        partial(client.post, reverse(f"members:{form}", args=args), facts),
        deleting(department),
        at=r'^SELECT .* FROM "members_department"',
    )

    assert held.second == 0
    assert held.first.status_code in (302, 422), held.first
    page = client.get(held.first.url).text if held.first.status_code == 302 else held.first.text
    # The form may have been read after it went, when nobody can choose it any more.
    assert "The department was deleted in the meantime." in page or "Select a valid choice." in page
    assert not Department.objects.filter(name="Dock").exists()
    assert not Invitation.objects.exists()


def test_a_profile_that_names_a_department_which_is_gone_is_refused_whole(admin, department):
    member = MemberFactory(organization=admin.organization)
    deleting(department)()

    with pytest.raises(DepartmentGone):
        change_member(
            actor=SYSTEM,
            organization=admin.organization,
            member=member,
            first_name="Other",
            last_name="Name",
            department=department,
        )
    member.user.refresh_from_db()
    assert member.user.first_name != "Other"
