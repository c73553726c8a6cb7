"""Forgetting what is no longer needed: personal data that only helped to do something, 90 days after it was done."""

from collections.abc import Callable
from datetime import timedelta

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from members.models import Batch, BatchPiece, BatchRow, HelpFeedback, JobRun, Letter, Throttle, UserSession
from members.throttle import LADDERS

KEPT = timedelta(days=90)
RUNS_KEPT = timedelta(days=400)
FEEDBACK_KEPT = timedelta(days=365)
AT_ONCE = 5_000
IN_A_ROW = [ladder.scope for ladder in LADDERS]


def purge_personal_data() -> dict[str, int]:
    """Empty letters and batch rows, and delete what nobody asks for again; gives how many rows of each."""
    long_ago = Now() - KEPT
    yesterday = Now() - timedelta(days=1)
    return {
        "letters": _repeat(_empty_letters, Letter.objects.filter(closed_at__lt=long_ago).exclude(email="", facts={})),
        # Written so that nobody could tell whether there is an account.
        "letters_to_nobody": _repeat(
            _delete,
            Letter.objects.filter(state=Letter.State.CANCELED, user=None, organization=None, email="").filter(
                closed_at__lt=yesterday
            ),
        ),
        "abandoned_batches": _cancel_abandoned(),
        "batch_rows": _repeat(
            _empty_rows,
            BatchRow.objects.filter(batch__finished_at__lt=long_ago).exclude(
                data={}, problems=[], notes=[], match_key=""
            ),
        ),
        "batch_files": _repeat(_delete, BatchPiece.objects.filter(batch__created_at__lt=long_ago)),
        # The newest of each job says where it stands, and those that were given up say so.
        "job_runs": _repeat(_delete, JobRun.objects.filter(Exists(_later_runs()), finished_at__lt=Now() - RUNS_KEPT)),
        "tries": _repeat(_delete, Throttle.objects.filter(began_at__lt=yesterday).exclude(scope__in=IN_A_ROW)),
        # Failures in a row are counted until one succeeds; whom nobody has tried for so long begins anew.
        "failures": _repeat(_delete, Throttle.objects.filter(began_at__lt=long_ago, scope__in=IN_A_ROW)),
        "help_feedback": _repeat(_delete, HelpFeedback.objects.filter(created_at__lt=Now() - FEEDBACK_KEPT)),
        "sessions": _repeat(_delete, Session.objects.filter(expire_date__lt=Now())),
        "browsers": _repeat(_delete, UserSession.objects.filter(seen_at__lt=yesterday)),
    }


def _later_runs() -> QuerySet[JobRun]:
    return JobRun.objects.filter(Q(organization=None) | Q(organization=OuterRef("organization"))).filter(
        job=OuterRef("job"), period__gt=OuterRef("period")
    )


@transaction.atomic(durable=True)
def _cancel_abandoned() -> int:
    """A review that nobody has finished in all that time will not be."""
    abandoned = Batch.objects.filter(state__in=[Batch.State.READING, Batch.State.DRAFT], created_at__lt=Now() - KEPT)
    return abandoned.update(state=Batch.State.CANCELED, finished_at=F("created_at"))


def _repeat[M: Model](change: Callable[[QuerySet[M]], int], rows: QuerySet[M]) -> int:
    total = 0
    while count := change(rows):
        total += count
    return total


@transaction.atomic(durable=True)
def _empty_letters(rows: QuerySet[Letter]) -> int:
    return Letter.objects.filter(pk__in=_some(rows)).update(email="", facts={})


@transaction.atomic(durable=True)
def _empty_rows(rows: QuerySet[BatchRow]) -> int:
    return BatchRow.objects.filter(pk__in=_some(rows)).update(data={}, problems=[], notes=[], match_key="")


@transaction.atomic(durable=True)
def _delete[M: Model](rows: QuerySet[M]) -> int:
    return rows.model._default_manager.filter(pk__in=_some(rows)).delete()[0]


def _some[M: Model](rows: QuerySet[M]) -> list[int]:
    """The keys of the next rows, left alone by whoever else is purging."""
    return list(
        rows.select_for_update(skip_locked=True, of=("self",)).order_by("pk")[:AT_ONCE].values_list("pk", flat=True)
    )
