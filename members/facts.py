"""What monitoring asks about people's letters, imports and jobs. Each is one cheap query on an index."""

from collections.abc import Iterator

from django.db.models import Count, F, Min

from members.models import Batch, Heartbeat, JobRun, Letter
from members.models.batches import OPEN_STATES
from members.services.jobs import MOST_ATTEMPTS
from skypemgr import metrics
from skypemgr.clock import DatabaseClock
from skypemgr.metrics import Fact

OPEN_LETTERS = (Letter.State.WAITING, Letter.State.FAILED)


def register() -> None:
    """Offer them to monitoring."""
    metrics.add(
        Fact("skypemgr_letters", "Letters that have not gone.", "state", letters),
        Fact("skypemgr_oldest_letter_seconds", "How long the oldest due letter has waited.", "state", oldest_letter),
        Fact("skypemgr_batches", "Imports at work.", "state", batches),
        Fact("skypemgr_heartbeat_age_seconds", "Since a worker last began work of a kind.", "kind", heartbeats),
        Fact("skypemgr_job_runs", "Runs of jobs that are not finished.", "state", job_runs),
    )


def letters() -> Iterator[tuple[str, float]]:
    counted = (
        Letter.objects.filter(state__in=OPEN_LETTERS, held_at=None)
        .values_list("state")
        .annotate(count=Count("*"))
        .order_by()
    )
    found = dict(counted)
    yield from ((str(state), found.get(state, 0)) for state in OPEN_LETTERS)
    yield "held", Letter.objects.filter(state=Letter.State.WAITING, held_at__isnull=False).count()


def oldest_letter() -> Iterator[tuple[str, float]]:
    due = Letter.objects.filter(state=Letter.State.WAITING, due_at__lte=DatabaseClock(), held_at=None)
    waited = due.aggregate(age=DatabaseClock() - Min("due_at"))["age"]
    yield "waiting", waited.total_seconds() if waited else 0


def batches() -> Iterator[tuple[str, float]]:
    found = dict(
        Batch.objects.filter(state__in=OPEN_STATES, given_up_at=None)
        .values_list("state")
        .annotate(count=Count("*"))
        .order_by()
    )
    yield from ((str(state), found.get(state, 0)) for state in OPEN_STATES)
    yield "given_up", Batch.objects.filter(state__in=OPEN_STATES, given_up_at__isnull=False).count()


def heartbeats() -> Iterator[tuple[str, float]]:
    for name, age in Heartbeat.objects.values_list("name", DatabaseClock() - F("at")):
        yield name, age.total_seconds()


def job_runs() -> Iterator[tuple[str, float]]:
    unfinished = JobRun.objects.filter(finished_at=None)
    given_up = unfinished.filter(attempts__gte=MOST_ATTEMPTS).count()
    yield "given_up", given_up
    yield "open", unfinished.count() - given_up
