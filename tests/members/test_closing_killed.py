"""The end of an organization in real processes that are killed before it is closed, and between two of its parts."""

import signal
from functools import partial

import pytest

from members.models import AuditEntry, Member
from members.registry import ClosingStep, registry
from tests.closings import let_come
from tests.factories import MemberFactory, OrganizationFactory

WORK = """
import django; django.setup()
from members import closing_steps
from members.services.closing_work import close_due
closing_steps.AT_ONCE = 2
close_due()
"""

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_closing_that_is_killed_again_and_again_is_carried_out_once(apart):
    work = partial(apart, "-c", WORK)
    organization = OrganizationFactory()
    people = MemberFactory.create_batch(5, organization=organization)
    let_come(organization)
    out = Member.objects.of(organization).filter(state=Member.State.BLOCKED)

    assert work(die_at="closing.before_commit").returncode == -signal.SIGKILL
    organization.refresh_from_db()
    assert (organization.closed_at, out.count()) == (None, 0)
    assert work(die_at="closing.after_part").returncode == -signal.SIGKILL
    organization.refresh_from_db()
    assert (organization.closed_at is None, organization.closing_done_at, out.count()) == (False, None, 2)
    assert work().returncode == 0

    organization.refresh_from_db()
    assert organization.closing_done_at is not None
    assert AuditEntry.objects.filter(action="organization.closed").count() == 1
    told = AuditEntry.objects.filter(action="member.blocked").values_list("subject_member", flat=True)
    assert sorted(told) == sorted(person.pk for person in people)
    assert {step.key for step in registry.all(ClosingStep)} >= {"members", "credit"}
