"""Carrying out what is due by the clock. The rows are the memory: any number of ticks, from anywhere, change nothing.

A run is planned when somebody first sees that its period has begun, and claimed with a lease. So two beats, none for
forty days, or a clock that steps back lead to the same runs (decision 15).
"""

import datetime as dt
import logging
import time
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from celery import shared_task
from django.db import transaction
from django.db.models import Exists, F, Min, OuterRef, Q, Subquery

from members import jobs
from members.jobs import Job, Run
from members.models import Heartbeat, JobRun, Organization
from members.months import month_at, month_named
from members.periods import Every, Period, period_at, period_named, periods_after
from skypemgr.background import wake
from skypemgr.clock import DatabaseClock, database_now
from skypemgr.kill_points import kill_point

logger = logging.getLogger(__name__)

# Longer than Celery lets a task live.
LEASE = dt.timedelta(minutes=3)
MOST_ATTEMPTS = 5
PATIENCE = 45.0
# Beat says it as often; without beat, this does.
PAUSE = 20.0
_knocked = -PAUSE


def run_due_jobs(*, patience: float = PATIENCE) -> int:
    """Plan what has come due and carry it out until nothing is left or ``patience`` seconds have passed.

    Gives how many runs were finished. Safe to call anywhere, any number at once.
    """
    until = time.monotonic() + patience
    plan_runs()
    finished = 0
    while time.monotonic() < until and (run := claim_run()) is not None:
        finished += _carry_out(run)
    return finished


def knock() -> None:
    """Have a worker look at the clock, if this process has not asked for it lately; for tasks that run anyway."""
    global _knocked
    if time.monotonic() - _knocked >= PAUSE:
        _knocked = time.monotonic()
        wake("members.run_jobs")


def _carry_out(run: JobRun) -> bool:
    job = jobs.find_job(run.job)
    try:
        kill_point("jobs.after_claim")
        job.work(Run(_period_of(run, job), run.organization))
    except Exception as error:
        # One job's mistake must not hold up the others; it is tried again, and shown in the end.
        logger.exception("The job %s for %s could not be finished.", run.job, run.period)
        postpone_run(run, reason=f"{type(error).__name__}: {error}")
        return False
    kill_point("jobs.after_work")
    return finish_run(run)


def _period_of(run: JobRun, job: Job) -> Period:
    if run.organization is None:
        return period_named(run.period, job.every, ZoneInfo("UTC"))
    if job.every is Every.MONTH:
        return month_named(run.organization, run.period)
    return period_named(run.period, job.every, ZoneInfo(run.organization.time_zone))


@transaction.atomic(durable=True)
def plan_runs() -> int:
    """Write down each run whose period has begun; gives how many are new."""
    now = database_now()
    planned: list[JobRun] = []
    for job in jobs.all_jobs():
        planned += _planned(job, now)
    if not planned:
        return 0
    due = JobRun.objects.filter(job__in={run.job for run in planned}, period__in={run.period for run in planned})
    before = due.count()
    # Another who plans at the same moment writes the same rows; one of the two is kept.
    JobRun.objects.bulk_create(planned, ignore_conflicts=True, batch_size=1_000)
    return due.count() - before


def _planned(job: Job, now: dt.datetime) -> Iterator[JobRun]:
    runs = JobRun.objects.filter(job=job.name).order_by("-period")
    if not job.per_organization:
        newest = runs.filter(organization=None).values_list("period", flat=True).first()
        yield from _missing(job, None, newest, now, now)
        return
    # Of each organization one step in an index: runs are kept for more than a year.
    last = Subquery(runs.filter(organization=OuterRef("pk")).values("period")[:1])
    began: dt.datetime | None = None
    there = Organization.objects.filter(closed_at=None)
    organizations = there.only("time_zone", "zone_month_start", "zone_month_end", "created_at")
    for organization in organizations.annotate(last=last).order_by("pk"):
        if organization.last is None and began is None:
            began = runs.aggregate(began=Min("created_at"))["began"] or now
        # Before the job existed, or the organization, there was nothing to miss.
        since = max(began or now, organization.created_at)
        yield from _missing(job, organization, organization.last, since, now)


