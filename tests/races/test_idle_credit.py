"""Who watches idle credit, met by another who does, and by those who use it."""

from functools import partial

import pytest
from django.db import IntegrityError

from credit.models import IdleCredit
from credit.selectors.inactivity import list_inactive
from credit.services.idle_credit import reactivate_credit, reactivate_own_credit
from credit.services.idle_credit_work import watch_idle_credit
from members.access import Actor
from members.audit import Action
from members.models import AuditEntry, Member
from skypemgr.invariants import find_violations
from tests.credit.idle import close_letters, make_inactive, pass_days, run_of_today, warnings, watch
from tests.credit.moves import allocate, buy, charge
from tests.factories import MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db(transaction=True)
CONFLICT = r"ON CONFLICT \(account_id\) DO NOTHING"
NOTE, CLOSE = "\n    INSERT INTO credit_idlecredit", "\n    UPDATE credit_idlecredit"


@pytest.fixture(autouse=True)
def half_a_year(settings):
    settings.CREDIT_INACTIVE_DAYS = 180


@pytest.fixture
def organization(transactional_db):
    organization = OrganizationFactory()
    buy(organization, "1000")
    return organization


@pytest.fixture
def member(organization):
    member = MemberFactory(organization=organization, role=Member.Role.CREDIT_MANAGER)
    allocate(member, "20")
    return member


def watching(organization):
    return partial(watch_idle_credit, run_of_today(organization))


def entries(action):
    return AuditEntry.objects.filter(action=action).count()


def test_ten_who_watch_at_once_warn_once_and_make_inactive_once(organization, member, race):
    people = [member, *MemberFactory.create_batch(4, organization=organization)]
    for one in people[1:]:
        allocate(one, "5")
    pass_days(365)

    assert race(*[watching(organization)] * 10) == [None] * 10
    assert [letter.member for letter in warnings()] == people
    close_letters()
    pass_days(7)
    assert race(*[watching(organization)] * 10) == [None] * 10

    assert set(list_inactive(organization, people)) == {one.pk for one in people}
    assert (entries(Action.CREDIT_INACTIVE), len(warnings())) == (5, 5)


def test_control_without_its_conflict_the_second_who_warns_fails_in_the_database(organization, member, meanwhile):
    pass_days(365)

    held = meanwhile(*[watching(organization)] * 2, at=NOTE, unlocked=True, without=CONFLICT)

    assert held.first is None
    assert isinstance(held.second, IntegrityError)
    assert len(warnings()) == 1


def test_control_without_the_lock_it_becomes_inactive_twice(organization, member, race, unguarded):
    pass_days(365)
    watch(organization)
    close_letters()
    pass_days(7)

    outcomes = race(*unguarded(*[watching(organization)] * 2, before=CLOSE))

    assert outcomes == [None, None]

    assert entries(Action.CREDIT_INACTIVE) == 2


def test_credit_that_is_used_while_it_becomes_inactive_is_active(organization, member, meanwhile):
    pass_days(365)
    watch(organization)
    close_letters()
    pass_days(7)

    held = meanwhile(watching(organization), partial(charge, member, "1"), at=r"UPDATE credit_idlecredit")

    assert not held.waited
    assert list_inactive(organization, [member]) == {}
    assert IdleCredit.objects.get().inactive_at is not None


def test_credit_that_is_kept_active_while_it_becomes_inactive_is_active(organization, member, meanwhile):
    pass_days(365)
    watch(organization)
    close_letters()
    pass_days(7)
    own = partial(reactivate_own_credit, actor=Actor.of_member(member), organization=organization)

    held = meanwhile(watching(organization), own, at=r"UPDATE credit_idlecredit")

    assert (held.waited, held.second) == (True, True)
    assert list_inactive(organization, [member]) == {}


def test_what_is_kept_active_first_does_not_become_inactive_after_it(organization, member, meanwhile):
    pass_days(365)
    watch(organization)
    close_letters()
    pass_days(7)
    own = partial(reactivate_own_credit, actor=Actor.of_member(member), organization=organization)

    held = meanwhile(own, watching(organization), at=r'^UPDATE "credit_idlecredit"')

    assert (held.waited, held.first) == (True, True)
    assert list_inactive(organization, [member]) == {}
    assert entries(Action.CREDIT_INACTIVE) == 0


def twice(organization, member):
    actor = Actor.of_member(member)
    return [
        partial(reactivate_own_credit, actor=actor, organization=organization),
        partial(reactivate_credit, actor=actor, organization=organization, member=member),
    ]


def test_credit_reactivated_by_two_at_once_is_reactivated_once(organization, member, race):
    make_inactive(organization)

    assert sorted(race(*twice(organization, member))) == [False, True]
    assert entries(Action.CREDIT_REACTIVATED) == 1


def test_control_without_its_condition_it_is_reactivated_twice(organization, member, race, unguarded):
    make_inactive(organization)
    still_warned = '"credit_idlecredit"."letter_id" IS NOT NULL'

    outcomes = race(*unguarded(*twice(organization, member), predicate=still_warned))

    assert outcomes == [True, True]
    assert entries(Action.CREDIT_REACTIVATED) == 2


def test_everything_at_once_leaves_what_is_true(organization, member, race, rounds):
    people = [member, *MemberFactory.create_batch(3, organization=organization)]
    for one in people[1:]:
        allocate(one, "50")
    for _round in range(rounds):
        pass_days(365)
        outcomes = race(
            watching(organization),
            watching(organization),
            partial(charge, people[0], "0.1"),
            partial(reactivate_own_credit, actor=Actor.of_member(people[1]), organization=organization),
        )
        close_letters()
        assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []

    assert [found for found in find_violations() if found.invariant.startswith("credit.")] == []
