"""Letters, jobs, slices, files and tries in several hands at once; and what would happen without each guard."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.core.management.color import no_style
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from members import batches, jobs
from members.access import Actor
from members.errors import BatchNotOpen
from members.importing import Outcome
from members.invariants import changes_of_many_are_made_once
from members.jobs import Job, Run
from members.mail import invitation_letter, personal_letter
from members.models import AuditEntry, Batch, BatchRow, DatabaseMark, Department, JobRun, Letter, Member, Throttle
from members.periods import Every, period_at
from members.restores import hold_after_restore
from members.services import import_work, imports, run_work
from members.services.batch_attempts import MOST_ATTEMPTS, give_up_batch
from members.services.given_up import continue_batch
from members.services.jobs import claim_run, finish_run, plan_runs
from members.services.letters import begin_letter, claim_letters
from members.services.runs import cancel_run, start_run
from members.services.undelivered import tell_of_failures
from members.throttle import CODES, SIGN_IN_PLACE, climb, count_try
from skypemgr.text_files import ENCODINGS
from tests.factories import DepartmentFactory, InvitationFactory, MemberFactory, OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)

UTC = ZoneInfo("UTC")
TURN = r"pg_try_advisory_xact_lock\(hashtextextended\(%s, 0\)\)"
ANYBODY = "%s IS NOT NULL"


@pytest.fixture
def admin():
    return MemberFactory(admin=True)


@pytest.fixture(autouse=True)
def known(transactional_db):
    """A database that has met a worker before."""
    with transaction.atomic():
        hold_after_restore()


def errors_in(outcomes: list[object]) -> list[object]:
    return [outcome for outcome in outcomes if isinstance(outcome, Exception)]


@contextmanager
def without_index(name: str) -> Iterator[None]:
    """The database without one of its unique indexes, and without what only that one had kept out."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [name])
        [(definition,)] = cursor.fetchall()
        cursor.execute(f'DROP INDEX "{name}"')
    try:
        yield
    finally:
        emptying = connection.ops.sql_flush(no_style(), ["members_user", "members_member"], allow_cascade=True)
        connection.ops.execute_sql_flush(emptying)
        with connection.cursor() as cursor:
            cursor.execute(definition)


# Letters


def wait_in_line(number: int) -> None:
    for _number in range(number):
        personal_letter(Letter.Kind.PASSWORD_CHANGED, UserFactory()).save()


def claimed() -> set[int]:
    return {letter.pk for letter in claim_letters(limit=20)}


