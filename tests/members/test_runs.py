"""Changes of more members than a page can wait for: kept as confirmed, carried out slice by slice, once."""

import csv
import io
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from members import batches
from members.access import Actor, Capability
from members.audit import Action
from members.batches import BatchKind, progress_of
from members.errors import BatchNotOpen, SelectionChanged
from members.invariants import changes_of_many_are_made_once, tallies_are_what_counting_gives
from members.models import AuditEntry, Batch, BatchRow, Letter, Member
from members.registry import registry
from members.services import run_work
from members.services.departments import delete_department
from members.services.import_work import advance_batches_task
from members.services.imports import cancel_batch
from members.services.runs import cancel_run, start_run
from tests.factories import DepartmentFactory, InvitationFactory, MemberFactory, OrganizationFactory

Role, State = Member.Role, Member.State
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """What is many, and what a slice is, so that a handful of people is enough."""
    monkeypatch.setattr("members.batches.AT_ONCE", 3)
    monkeypatch.setattr(batches, "SLICE", 2)


@pytest.fixture
def organization(db):
    return OrganizationFactory(slug="acme")


@pytest.fixture
def boss(organization, client):
    boss = MemberFactory(organization=organization, admin=True, user__first_name="Zoé")
    client.force_login(boss.user)
    return boss


@pytest.fixture
def sales(organization):
    return DepartmentFactory(organization=organization, name="Sales")


def url(name, *args):
    return reverse(f"members:{name}", args=["acme", *args])


def begin(boss, members, kind=Batch.Kind.BLOCK_MEMBERS, **facts):
    return start_run(
        actor=Actor.of_member(boss),
        organization=boss.organization,
        kind=kind,
        members=members,
        expected=members.count(),
        key=uuid4(),
        facts=facts,
    )


def adds_up():
    return [*changes_of_many_are_made_once(), *tallies_are_what_counting_gives()] == []


def everybody(organization):
    return Member.objects.of(organization)


def test_many_are_moved_behind_the_pages_and_the_page_says_how_far_it_is(client, organization, boss, sales):
    there = MemberFactory.create_batch(2, organization=organization, department=sales)
    MemberFactory.create_batch(5, organization=organization)

    forecast = client.get(url("members_move") + f"?all=1&to={sales.pk}")
    assert "6 of 8 people will be moved." in forecast.text
    assert "That goes on behind the pages." in forecast.text
    sent = {"all": 1, "to": sales.pk, "count": 8, "key": forecast.context["key"]}
    begun = client.post(url("members_move"), sent)
    batch = Batch.objects.get()
    assert begun.url == url("run_detail", batch.pk)
    assert client.post(url("members_move"), sent).url == begun.url

    waiting = client.get(begun.url).text
    assert "<strong>0 of 8</strong> members" in waiting
    assert "To Sales." in waiting
    assert run_work.apply_slice(batch=batch)
    assert "<strong>2 of 8</strong> members" in client.get(url("run_progress", batch.pk)).text

    advance_batches_task()

    done = client.get(url("run_progress", batch.pk))
    assert done.headers["HX-Refresh"] == "true"
    assert sales.members.count() == 8
    page = client.get(begun.url)
    assert {row.member for row in page.context["rows"]} == set(there)
    assert "Was there already" in page.text
    assert AuditEntry.objects.filter(action=Action.MEMBER_MOVED, actor_member=boss).count() == 6
    told = AuditEntry.objects.filter(subject_type="batch").order_by("pk")
    assert [entry.action for entry in told] == [Action.RUN_STARTED, Action.RUN_FINISHED]
    assert [entry.after["people"] for entry in told] == [8, 6]
    assert adds_up()


def test_the_page_that_stops_an_import_stops_no_change_of_many(client, organization, boss):
    MemberFactory.create_batch(5, organization=organization)
    batch = begin(boss, everybody(organization).exclude(pk=boss.pk))

    assert client.post(url("import_cancel", batch.pk)).status_code == 404
    with pytest.raises(BatchNotOpen):
        cancel_batch(actor=Actor.of_member(boss), organization=organization, batch=batch)

    batch.refresh_from_db()
    assert batch.state == Batch.State.RUNNING


