"""Two last administrators, whatever happens to both at once: one stays. And what would happen without the lock."""

from collections.abc import Callable
from functools import partial

import pytest

from members.access import Actor
from members.errors import LastAdministrator, StateForbids
from members.models import Member
from members.services.members import assign_role, block_members, unblock_member
from members.services.profile import leave_organization
from skypemgr.invariants import find_violations
from tests.factories import MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db(transaction=True)

SYSTEM = Actor.system()
COUNTED = r'^SELECT .*"members_member"."role" = %s'


def demoted(member: Member) -> partial:
    return partial(
        assign_role, actor=SYSTEM, organization=member.organization, member=member, role=Member.Role.REPORTS_VIEWER
    )


def blocked(member: Member) -> partial:
    only = Member.objects.filter(pk=member.pk)
    return partial(block_members, actor=SYSTEM, organization=member.organization, members=only)


def left(member: Member) -> partial:
    return partial(leave_organization, actor=Actor.of_person(member.user), organization=member.organization)


FATES: dict[str, Callable[[Member], partial]] = {"demoted": demoted, "blocked": blocked, "left": left}
PAIRS = [(one, other) for one in FATES for other in FATES if one <= other]


def two_last() -> list[Member]:
    return MemberFactory.create_batch(2, organization=OrganizationFactory(), admin=True, personal=True)


def administrators(member: Member) -> int:
    return Member.objects.of(member.organization).administrators().count()


def has_nobody() -> bool:
    return any("administrator" in found.invariant for found in find_violations())


@pytest.mark.parametrize("fates", PAIRS, ids=" and ".join)
def test_of_two_last_administrators_one_stays(fates, race, rounds):
    for _round in range(rounds):
        members = two_last()

        outcomes = race(*[FATES[fate](member) for fate, member in zip(fates, members, strict=True)])

        assert sum(isinstance(outcome, LastAdministrator) for outcome in outcomes) == 1, outcomes
        assert administrators(members[0]) == 1
    assert not has_nobody()


@pytest.mark.parametrize("fates", PAIRS, ids=" and ".join)
def test_control_without_the_lock_no_administrator_is_left(fates, meanwhile):
    members = two_last()

    held = meanwhile(
        *[FATES[fate](member) for fate, member in zip(fates, members, strict=True)], at=COUNTED, unlocked=True
    )

    assert not any(isinstance(outcome, Exception) for outcome in held), held
    assert administrators(members[0]) == 0
    assert has_nobody()


@pytest.mark.parametrize("fate", FATES)
def test_the_organization_is_locked_before_its_administrators_are_counted(fate, statements):
    member, _other = two_last()

    done = statements(FATES[fate](member))

    locks = [place for place, sql in enumerate(done) if 'FROM "members_organization"' in sql and " FOR NO KEY" in sql]
    locked = [place for place, sql in enumerate(done) if 'FROM "members_member"' in sql and " FOR NO KEY" in sql]
    counts = [place for place, sql in enumerate(done) if '"role" = ' in sql and sql.startswith("SELECT")]
    assert locks[0] < locked[0] < counts[0]


def test_somebody_demoted_while_they_leave_has_left(race, rounds):
    organization = OrganizationFactory()
    MemberFactory(organization=organization, admin=True)
    for _round in range(rounds):
        member = MemberFactory(organization=organization, personal=True, role=Member.Role.CREDIT_MANAGER)

        changed, gone = race(demoted(member), left(member))

        assert gone is None
        assert isinstance(changed, Member | StateForbids), changed
        assert Member.objects.get(pk=member.pk).state == Member.State.LEFT


def test_control_without_the_lock_somebody_who_has_left_is_given_a_role(race, unguarded):
    organization = OrganizationFactory()
    MemberFactory(organization=organization, admin=True)
    member = MemberFactory(organization=organization, personal=True, role=Member.Role.CREDIT_MANAGER)

    # They meet where both have read that the member is there; whichever writes last does not know of the other.
    changed, gone = race(*unguarded(demoted(member), left(member)))

    assert (type(changed), gone) == (Member, None)
    now = Member.objects.get(pk=member.pk)
    assert (now.state, now.role) == (Member.State.LEFT, Member.Role.REPORTS_VIEWER)


def test_somebody_unblocked_while_they_are_blocked_is_one_of_both_everywhere(race, rounds):
    organization = OrganizationFactory()
    for _round in range(rounds):
        member = MemberFactory(organization=organization, state=Member.State.BLOCKED, user__is_active=False)
        unblock = partial(unblock_member, actor=SYSTEM, organization=organization, member=member)

        opened, shut = race(unblock, blocked(member))

        assert isinstance(opened, Member), opened
        assert shut in (0, 1), shut
        now = Member.objects.select_related("user").get(pk=member.pk)
        assert (now.state, now.user.is_active) == (("blocked", False) if shut else ("active", True))


def test_control_without_the_lock_somebody_is_unblocked_twice(race, unguarded):
    member = MemberFactory(state=Member.State.BLOCKED, user__is_active=False)
    unblock = partial(unblock_member, actor=SYSTEM, organization=member.organization, member=member)

    assert [type(outcome) for outcome in race(*unguarded(unblock, unblock))] == [Member, Member]