def _missing(
    job: Job,
    organization: Organization | None,
    newest: str | None,
    since: dt.datetime,
    now: dt.datetime,
) -> Iterator[JobRun]:
    zone = ZoneInfo(organization.time_zone) if organization else ZoneInfo("UTC")

    def period_of(instant: dt.datetime) -> Period:
        if organization is not None and job.every is Every.MONTH:
            return month_at(organization, instant)
        return period_at(instant, job.every, zone)

    current = period_of(now)
    if newest is None:
        first = period_of(min(since, now))
        periods = [first, *periods_after(first.key, until=current, every=job.every, zone=zone)]
    else:
        # None at all when the clock, or the organization's zone, has gone back to before the newest.
        periods = list(periods_after(newest, until=current, every=job.every, zone=zone))
    for period in periods if job.catches_up else periods[-1:]:
        yield JobRun(job=job.name, organization=organization, period=period.key)


@transaction.atomic(durable=True)
def claim_run() -> JobRun | None:
    """Lease the next run that is due, counting the attempt before the work; None when there is none."""
    in_order = [job.name for job in jobs.all_jobs() if job.catches_up]
    newest_only = [job.name for job in jobs.all_jobs() if not job.catches_up]
    # A job runs for the installation or for organizations, never for both.
    same = JobRun.objects.filter(job=OuterRef("job")).filter(
        Q(organization=None) | Q(organization=OuterRef("organization"))
    )
    earlier = same.filter(period__lt=OuterRef("period"), finished_at=None, attempts__lt=MOST_ATTEMPTS)
    later = same.filter(period__gt=OuterRef("period"))
    run = (
        JobRun.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(finished_at=None, attempts__lt=MOST_ATTEMPTS)
        .filter(Q(leased_until=None) | Q(leased_until__lte=DatabaseClock()))
        .filter((Q(job__in=in_order) & ~Exists(earlier)) | (Q(job__in=newest_only) & ~Exists(later)))
        .select_related("organization")
        .order_by("id")
        .first()
    )
    if run is None:
        return None
    JobRun.objects.filter(pk=run.pk).update(attempts=F("attempts") + 1, leased_until=DatabaseClock() + LEASE)
    run.refresh_from_db(fields=["attempts", "leased_until"])
    return run


@transaction.atomic(durable=True)
def finish_run(run: JobRun) -> bool:
    """Note that a run is done; False when its lease had ended and somebody else has it."""
    done = JobRun.objects.filter(pk=run.pk, finished_at=None, leased_until=run.leased_until).update(
        finished_at=DatabaseClock(), leased_until=None, last_error=""
    )
    return bool(done)


@transaction.atomic(durable=True)
def postpone_run(run: JobRun, *, reason: str) -> None:
    """Try a run again: after 30 seconds, then twice as long each time, five times in all."""
    wait = dt.timedelta(seconds=30) * 2 ** (run.attempts - 1)
    JobRun.objects.filter(pk=run.pk, finished_at=None, leased_until=run.leased_until).update(
        leased_until=DatabaseClock() + wait, last_error=reason[:300]
    )


@transaction.atomic(durable=True)
def retry_runs() -> int:
    """Give every run that was given up its attempts again; gives how many those are."""
    return JobRun.objects.filter(finished_at=None, attempts__gte=MOST_ATTEMPTS).update(attempts=0, leased_until=None)


@transaction.atomic(durable=True)
def show_life(*, name: str) -> None:
    """Note that a worker has begun a task of this kind just now."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(name=name, at=DatabaseClock())],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["at"],
    )


@shared_task(name="members.run_jobs")
def run_jobs_task() -> None:
    show_life(name="worker")
    run_due_jobs()