def test_a_few_are_changed_at_once(client, organization, boss, sales):
    members = MemberFactory.create_batch(3, organization=organization)

    client.post(url("members_move"), {"member": [member.pk for member in members], "to": sales.pk})

    assert sales.members.count() == 3
    assert not Batch.objects.exists()


def test_those_are_changed_who_matched_when_it_was_confirmed(organization, boss):
    members = MemberFactory.create_batch(4, organization=organization, role=Role.VOICE_MANAGER)
    batch = begin(boss, everybody(organization).filter(role=Role.VOICE_MANAGER))
    later = MemberFactory(organization=organization, role=Role.VOICE_MANAGER)
    Member.objects.filter(pk=members[0].pk).update(role=Role.MEMBER)

    run_work.advance_run(batch)

    blocked = set(everybody(organization).filter(state=State.BLOCKED))
    assert blocked == set(members)
    assert later not in blocked


def test_nothing_begins_when_the_list_has_changed_since_it_was_shown(client, organization, boss):
    MemberFactory.create_batch(5, organization=organization)

    answer = client.post(url("members_block"), {"all": 1, "count": 5, "reason": "", "key": uuid4()})

    assert "The list has changed in the meantime." in answer.text
    assert "5 of 6 people will be blocked." in answer.text
    assert not Batch.objects.exists()
    with pytest.raises(SelectionChanged):
        start_run(
            actor=Actor.of_member(boss),
            organization=organization,
            kind=Batch.Kind.BLOCK_MEMBERS,
            members=everybody(organization),
            expected=5,
            key=uuid4(),
            facts={},
        )


def test_who_does_not_manage_members_begins_nothing(organization, boss):
    viewer = MemberFactory(organization=organization, role=Role.REPORTS_VIEWER)

    with pytest.raises(PermissionDenied):
        begin(viewer, everybody(organization))

    assert not Batch.objects.exists()


def test_nobody_of_another_organization_is_meant(organization, boss):
    MemberFactory.create_batch(4)

    with pytest.raises(SelectionChanged):
        begin(boss, Member.objects.all())


def test_a_run_that_is_stopped_leaves_the_others_alone(client, organization, boss):
    MemberFactory.create_batch(5, organization=organization)
    batch = begin(boss, everybody(organization).exclude(pk=boss.pk))
    run_work.apply_slice(batch=batch)

    stopped = client.post(url("run_cancel", batch.pk), follow=True)

    assert "Stopped. What was done stays done." in stopped.text
    assert "Not done" in stopped.text
    assert not run_work.apply_slice(batch=batch)
    assert everybody(organization).filter(state=State.BLOCKED).count() == 2
    assert adds_up()
    with pytest.raises(BatchNotOpen):
        cancel_run(actor=Actor.of_member(boss), organization=organization, batch=batch)


def test_a_run_goes_no_further_than_the_rights_of_whoever_started_it(client, organization, boss):
    MemberFactory.create_batch(4, organization=organization)
    manager = MemberFactory(organization=organization, role=Role.MEMBERS_MANAGER)
    batch = begin(manager, everybody(organization).filter(role=Role.MEMBER))
    run_work.apply_slice(batch=batch)
    Member.objects.filter(pk=manager.pk).update(state=State.BLOCKED)

    run_work.advance_run(batch)

    assert everybody(organization).filter(state=State.BLOCKED, role=Role.MEMBER).count() == 2
    assert "may not do it any more" in client.get(url("run_detail", batch.pk)).text


def test_a_run_ends_when_its_department_is_gone(client, organization, boss, sales):
    MemberFactory.create_batch(5, organization=organization)
    batch = begin(boss, everybody(organization), Batch.Kind.MOVE_MEMBERS, department=sales.pk, path="Sales")
    run_work.apply_slice(batch=batch)
    delete_department(actor=Actor.of_member(boss), organization=organization, department=sales)

    run_work.advance_run(batch)

    batch.refresh_from_db()
    assert batch.state == Batch.State.CANCELED
    assert "The department was deleted in the meantime." in client.get(url("run_detail", batch.pk)).text