def test_two_senders_who_claim_at_once_have_different_letters(race, rounds):
    for _round in range(max(2, rounds // 4)):
        wait_in_line(10)

        first, second = race(claimed, claimed)

        assert not first & second
        Letter.objects.all().delete()


def test_control_without_the_lock_two_senders_have_the_same_letters(race, unguarded):
    wait_in_line(10)

    first, second = race(*unguarded(claimed, claimed))

    assert len(first) == 10
    assert first == second


def test_a_letter_that_two_have_in_hand_is_begun_by_one(race, rounds):
    """The second net: a lease that ended while its sender slept."""
    for _round in range(rounds):
        wait_in_line(1)
        [letter] = claim_letters(limit=1)

        assert sorted(race(partial(begin_letter, letter), partial(begin_letter, letter))) == [False, True]
        Letter.objects.all().delete()


def test_control_without_its_condition_a_letter_is_begun_by_both(race, unguarded):
    wait_in_line(1)
    [letter] = claim_letters(limit=1)
    begin = partial(begin_letter, letter)

    begun = race(*unguarded(begin, begin, predicate='"members_letter"."leased_until" = %s', always="%s IS NOT NULL"))

    assert begun == [True, True]


def test_the_letters_of_a_day_are_counted_one_sender_after_the_other(race, settings, rounds):
    settings.LETTERS_PER_DAY = 5
    for _round in range(max(2, rounds // 10)):
        invite_many()

        assert sum(race(*[lambda: len(claim_letters(limit=4))] * 3)) == 5
        Letter.objects.all().delete()


def test_control_without_the_lock_more_letters_leave_than_may(race, unguarded, settings):
    settings.LETTERS_PER_DAY = 5
    invite_many()

    assert sum(race(*unguarded(*[lambda: len(claim_letters(limit=4))] * 3))) > 5


def invite_many() -> None:
    organization = OrganizationFactory()
    for _number in range(12):
        invitation = InvitationFactory(member=MemberFactory(organization=organization, invited=True))
        invitation_letter(invitation).save()


def restored() -> list[partial]:
    DatabaseMark.objects.update(identity="of another database")
    wait_in_line(3)
    return [partial(transaction.atomic(hold_after_restore))] * 2


def test_that_data_were_restored_is_noticed_by_one_sender(race, rounds):
    for _round in range(rounds):
        assert sorted(race(*restored())) == [False, True]

        assert claim_letters(limit=20) == []
    assert Letter.objects.exclude(held_at=None).count() == 3 * rounds


def test_control_without_its_condition_two_senders_notice_it(race, unguarded):
    condition = '"members_databasemark"."identity" = %s'

    assert race(*unguarded(*restored(), predicate=condition, always="%s IS NOT NULL")) == [True, True]


# Jobs


@pytest.fixture
def hourly(monkeypatch):
    monkeypatch.setattr(jobs, "_jobs", {})
    for number in range(5):
        jobs.add(Job(name=f"job {number}", every=Every.HOUR, work=lambda run: None))


def test_two_beats_plan_each_run_once(hourly, race, rounds):
    for _round in range(rounds):
        outcomes = race(plan_runs, plan_runs, plan_runs)

        assert errors_in(outcomes) == []
        assert JobRun.objects.count() == 5
        JobRun.objects.all().delete()


def test_control_without_its_conflict_the_second_beat_fails(hourly, meanwhile, unguarded):
    [unprepared] = unguarded(plan_runs, without=r" ON CONFLICT DO NOTHING")

    held = meanwhile(plan_runs, unprepared, at='^INSERT INTO "members_jobrun"')

    assert (held.first, held.waited) == (5, True)
    assert isinstance(held.second, IntegrityError)


def test_two_workers_claim_different_runs(hourly, race, rounds):
    for _round in range(rounds):
        plan_runs()

        one, other = race(claim_run, claim_run)

        assert one is not None
        assert one != other
        JobRun.objects.all().delete()


def test_control_without_the_lock_two_workers_claim_the_same_run(hourly, race, unguarded):
    plan_runs()

    one, other = race(*unguarded(claim_run, claim_run))

    assert one == other


def test_a_run_in_two_hands_after_its_lease_is_finished_by_one(hourly, race, rounds):
    for _round in range(rounds):
        plan_runs()
        run = claim_run()

        assert sorted(race(*[partial(finish_run, run)] * 2)) == [False, True]
        JobRun.objects.all().delete()


# Changes of many, and imports


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(batches, "SLICE", 2)


def blocking(admin: Member, number: int) -> Batch:
    MemberFactory.create_batch(number, organization=admin.organization)
    chosen = Member.objects.of(admin.organization).filter(state=Member.State.ACTIVE).exclude(pk=admin.pk)
    return start_run(
        actor=Actor.of_member(admin),
        organization=admin.organization,
        kind=Batch.Kind.BLOCK_MEMBERS,
        members=chosen,
        expected=number,
        key=uuid4(),
        facts={},
    )


def test_a_slice_in_the_hands_of_one_worker_is_left_alone_by_the_other(small, admin, race, rounds):
    for _round in range(max(2, rounds // 4)):
        batch = blocking(admin, 6)

        outcomes = race(*[partial(run_work.advance_run, batch)] * 3)
        run_work.advance_run(batch)

        assert errors_in(outcomes) == []
        assert BatchRow.objects.filter(batch=batch, outcome=Outcome.DONE).count() == 6
    assert [*changes_of_many_are_made_once()] == []
    assert AuditEntry.objects.filter(action="run.finished").count() == max(2, rounds // 4)


def test_control_without_the_turn_two_workers_carry_out_one_slice(small, admin, race, unguarded):
    def collide() -> bool:
        apply = partial(run_work.apply_slice, batch=blocking(admin, 2))
        outcomes = race(*unguarded(apply, apply, without=TURN, instead=ANYBODY, at_the_guard=True))
        return IntegrityError in {type(outcome) for outcome in outcomes}

    # Sooner or later both are at it; what the database knows of rows makes the later one fail, for nothing.
    assert any(collide() for _try in range(10))


def reading(admin: Member, number: int, people: str = "") -> Batch:
    return imports.start_import_of_file(
        actor=Actor.of_member(admin),
        organization=admin.organization,
        content=("email\n" + (people or "".join(f"p{number}.{n}@people.example\n" for n in range(20)))).encode(),
        file_name="people.csv",
        key=uuid4(),
    )


def test_a_file_read_by_two_workers_at_once_is_read_once(admin, race, rounds, monkeypatch):
    monkeypatch.setattr(import_work, "READ_CHUNK", 5)
    for number in range(max(2, rounds // 4)):
        batch = reading(admin, number)

        outcomes = race(*[partial(import_work.read_rows, batch)] * 2)
        import_work.read_rows(batch)

        assert errors_in(outcomes) == []
        batch.refresh_from_db()
        assert (batch.state, batch.total, batch.rows.count()) == (Batch.State.DRAFT, 20, 20)


def test_control_without_the_turn_two_workers_read_the_same_rows(admin, race, unguarded):
    def collide(number: int) -> bool:
        read = partial(import_work.read_rows, reading(admin, number))
        outcomes = race(*unguarded(read, read, without=TURN, instead=ANYBODY, at_the_guard=True))
        return IntegrityError in {type(outcome) for outcome in outcomes}

    assert any(collide(number) for number in range(1, 11))


# Too few words to tell DOS from an old Mac.
DOS = "E-mail;First name\r\nzoe@people.example;Zoë\r\n".encode("cp850")


def turned(admin: Member, number: int) -> list[partial]:
    """A file under review, read again in another encoding, and started."""
    batch = imports.start_import_of_file(
        actor=Actor.of_member(admin),
        organization=admin.organization,
        content=DOS.replace(b"zoe@", f"zoe{number}@".encode()),
        file_name="people.csv",
        key=uuid4(),
    )
    import_work.advance(batch)
    batch.refresh_from_db()
    of = {"actor": Actor.of_member(admin), "organization": admin.organization, "batch": batch}
    encoding = next(key for key in ("cp850", "mac-roman") if ENCODINGS[key].name != batch.facts["encoding"])
    return [partial(imports.read_again, **of, encoding=encoding), partial(imports.start_batch, **of)]


def test_a_file_read_again_while_its_import_starts_is_one_of_both(admin, race, rounds):
    for number in range(rounds):
        outcomes = race(*turned(admin, number))

        assert {type(outcome) for outcome in outcomes} == {Batch, BatchNotOpen}


def test_control_without_the_lock_an_import_starts_of_rows_that_are_gone(admin, meanwhile):
    held = meanwhile(*turned(admin, 1), at='^UPDATE "members_batch"', unlocked=True)

    assert [type(outcome) for outcome in held[:2]] == [Batch, Batch]
    batch = Batch.objects.get()
    assert (batch.state, batch.rows.count()) == (Batch.State.RUNNING, 0)


def test_what_was_given_up_is_continued_once(admin, race, rounds):
    for number in range(rounds):
        batch = reading(admin, number)
        Batch.objects.filter(pk=batch.pk).update(given_up_at=timezone.now(), attempts=5)
        again = partial(continue_batch, actor=Actor.of_member(admin), organization=admin.organization, batch=batch)

        assert {type(outcome) for outcome in race(again, again)} == {type(None), BatchNotOpen}
    assert AuditEntry.objects.filter(action="batch.continued").count() == rounds


def test_what_was_tried_too_often_is_given_up_once(admin, race, rounds):
    for number in range(rounds):
        batch = reading(admin, number)
        Batch.objects.filter(pk=batch.pk).update(attempts=MOST_ATTEMPTS)

        assert sorted(race(*[partial(give_up_batch, batch=batch)] * 2)) == [False, True]


def test_a_run_stopped_while_it_is_carried_out_ends_once(small, admin, race, rounds):
    for _round in range(max(2, rounds // 4)):
        batch = blocking(admin, 6)
        stop = partial(cancel_run, actor=Actor.of_member(admin), organization=admin.organization, batch=batch)

        carried, stopped = race(partial(run_work.advance_run, batch), stop)

        assert carried is None
        batch.refresh_from_db()
        assert batch.state == (Batch.State.DONE if isinstance(stopped, BatchNotOpen) else Batch.State.CANCELED)
        Member.objects.of(admin.organization).exclude(pk=admin.pk).update(state=Member.State.LEFT)
    assert AuditEntry.objects.filter(action__in=["run.finished", "run.canceled"]).count() == max(2, rounds // 4)


def deleting(admin: Member) -> tuple[Department, list[partial]]:
    """A department that a run deletes, and somebody who stops the run."""
    department = DepartmentFactory(organization=admin.organization)
    MemberFactory(organization=admin.organization, department=department)
    of = {"actor": Actor.of_member(admin), "organization": admin.organization}
    batch = start_run(
        **of,
        kind=Batch.Kind.DELETE_DEPARTMENT,
        members=Member.objects.of(admin.organization).filter(department=department),
        expected=1,
        key=uuid4(),
        facts={"department": department.pk, "successor": None, "path": department.path},
    )
    return department, [partial(run_work.advance_run, batch), partial(cancel_run, **of, batch=batch)]


def test_a_run_stopped_while_it_finishes_has_ended_or_was_stopped_whole(admin, race, rounds):
    for _round in range(rounds):
        department, racers = deleting(admin)

        carried, stopped = race(*racers)

        assert carried is None
        assert Department.objects.filter(pk=department.pk).exists() == (stopped is None), stopped


def test_control_without_the_lock_a_department_goes_although_its_run_was_stopped(admin, meanwhile):
    department, racers = deleting(admin)

    held = meanwhile(*racers, at='^DELETE FROM "members_department"', unlocked=True)

    assert (held.first, held.second, held.waited) == (None, None, False)
    assert not Department.objects.filter(pk=department.pk).exists()


def running(admin: Member, number: int, people: str) -> Batch:
    batch = reading(admin, number, people)
    import_work.advance(batch)
    return imports.start_batch(actor=Actor.of_member(admin), organization=admin.organization, batch=batch)


def pair(admin: Member, number: int) -> list[Batch]:
    """Two files with mostly the same people, both confirmed."""
    same = "".join(f"q{number}.{n}@people.example\n" for n in range(10))
    return [running(admin, number, same + f"{name}{number}@people.example\n") for name in ("anna", "bo")]


def test_two_imports_of_the_same_people_at_once_make_each_once(admin, race, rounds):
    for number in range(max(2, rounds // 4)):
        one, other = pair(admin, number)

        outcomes = race(partial(import_work.advance, one), partial(import_work.advance, other))

        assert errors_in(outcomes) == []
        assert Member.objects.filter(email__startswith=f"q{number}.").count() == 10
        rows = BatchRow.objects.filter(batch__in=[one, other])
        assert rows.filter(outcome=Outcome.DONE).count() == 12
        assert rows.filter(outcome=Outcome.SKIPPED).count() == 10
        assert set(Batch.objects.filter(pk__in=[one.pk, other.pk]).values_list("state", flat=True)) == {"done"}


def test_control_without_the_index_two_imports_make_the_same_people_twice(admin, meanwhile):
    one, other = pair(admin, 1)
    with (
        without_index("member_email_once_per_organization"),
        without_index("user_skype_name_once"),
        without_index("invitation_pending_once_per_address"),
    ):
        held = meanwhile(
            partial(import_work.create_chunk, batch=one, size=20),
            partial(import_work.create_chunk, batch=other, size=20),
            at="^SET CONSTRAINTS ALL IMMEDIATE",
        )

        assert (held.first, held.second) == (False, False)
        assert Member.objects.filter(email__startswith="q1.").count() == 20


def test_control_without_the_turn_two_workers_make_the_same_rows(admin, meanwhile, unguarded):
    [batch, _other] = pair(admin, 1)
    [greedy] = unguarded(partial(import_work.create_chunk, batch=batch, size=20), without=TURN, instead=ANYBODY)

    held = meanwhile(
        partial(import_work.create_chunk, batch=batch, size=20), greedy, at="^SET CONSTRAINTS ALL IMMEDIATE"
    )

    assert isinstance(held.second, IntegrityError)


# Tries


def forgetful(call, increment: str) -> object:
    """A call that writes what it had read, as if counting were two statements."""

    def read_first(execute, sql, params, many, context):
        if increment in sql:
            known = Throttle.objects.filter(scope=params["scope"]).values_list("count", flat=True).first() or 0
            sql = sql.replace(increment, str(known + 1))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(read_first):
        return call()


def test_tries_of_many_at_once_are_all_counted(race, rounds):
    for _round in range(max(1, rounds // 20)):
        race(*[partial(count_try, SIGN_IN_PLACE, "10.0.0.1")] * 20)

        assert Throttle.objects.get().count == 20
        Throttle.objects.all().delete()


def test_control_when_counting_is_two_statements_a_try_is_lost(meanwhile):
    count_try(SIGN_IN_PLACE, "10.0.0.1")
    count = partial(count_try, SIGN_IN_PLACE, "10.0.0.1")

    # The second reads while the first has not committed.
    meanwhile(count, partial(forgetful, count, "tries.count + 1"), at="^\nINSERT INTO members_throttle")

    assert Throttle.objects.get().count == 2


def test_failures_of_many_at_once_are_let_through_ten_times(race, rounds):
    for _round in range(max(1, rounds // 20)):
        outcomes = race(*[partial(climb, CODES, "hanna")] * 20)

        assert outcomes.count(None) == 10
        Throttle.objects.all().delete()


def failures_told(admin):
    """Who tells of an invitation that was refused."""
    organization = admin.organization
    letter = invitation_letter(InvitationFactory(member=MemberFactory(organization=organization, invited=True)))
    letter.state, letter.last_error = Letter.State.FAILED, "550"
    letter.save()
    return partial(tell_of_failures, Run(period_at(timezone.now(), Every.DAY, UTC), organization))


def test_two_who_tell_of_letters_that_failed_write_one_letter(admin, race):
    assert sorted(race(*[failures_told(admin)] * 2)) == [0, 1]
    assert Letter.objects.filter(kind=Letter.Kind.LETTERS_FAILED).count() == 1


def test_control_without_its_condition_both_tell_of_letters_that_failed(admin, race, unguarded):
    predicate = '"members_letter"."told_at" IS NULL'

    assert race(*unguarded(*[failures_told(admin)] * 2, predicate=predicate)) == [1, 1]
