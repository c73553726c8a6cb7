"""Imports, changes of many, departments and jobs, in two hands at once; and what would happen without each guard."""

import threading
from functools import partial
from uuid import uuid4

import pytest
from django.utils import timezone

from members.access import Actor
from members.errors import BatchNotOpen, DepartmentGone
from members.importing import Outcome
from members.models import AuditEntry, Batch, Heartbeat, Invitation, Letter, Member, Organization
from members.newcomers import sorting_of
from members.services import import_work, imports, joining, run_work
from members.services.demo import seed_demo
from members.services.departments import delete_department
from members.services.jobs import show_life
from members.services.members import change_member, move_members
from members.services.organization_settings import change_organization_settings
from members.services.purge import purge_personal_data
from members.services.runs import start_run
from tests.factories import DepartmentFactory, InvitationFactory, MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db(transaction=True)

SYSTEM = Actor.system()


@pytest.fixture
def admin():
    return MemberFactory(admin=True)


def entries(action: str) -> int:
    return AuditEntry.objects.filter(action=action).count()


def reviewed(admin, number) -> Batch:
    batch = imports.start_import_of_file(
        actor=Actor.of_member(admin),
        organization=admin.organization,
        content=f"email\nanna{number}@people.example\nbo{number}@people.example\n".encode(),
        file_name="people.csv",
        key=uuid4(),
    )
    import_work.advance(batch)
    batch.refresh_from_db()
    return batch


def failed(admin, number) -> Batch:
    batch = reviewed(admin, number)
    batch.rows.update(outcome=Outcome.FAILED)
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.DONE)
    return batch


def of(admin, batch) -> dict[str, object]:
    return {"actor": Actor.of_member(admin), "organization": admin.organization, "batch": batch}


def test_an_import_canceled_while_it_is_started_ends_canceled(admin, race, rounds):
    for number in range(rounds):
        batch = reviewed(admin, number)

        started, canceled = race(
            partial(imports.start_batch, **of(admin, batch)), partial(imports.cancel_batch, **of(admin, batch))
        )

        assert canceled is None
        assert isinstance(started, Batch | BatchNotOpen), started
        batch.refresh_from_db()
        assert batch.state == Batch.State.CANCELED


def test_an_import_canceled_by_two_at_once_is_canceled_once(admin, race, rounds):
    for number in range(rounds):
        cancel = partial(imports.cancel_batch, **of(admin, reviewed(admin, number)))

        assert {type(outcome) for outcome in race(cancel, cancel)} == {type(None), BatchNotOpen}
    assert entries("batch.canceled") == rounds


def test_control_without_the_lock_an_import_is_canceled_twice(admin, race, unguarded):
    cancel = partial(imports.cancel_batch, **of(admin, reviewed(admin, 1)))

    assert race(*unguarded(cancel, cancel)) == [None, None]
    assert entries("batch.canceled") == 2


def test_failed_rows_retried_by_two_at_once_are_retried_once(admin, race, rounds):
    for number in range(rounds):
        retry = partial(imports.retry_failed_rows, **of(admin, failed(admin, number)))

        outcomes = race(retry, retry)

        assert outcomes.count(2) == 1
        assert sum(isinstance(outcome, BatchNotOpen) for outcome in outcomes) == 1
    assert entries("batch.started") == rounds


def test_control_without_the_lock_the_second_retry_is_not_refused(admin, race, unguarded):
    retry = partial(imports.retry_failed_rows, **of(admin, failed(admin, 1)))

    outcomes = race(*unguarded(retry, retry))

    assert not any(isinstance(outcome, BatchNotOpen) for outcome in outcomes)


def test_a_row_left_out_while_its_import_starts_is_out_or_too_late(admin, race, rounds):
    for number in range(rounds):
        batch = reviewed(admin, number)

        started, left_out = race(
            partial(imports.start_batch, **of(admin, batch)),
            partial(imports.leave_out_row, **of(admin, batch), number=batch.rows.earliest("number").number),
        )

        assert isinstance(started, Batch), started
        ready = batch.rows.filter(outcome=Outcome.READY).count()
        said = AuditEntry.objects.filter(action="batch.started").latest("pk").after["rows"]
        assert (ready, said) == ((1, 1) if left_out is None else (2, 2))
        assert left_out is None or isinstance(left_out, BatchNotOpen)


