import datetime as dt
import json

import pytest
from django.core.management import call_command
from django.utils import timezone

from members import jobs
from members.jobs import Job
from members.models import Heartbeat, JobRun, Organization
from members.periods import Every
from members.services import jobs as service
from members.services.jobs import claim_run, finish_run, plan_runs, run_due_jobs
from tests.factories import OrganizationFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def registered(monkeypatch):
    """Register jobs in the place of ours; what they did is listed as (job, slug or None, period)."""
    monkeypatch.setattr(jobs, "_jobs", {})
    done = []

    def register(name, **facts):
        work = facts.pop("work", lambda run: None)

        def note(run):
            done.append((name, run.organization and run.organization.slug, run.period.key))
            work(run)

        jobs.add(Job(name=name, work=note, **facts))
        return done

    return register


@pytest.fixture
def clock(monkeypatch):
    """Say what the database's clock shows to whoever plans; leases go by the real one."""

    def turn_to(text):
        monkeypatch.setattr(service, "database_now", lambda: dt.datetime.fromisoformat(f"{text}+00:00"))

    return turn_to


def fail(run):
    raise ZeroDivisionError


def make_due():
    JobRun.objects.filter(finished_at=None).update(leased_until=timezone.now())


def test_a_job_runs_once_in_its_period_however_many_ticks_there_are(registered, clock):
    done = registered("tidy", every=Every.HOUR)
    clock("2026-11-22T07:00:00")

    assert [run_due_jobs() for _tick in range(3)] == [1, 0, 0]
    clock("2026-11-22T08:00:00")
    run_due_jobs()

    assert done == [("tidy", None, "2026-11-22T07"), ("tidy", None, "2026-11-22T08")]


def test_after_forty_days_without_a_tick_every_missed_month_is_made_up_for_in_order(registered, clock):
    organization = OrganizationFactory(slug="a", time_zone="Europe/Paris")
    done = registered("months", every=Every.MONTH, per_organization=True, catches_up=True)
    registered("days", every=Every.DAY)
    clock("2026-11-20T12:00:00")
    Organization.objects.filter(pk=organization.pk).update(created_at=dt.datetime(2026, 11, 20, tzinfo=dt.UTC))
    run_due_jobs()

    clock("2027-01-01T12:00:00")
    JobRun.objects.update(created_at=dt.datetime(2026, 11, 20, tzinfo=dt.UTC))
    run_due_jobs()

    months = [entry for entry in done if entry[0] == "months"]
    assert months == [("months", "a", "2026-11"), ("months", "a", "2026-12"), ("months", "a", "2027-01")]
    days = [period for job, _slug, period in done if job == "days"]
    assert days == ["2026-11-20", "2027-01-01"], "the newest stands for all that were missed"


def test_a_clock_that_steps_back_repeats_nothing(registered, clock):
    done = registered("months", every=Every.MONTH, catches_up=True)
    registered("tidy", every=Every.HOUR)
    clock("2026-12-01T00:00:00")
    run_due_jobs()
    before = list(done)

    for moment in ("2026-11-30T23:59:59", "2026-11-30T21:00:00", "2026-11-01T00:00:00", "2026-12-01T00:30:00"):
        clock(moment)
        assert run_due_jobs() == 0

    assert done == before


def test_months_begin_in_the_zone_of_each_organization_and_a_new_zone_repeats_none(registered, clock):
    auckland = OrganizationFactory(slug="auckland", time_zone="Pacific/Auckland")
    OrganizationFactory(slug="honolulu", time_zone="Pacific/Honolulu")
    done = registered("months", every=Every.MONTH, per_organization=True, catches_up=True)
    clock("2026-11-30T10:59:59")
    run_due_jobs()
    done.clear()

    clock("2026-11-30T11:00:00")
    run_due_jobs()
    assert done == [("months", "auckland", "2026-12")]

    auckland.time_zone = "Pacific/Honolulu"
    auckland.save()
    assert run_due_jobs() == 0
    clock("2026-12-01T10:00:00")
    run_due_jobs()
    assert done == [("months", "auckland", "2026-12"), ("months", "honolulu", "2026-12")]


