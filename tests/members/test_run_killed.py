"""A change of many in real processes that are killed between two slices and in the middle of one."""

import signal
from functools import partial
from uuid import uuid4

import pytest

from members import batches
from members.access import Actor
from members.audit import Action
from members.batches import progress_of
from members.invariants import changes_of_many_are_made_once, tallies_are_what_counting_gives
from members.models import AuditEntry, Batch, Member
from members.services.runs import start_run
from tests.factories import MemberFactory

WORK = """
import django; django.setup()
from members import batches
from members.services import import_work
batches.SLICE = 2
import_work.advance_batches_task()
"""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def work(apart):
    """Does one turn of a worker's task in a process of its own, and gives how that ended."""
    return partial(apart, "-c", WORK)


def test_a_change_of_many_that_is_killed_again_and_again_is_made_once(work, monkeypatch):
    monkeypatch.setattr(batches, "SLICE", 2)
    boss = MemberFactory(admin=True, organization__slug="architectes")
    organization = boss.organization
    everybody = Member.objects.of(organization).filter(
        pk__in=[member.pk for member in MemberFactory.create_batch(7, organization=organization)]
    )
    batch = start_run(
        actor=Actor.of_member(boss),
        organization=organization,
        kind=Batch.Kind.BLOCK_MEMBERS,
        members=everybody,
        expected=7,
        key=uuid4(),
        facts={"reason": ""},
    )
    blocked = everybody.filter(state=Member.State.BLOCKED)

    assert work(die_at="runs.after_slice").returncode == -signal.SIGKILL
    assert blocked.count() == progress_of(batch).changed == 2
    assert work(die_at="runs.before_slice_commit").returncode == -signal.SIGKILL
    assert blocked.count() == progress_of(batch).changed == 2
    assert work().returncode == 0

    batch.refresh_from_db()
    assert batch.state == Batch.State.DONE
    assert blocked.count() == progress_of(batch).changed == 7
    told = AuditEntry.objects.filter(action=Action.MEMBER_BLOCKED).values_list("subject_member", flat=True)
    assert sorted(told) == sorted(everybody.values_list("pk", flat=True))
    assert [*changes_of_many_are_made_once(), *tallies_are_what_counting_gives()] == []