def test_control_without_the_lock_a_row_is_left_out_of_an_import_that_has_begun(admin, race, monkeypatch):
    batch = reviewed(admin, 1)
    looked, begun = threading.Event(), threading.Event()

    def look_and_wait(organization, batch):
        held = Batch.objects.get(pk=batch.pk, state=Batch.State.DRAFT)
        looked.set()
        begun.wait(timeout=10)
        return held

    def start():
        looked.wait(timeout=10)
        imports.start_batch(**of(admin, batch))
        begun.set()

    monkeypatch.setattr(imports, "_lock_draft", look_and_wait)

    outcomes = race(
        start, partial(imports.leave_out_row, **of(admin, batch), number=batch.rows.earliest("number").number)
    )

    assert outcomes == [None, None]
    said = AuditEntry.objects.get(action="batch.started").after["rows"]
    assert (said, batch.rows.filter(outcome=Outcome.READY).count()) == (2, 1)


# Departments


def test_a_department_deleted_while_somebody_is_put_into_it_leaves_nobody_in_it(admin, race, rounds):
    organization = admin.organization
    member = MemberFactory(organization=organization)
    for _round in range(rounds):
        department = DepartmentFactory(organization=organization)

        moved, deleted = race(
            partial(
                move_members,
                actor=SYSTEM,
                organization=organization,
                members=Member.objects.filter(pk=member.pk),
                department=department,
            ),
            partial(delete_department, actor=SYSTEM, organization=organization, department=department),
        )

        member.refresh_from_db()
        assert member.department is None
        assert (moved, deleted) == (1, 1) or (isinstance(moved, DepartmentGone) and deleted == 0), (
            moved,
            deleted,
        )


# Changes of many


def test_an_invitation_accepted_while_a_run_sends_it_again_is_sent_or_accepted(admin, race, rounds):
    organization = admin.organization
    for _round in range(rounds):
        invitation = InvitationFactory(member=MemberFactory(organization=organization, invited=True))
        batch = start_run(
            actor=Actor.of_member(admin),
            organization=organization,
            kind=Batch.Kind.RESEND_INVITATIONS,
            members=Member.objects.filter(pk=invitation.member_id),
            expected=1,
            key=uuid4(),
            facts={},
        )
        accept = partial(
            joining.accept_business_invitation,
            actor=Actor.visitor(),
            invitation=Invitation.objects.get(pk=invitation.pk),
            first_name="Ines",
            last_name="Even",
            password="nine calm otters row home",
        )

        accepted, ran = race(accept, partial(run_work.advance_run, batch))

        assert not isinstance(ran, Exception), ran
        now = Invitation.objects.get(pk=invitation.pk)
        waiting = Letter.objects.filter(member=invitation.member, kind="invitation", state="waiting").count()
        if isinstance(accepted, Member):
            assert (now.state, waiting) == ("accepted", 0)
        else:
            assert (now.state, now.version, waiting) == ("pending", 2, 1)


# What is done by the clock


def test_ten_workers_who_show_life_at_once_leave_one_sign(race, rounds):
    for number in range(rounds):
        assert race(*[partial(show_life, name=f"worker {number}")] * 10) == [None] * 10
    assert Heartbeat.objects.filter(name__startswith="worker ").count() == rounds


def test_two_who_purge_at_once_empty_each_letter_once(admin, race, rounds):
    long_ago = timezone.now() - timezone.timedelta(days=100)
    for number in range(rounds):
        for place in range(20):
            Letter.objects.create(
                kind=Letter.Kind.INVITATION,
                organization=admin.organization,
                email=f"p{number}.{place}@people.example",
                state=Letter.State.SENT,
                closed_at=long_ago,
            )

        one, other = race(purge_personal_data, purge_personal_data)

        assert one["letters"] + other["letters"] == 20
    assert not Letter.objects.exclude(email="").exists()


def test_two_demo_companies_wanted_at_once_are_one(race, settings):
    settings.LOCAL = True

    one, other = race(*[partial(seed_demo, actor=SYSTEM)] * 2)

    assert (one, Organization.objects.count()) == (other, 1)


def test_another_language_and_another_name_at_once_are_sorted_as_the_language_sorts(race, rounds):
    for number in range(rounds):
        organization = OrganizationFactory(language="en")
        member = MemberFactory(organization=organization)

        outcomes = race(
            partial(
                change_organization_settings,
                actor=SYSTEM,
                organization=organization,
                name=organization.name,
                time_zone=organization.time_zone,
                language="sv",
                allow_personal_accounts=True,
                show_colleagues=False,
            ),
            partial(
                change_member,
                actor=SYSTEM,
                organization=organization,
                member=member,
                first_name="Åsa",
                last_name=f"Öberg{number}",
                department=None,
            ),
        )

        assert [type(outcome) for outcome in outcomes] == [Organization, Member]
        member = Member.objects.select_related("user", "organization").get(pk=member.pk)
        assert member.sort_key == sorting_of(member.user, member.organization, member.email)["sort_key"]
