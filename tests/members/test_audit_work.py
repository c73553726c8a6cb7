"""Each entry of the audit log says of which request, or which task, it was part, as the lines of the log do."""

import uuid

import pytest
from django.urls import reverse

from members.access import Actor
from members.importing import Draft
from members.models import AuditEntry, Batch, Letter, Member
from members.services import imports
from members.services.import_work import advance_batches_task
from members.services.members import block_members
from tests.factories import MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    return OrganizationFactory(slug="acme")


@pytest.fixture
def boss(organization, client):
    boss = MemberFactory(organization=organization, admin=True)
    client.force_login(boss.user)
    return boss


def test_an_entry_carries_the_id_of_its_request(client, organization, boss):
    member = MemberFactory(organization=organization)

    answer = client.post(
        reverse("members:member_role", args=["acme", member.user.skype_name]), {"role": "reports_viewer"}
    )

    entry = AuditEntry.objects.get(action="member.role_changed")
    assert (entry.request_id, entry.task_id) == (answer.headers["X-Request-ID"], "")


def test_entries_about_many_members_carry_it_too(client, organization, boss):
    members = MemberFactory.create_batch(3, organization=organization)
    form = {"member": [member.pk for member in members], "reason": "", "key": str(uuid.uuid4())}

    answer = client.post(reverse("members:members_block", args=["acme"]), form)

    entries = AuditEntry.objects.filter(action="member.blocked")
    assert {entry.request_id for entry in entries} == {answer.headers["X-Request-ID"]}
    assert len(entries) == 3


def test_what_a_task_does_carries_the_id_of_the_task_and_not_of_who_woke_it(organization, boss):
    people = [Draft(number=1, email="a@example.com", first_name="A", last_name="B")]
    actor = Actor.of_member(boss)
    batch = imports.start_import_of_people(actor=actor, organization=organization, people=people, key=uuid.uuid4())
    imports.start_batch(actor=actor, organization=organization, batch=batch)

    advance_batches_task.apply(task_id="11111111-aaaa", headers={"request_id": "somebody-elses"})

    assert Batch.objects.get(pk=batch.pk).state == Batch.State.DONE
    entry = AuditEntry.objects.get(action="batch.finished")
    assert (entry.request_id, entry.task_id) == ("", "11111111-aaaa")
    assert Letter.objects.count() == 1


def test_what_a_command_does_carries_neither(organization):
    MemberFactory.create_batch(2, organization=organization)

    block_members(actor=Actor.system(), organization=organization, members=Member.objects.of(organization))

    assert set(AuditEntry.objects.values_list("request_id", "task_id")) == {("", "")}
