"""Whatever people do to each other, in whatever order: the data never contradict themselves, nor what was expected.

The machine knows in a few lines of Python what each verb should do, and asks after each step whether the database
says the same and every invariant holds.
"""

from dataclasses import dataclass
from uuid import uuid4

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from hypothesis.strategies import booleans, integers, sampled_from

from members.access import Actor
from members.errors import (
    BusinessAccountStays,
    DepartmentNotEmpty,
    InvitationClosed,
    InvitationNotOpen,
    LastAdministrator,
    StateForbids,
)
from members.importing import Draft
from members.models import Department, Invitation, Member, User
from members.services import departments, import_work, imports, invitations, joining, members
from members.services.organizations import Company, Founder, set_up_organization
from members.services.profile import leave_organization
from skypemgr.errors import DomainError
from skypemgr.invariants import find_violations
from tests.factories import PASSWORD, UserFactory

SYSTEM = Actor.system()
Role, State = Member.Role, Member.State
ANY = integers(min_value=0, max_value=10_000)


@dataclass
class Person:
    """What should be known of a member."""

    state: str
    role: str
    department: int | None
    personal: bool


@dataclass
class Asked:
    """What should be known of an invitation: of a member's account, or of a person's own."""

    state: str
    version: int
    department: int | None
    member: int | None = None
    user: User | None = None