def test_an_organization_owes_no_month_from_before_it_was_there(registered, clock):
    OrganizationFactory(slug="old")
    done = registered("months", every=Every.MONTH, per_organization=True, catches_up=True)
    clock("2026-09-15T12:00:00")
    run_due_jobs()
    JobRun.objects.update(created_at=dt.datetime(2026, 9, 15, tzinfo=dt.UTC))
    young = OrganizationFactory(slug="young")
    Organization.objects.filter(pk=young.pk).update(created_at=dt.datetime(2026, 10, 20, tzinfo=dt.UTC))
    done.clear()

    clock("2026-11-02T12:00:00")
    run_due_jobs()

    assert sorted(done) == [
        ("months", "old", "2026-10"),
        ("months", "old", "2026-11"),
        ("months", "young", "2026-10"),
        ("months", "young", "2026-11"),
    ]


def test_a_run_is_leased_to_one_and_left_to_the_next_when_its_worker_dies(registered):
    registered("tidy", every=Every.HOUR)
    plan_runs()

    first = claim_run()
    assert first is not None
    assert claim_run() is None
    make_due()
    second = claim_run()
    assert second is not None
    assert (second.pk, second.attempts) == (first.pk, 2)

    assert finish_run(first) is False, "its lease has ended"
    assert finish_run(second) is True


def test_a_job_that_fails_does_not_hold_up_the_others_and_is_given_up_after_five_attempts(registered):
    done = registered("bad", every=Every.HOUR, work=fail)
    registered("good", every=Every.HOUR)

    for _tick in range(7):
        run_due_jobs()
        make_due()

    assert [job for job, _slug, _period in done] == ["bad", "good", "bad", "bad", "bad", "bad"]
    run = JobRun.objects.get(job="bad")
    assert (run.attempts, run.finished_at, run.last_error) == (5, None, "ZeroDivisionError: ")


def test_a_month_waits_for_the_one_before_until_that_is_done_or_given_up(registered, clock):
    tries = iter([ZeroDivisionError] * 2)

    def sometimes(run):
        if error := next(tries, None):
            raise error

    done = registered("months", every=Every.MONTH, catches_up=True, work=sometimes)
    clock("2026-10-05T00:00:00")
    run_due_jobs()
    clock("2026-11-05T00:00:00")
    run_due_jobs()
    assert {period for _job, _slug, period in done} == {"2026-10"}

    for _tick in range(3):
        make_due()
        run_due_jobs()

    assert [period for _job, _slug, period in done] == ["2026-10", "2026-10", "2026-10", "2026-11"]


def test_what_was_given_up_is_tried_again_by_a_command(registered, capsys):
    done = registered("bad", every=Every.HOUR, work=fail)
    plan_runs()
    JobRun.objects.update(attempts=5)

    call_command("run_jobs", "--json")
    assert json.loads(capsys.readouterr().out) == {"finished": 0, "retried": 0}
    call_command("run_jobs", "--retry", "--json")

    assert json.loads(capsys.readouterr().out) == {"finished": 0, "retried": 1}
    assert len(done) == 1


@pytest.mark.django_db(transaction=True)
def test_ten_ticks_at_once_run_each_job_once(registered, race):
    for number in range(5):
        registered(f"job {number}", every=Every.HOUR)
    done = registered("last", every=Every.HOUR)

    finished = race(*[run_due_jobs] * 10)

    assert sum(finished) == len(done) == 6
    assert len({job for job, _slug, _period in done}) == 6


def test_two_jobs_cannot_share_a_name(registered):
    registered("tidy", every=Every.HOUR)

    with pytest.raises(ValueError, match="two jobs named tidy"):
        registered("tidy", every=Every.DAY)


def test_our_jobs_run(caplog):
    Heartbeat.objects.all().delete()
    service.run_jobs_task()

    names = set(JobRun.objects.exclude(finished_at=None).values_list("job", flat=True))
    assert {"purge_personal_data", "check_invariants"} <= names
    assert Heartbeat.objects.filter(name="worker").exists()