def test_whoever_cannot_be_changed_holds_up_nobody(client, organization, boss):
    MemberFactory.create_batch(3, organization=organization)
    batch = begin(boss, everybody(organization))
    # Of the system, which rules over everybody, so that the last administrator is among those it is about.
    Batch.objects.update(started_by=None)

    advance_batches_task()

    assert progress_of(batch) == batches.Progress(changed=3, untouched=0, failed=1, total=4)
    boss.refresh_from_db()
    assert boss.state == State.ACTIVE
    assert "Is the last administrator" in client.get(url("run_detail", batch.pk)).text


def test_invitations_are_sent_again_by_a_run(organization, boss):
    waiting = [InvitationFactory(member__organization=organization) for _number in range(4)]
    batch = begin(boss, everybody(organization), Batch.Kind.RESEND_INVITATIONS)

    run_work.advance_run(batch)

    assert progress_of(batch).changed == 4
    assert Letter.objects.filter(kind=Letter.Kind.INVITATION).count() == 4
    for invitation in waiting:
        invitation.refresh_from_db()
        assert invitation.version == 2


def test_two_workers_carry_out_each_slice_once(race, organization, boss):
    MemberFactory.create_batch(20, organization=organization)
    batch = begin(boss, everybody(organization).exclude(pk=boss.pk))

    race(*[lambda: run_work.advance_run(batch)] * 3)
    run_work.advance_run(batch)

    assert AuditEntry.objects.filter(action=Action.MEMBER_BLOCKED).count() == 20
    assert BatchRow.objects.filter(batch=batch).count() == 20
    assert AuditEntry.objects.filter(action=Action.RUN_FINISHED).count() == 1
    assert adds_up()


@pytest.fixture
def kinds():
    """Register kinds of runs for a test."""
    added = []

    def add(kind):
        registry.add(kind)
        added.append(kind)

    yield add
    for kind in added:
        registry.remove(BatchKind, kind.key)


def test_another_app_does_what_it_knows_to_many_and_a_slice_that_dies_is_done_again(organization, boss, kinds):
    MemberFactory.create_batch(4, organization=organization)
    broken = [True]

    def promote(portion):
        portion.members.update(role=Role.REPORTS_VIEWER)
        if broken[0]:
            raise RuntimeError("The machine has no power any more.")
        return {}

    kinds(BatchKind(key="promote", label="", done="", capability=Capability.ASSIGN_ROLES, apply=promote))
    batch = begin(boss, everybody(organization).exclude(pk=boss.pk), "promote")

    with pytest.raises(RuntimeError):
        run_work.apply_slice(batch=batch)
    assert not everybody(organization).filter(role=Role.REPORTS_VIEWER).exists()
    broken[0] = False
    run_work.advance_run(batch)

    assert everybody(organization).filter(role=Role.REPORTS_VIEWER).count() == 4
    assert progress_of(batch).changed == 4


def test_the_outcome_is_a_file(client, organization, boss):
    members = MemberFactory.create_batch(4, organization=organization)
    batch = begin(boss, everybody(organization))
    run_work.advance_run(batch)

    answer = client.get(url("run_outcome", batch.pk))
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))

    assert len(rows) == 6
    outcomes = {row[0]: row[2:] for row in rows[1:]}
    assert outcomes[boss.user.skype_name] == ["Left alone", "Started this"]
    assert outcomes[members[0].user.skype_name] == ["Blocked", ""]


def test_runs_are_listed_apart_from_imports(client, organization, boss):
    MemberFactory.create_batch(4, organization=organization)
    batch = begin(boss, everybody(organization))

    assert "Blocking sign-in" in client.get(url("run_list")).text
    assert "0 of 5" in client.get(url("run_list")).text
    assert "No imports yet" in client.get(url("import_list")).text
    assert client.get(url("import_detail", batch.pk)).status_code == 404


def test_a_run_of_another_organization_is_not_there(client, organization, boss):
    other = MemberFactory(admin=True)
    MemberFactory.create_batch(4, organization=other.organization)
    batch = begin(other, everybody(other.organization))

    for name in ("run_detail", "run_progress", "run_outcome"):
        assert client.get(url(name, batch.pk)).status_code == 404
    assert client.post(url("run_cancel", batch.pk)).status_code == 404