class Werft(RuleBasedStateMachine):
    """An organization in which anything may happen next."""

    def __init__(self) -> None:
        super().__init__()
        self.place = transaction.savepoint_create()
        company = Company(
            name="Werft", slug="werft", country="DE", currency="EUR", time_zone="Europe/Berlin", language="en"
        )
        founder = Founder(skype_name="werft.admin", email="admin@werft.example", first_name="Ada")
        first = set_up_organization(actor=Actor.visitor(), company=company, founder=founder, key=uuid4())
        self.organization = first.organization
        self.people = {first.pk: Person(State.ACTIVE, Role.ADMINISTRATOR, None, personal=True)}
        self.asked: dict[int, Asked] = {}
        self.links: list[Invitation] = []
        self.tree: dict[int, int | None] = {}
        self.number = 0

    def teardown(self) -> None:
        transaction.savepoint_rollback(self.place)

    # What is chosen

    def fresh(self) -> int:
        self.number += 1
        return self.number

    def member(self, choice: int) -> Member:
        keys = sorted(self.people)
        return Member.objects.get(pk=keys[choice % len(keys)])

    def invitation(self, choice: int) -> Invitation:
        """One as its link would be read now; every link is remembered, and may be used later."""
        keys = sorted(self.asked)
        found = Invitation.objects.select_related("organization", "member__user", "user").get(
            pk=keys[choice % len(keys)]
        )
        self.links.append(found)
        return found

    def department(self, choice: int) -> Department | None:
        keys = [None, *sorted(self.tree)]
        key = keys[choice % len(keys)]
        return None if key is None else Department.objects.get(pk=key)

    def administrators(self) -> set[int]:
        return {
            pk
            for pk, person in self.people.items()
            if (person.role, person.state) == (Role.ADMINISTRATOR, State.ACTIVE)
        }

    def refused(self, expected: type[DomainError], verb, **facts) -> None:
        """Only this may come of it, and nothing may have changed."""
        with pytest.raises(expected):
            verb(**facts)

    # Coming

    @rule(choice=ANY)
    def add_business_account(self, choice: int) -> None:
        address = f"person{self.fresh()}@werft.example"
        department = self.department(choice)
        draft = Draft(number=1, email=address, department=department.path if department else "")
        of = {"actor": SYSTEM, "organization": self.organization}
        batch = imports.start_import_of_people(**of, people=[draft], key=uuid4())
        import_work.advance_at_once(imports.start_batch(**of, batch=batch))
        member = Member.objects.get(email=address)
        self.people[member.pk] = Person(State.INVITED, Role.MEMBER, department and department.pk, personal=False)
        self.asked[member.invitations.get().pk] = Asked("pending", 1, department and department.pk, member=member.pk)

    @rule(choice=ANY, again=booleans())
    def invite(self, choice: int, again: bool) -> None:
        """Somebody new, or somebody who has left."""
        gone = [pk for pk, person in sorted(self.people.items()) if person.personal and person.state == State.LEFT]
        open_to = {asked.user.pk for asked in self.asked.values() if asked.user and asked.state == "pending"}
        back = [pk for pk in gone if Member.objects.get(pk=pk).user_id not in open_to] if again else []
        user = Member.objects.get(pk=back[choice % len(back)]).user if back else UserFactory()
        department = self.department(choice)
        [invitation] = invitations.invite_personal(
            actor=SYSTEM,
            organization=self.organization,
            people=[user.skype_name],
            department=department,
            key=uuid4(),
        )
        self.asked[invitation.pk] = Asked("pending", 1, department and department.pk, user=user)

    @precondition(lambda self: self.asked)
    @rule(choice=ANY)
    def accept(self, choice: int) -> None:
        self.use(self.invitation(choice))

    @precondition(lambda self: self.links)
    @rule(choice=ANY)
    def accept_by_an_earlier_link(self, choice: int) -> None:
        self.use(self.links[choice % len(self.links)])

    def use(self, link: Invitation) -> None:
        asked = self.asked[link.pk]
        if asked.user is None:
            verb, facts = joining.accept_business_invitation, {"actor": Actor.visitor(), "password": PASSWORD}
            facts |= {"first_name": "Ines", "last_name": "Even"}
        else:
            verb, facts = joining.accept_personal_invitation, {"actor": Actor.of_person(asked.user)}
        if (asked.state, asked.version) != ("pending", link.version):
            return self.refused(InvitationClosed, verb, invitation=link, **facts)
        member = verb(invitation=link, **facts)
        asked.state = "accepted"
        if asked.user is None:
            self.people[member.pk].state = State.ACTIVE
        else:
            self.people[member.pk] = Person(State.ACTIVE, Role.MEMBER, asked.department, personal=True)
        return None

    @precondition(lambda self: any(asked.user for asked in self.asked.values()))
    @rule(choice=ANY)
    def decline(self, choice: int) -> None:
        mine = sorted(pk for pk, asked in self.asked.items() if asked.user)
        link = Invitation.objects.get(pk=mine[choice % len(mine)])
        asked = self.asked[link.pk]
        facts = {"actor": Actor.of_person(asked.user), "invitation": link}
        if asked.state != "pending":
            return self.refused(InvitationClosed, joining.decline_invitation, **facts)
        joining.decline_invitation(**facts)
        asked.state = "declined"
        return None

    @precondition(lambda self: self.asked)
    @rule(choice=ANY)
    def revoke(self, choice: int) -> None:
        pk = self.invitation(choice).pk
        asked = self.asked[pk]
        facts = {"actor": SYSTEM, "organization": self.organization, "invitations": [pk]}
        if asked.state != "pending":
            return self.refused(InvitationNotOpen, invitations.cancel_invitations, **facts)
        assert invitations.cancel_invitations(**facts) == 1
        asked.state = "canceled"
        if asked.member:
            self.people[asked.member].state = State.LEFT
        return None

    @precondition(lambda self: self.asked)
    @rule(choice=ANY)
    def resend(self, choice: int) -> None:
        pk = self.invitation(choice).pk
        asked = self.asked[pk]
        sent = invitations.resend_invitations(actor=SYSTEM, organization=self.organization, invitations=[pk])
        reopened = asked.state == "canceled" and asked.member is not None
        assert sent == (asked.state == "pending" or reopened)
        if sent:
            asked.state, asked.version = "pending", asked.version + 1
        if reopened:
            self.people[asked.member].state = State.INVITED

    # Staying

    @rule(choice=ANY, role=sampled_from([Role.ADMINISTRATOR, Role.MEMBERS_MANAGER, Role.MEMBER]))
    def give_role(self, choice: int, role: str) -> None:
        member = self.member(choice)
        person = self.people[member.pk]
        facts = {"actor": SYSTEM, "organization": self.organization, "member": member, "role": role}
        if person.state == State.LEFT:
            return self.refused(StateForbids, members.assign_role, **facts)
        if role != person.role and self.administrators() == {member.pk}:
            return self.refused(LastAdministrator, members.assign_role, **facts)
        members.assign_role(**facts)
        person.role = role
        return None

    @rule(choices=integers(min_value=1, max_value=2**12))
    def block(self, choices: int) -> None:
        """Any of them at once."""
        chosen = {pk for place, pk in enumerate(sorted(self.people)) if choices >> (place % 12) & 1}
        active = {pk for pk in chosen if self.people[pk].state == State.ACTIVE}
        only = Member.objects.filter(pk__in=chosen)
        facts = {"actor": SYSTEM, "organization": self.organization, "members": only}
        if self.administrators() <= active:
            return self.refused(LastAdministrator, members.block_members, **facts)
        assert members.block_members(**facts) == len(active)
        for pk in active:
            self.people[pk].state = State.BLOCKED
        return None

    @rule(choice=ANY)
    def unblock(self, choice: int) -> None:
        member = self.member(choice)
        facts = {"actor": SYSTEM, "organization": self.organization, "member": member}
        if self.people[member.pk].state != State.BLOCKED:
            return self.refused(StateForbids, members.unblock_member, **facts)
        members.unblock_member(**facts)
        self.people[member.pk].state = State.ACTIVE
        return None

    @rule(choice=ANY)
    def leave(self, choice: int) -> None:
        member = self.member(choice)
        person = self.people[member.pk]
        facts = {"actor": Actor.of_person(member.user), "organization": self.organization}
        if not person.personal:
            return self.refused(BusinessAccountStays, leave_organization, **facts)
        if person.state != State.ACTIVE:
            return self.refused(StateForbids, leave_organization, **facts)
        if self.administrators() == {member.pk}:
            return self.refused(LastAdministrator, leave_organization, **facts)
        leave_organization(**facts)
        person.state = State.LEFT
        return None

    # Departments

    @rule(choice=ANY)
    def add_department(self, choice: int) -> None:
        parent = self.department(choice)
        if parent is not None and parent.parent_id is not None:
            parent = None
        added = departments.add_department(
            actor=SYSTEM, organization=self.organization, name=f"Dock {self.fresh()}", parent=parent
        )
        self.tree[added.pk] = parent and parent.pk

    @precondition(lambda self: self.tree)
    @rule(choice=ANY, to=ANY)
    def delete_department(self, choice: int, to: int) -> None:
        keys = sorted(self.tree)
        department = Department.objects.get(pk=keys[choice % len(keys)])
        successor = self.department(to)
        if successor == department:
            successor = None
        facts = {"actor": SYSTEM, "organization": self.organization, "department": department}
        if department.pk in self.tree.values():
            return self.refused(DepartmentNotEmpty, departments.delete_department, **facts, successor=successor)
        inside = [entry for entry in self.people.values() if entry.department == department.pk]
        gone = department.pk
        assert departments.delete_department(**facts, successor=successor) == len(inside)
        del self.tree[gone]
        for entry in [*self.people.values(), *self.asked.values()]:
            if entry.department == gone:
                entry.department = successor and successor.pk
        return None

    @rule(choices=integers(min_value=1, max_value=2**12), to=ANY)
    def move(self, choices: int, to: int) -> None:
        """Any of them at once."""
        chosen = [pk for place, pk in enumerate(sorted(self.people)) if choices >> (place % 12) & 1]
        department = self.department(to)
        key = department and department.pk
        moving = [pk for pk in chosen if self.people[pk].state != State.LEFT and self.people[pk].department != key]
        moved = members.move_members(
            actor=SYSTEM,
            organization=self.organization,
            members=Member.objects.filter(pk__in=chosen),
            department=department,
        )
        assert moved == len(moving)
        for pk in moving:
            self.people[pk].department = key

    # What must be true

    @invariant()
    def the_database_says_the_same(self) -> None:
        found = Member.objects.values_list("pk", "state", "role", "department_id", "account_kind")
        assert {pk: tuple(map(str, facts)) for pk, *facts in found} == {
            pk: tuple(map(str, (p.state, p.role, p.department, "personal" if p.personal else "business")))
            for pk, p in self.people.items()
        }
        asked = Invitation.objects.values_list("pk", "state", "version", "department_id")
        assert {pk: tuple(facts) for pk, *facts in asked} == {
            pk: (entry.state, entry.version, entry.department) for pk, entry in self.asked.items()
        }

    @invariant()
    def nothing_contradicts_itself(self) -> None:
        # What would only be refused at the commit, which never comes here.
        connection.check_constraints()
        assert find_violations() == []

    @invariant()
    def only_who_may_can_sign_in(self) -> None:
        for member in Member.objects.select_related("user").filter(account_kind="business"):
            assert member.user.is_active == (member.state in (State.ACTIVE, State.INVITED))
            assert member.user.has_usable_password() == (member.state in (State.ACTIVE, State.BLOCKED)), (
                "an account that waits, or was taken back, opens for nobody"
            )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("examples", "steps"), [(10, 25), pytest.param(100, 50, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_whatever_people_do_the_data_stay_true(examples, steps, settings):
    settings.SETUP = "open"
    with connection.cursor() as cursor:
        # All of it is one transaction, which takes longer than any of the product's may.
        cursor.execute("SET LOCAL transaction_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")
    run_state_machine_as_test(Werft, settings=profile(examples, steps))


def profile(examples: int, steps: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
        # A failure is told at once, by all of its steps: finding fewer takes minutes.
        phases=[Phase.explicit, Phase.generate],
    )
