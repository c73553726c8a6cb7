"""The seals of the audit log beside somebody who is writing to it."""

from functools import partial

import pytest

from members.access import Actor
from members.audit import Action, Fact, record, record_many
from members.models import AuditSeal
from members.sealing import AUDIT_LOG, broken_seals
from members.services.departments import add_department
from members.services.seals import seal_audit_logs
from tests.factories import OrganizationFactory

pytestmark = pytest.mark.django_db(transaction=True)


def write_and_seal(meanwhile, **options):
    """Somebody who has written but not committed, and then a seal of what was written after that."""
    one, other = OrganizationFactory(), OrganizationFactory()

    def write(organization):
        add_department(actor=Actor.system(), organization=organization, name="Werft")

    def write_meanwhile_and_seal():
        write(other)
        # Not through the organization, which the other holds.
        record(organization=one, actor=Actor.system(), action=Action.ORGANIZATION_CHANGED, subject=one)
        return seal_audit_logs()

    return meanwhile(partial(write, one), write_meanwhile_and_seal, at='INSERT INTO "members_auditentry"', **options)


def test_a_seal_waits_for_entries_under_way(meanwhile):
    held = write_and_seal(meanwhile)

    # Half a second it waits; then it leaves it to the next hour.
    assert held.second == 0 or held.waited
    seal_audit_logs()
    assert list(broken_seals(AUDIT_LOG)) == []
    assert sum(AuditSeal.objects.values_list("rows", flat=True)) == 3


def test_control_without_waiting_an_entry_is_left_out_of_its_seal(meanwhile):
    held = write_and_seal(meanwhile, unlocked=True, without=r"^LOCK TABLE .*", instead="SELECT 1")

    assert held.second == 2
    assert len(list(broken_seals(AUDIT_LOG))) == 1


def write_several_and_seal(meanwhile, **options):
    """Somebody who has drawn the ids of several entries and not written them, and then a seal of a later one."""
    one, other = OrganizationFactory(), OrganizationFactory()

    def write(organization, count):
        fact = Fact(action=Action.ORGANIZATION_CHANGED, subject=organization)
        record_many(organization=organization, actor=Actor.system(), facts=[fact] * count)

    def write_meanwhile_and_seal():
        # Of the same log, so that its seal lies beyond the ids that were drawn; and of another.
        write(one, 1)
        write(other, 2)
        return seal_audit_logs()

    return meanwhile(partial(write, one, 3), write_meanwhile_and_seal, at="SELECT nextval", **options)


def test_a_seal_waits_for_entries_whose_ids_are_drawn(meanwhile):
    held = write_several_and_seal(meanwhile)

    assert held.second == 0 or held.waited
    seal_audit_logs()
    assert list(broken_seals(AUDIT_LOG)) == []
    assert sum(AuditSeal.objects.values_list("rows", flat=True)) == 6


def test_control_without_the_lock_a_seal_passes_over_ids_that_are_drawn(meanwhile):
    held = write_several_and_seal(
        meanwhile, unlocked=True, without=r"^LOCK TABLE .* IN ROW EXCLUSIVE MODE", instead="SELECT 1"
    )

    assert held.second == 2
    assert len(list(broken_seals(AUDIT_LOG))) == 1
