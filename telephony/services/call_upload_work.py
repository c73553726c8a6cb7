"""The work behind an uploaded file of calls: tried, or imported, ten thousand rows at a time. Safe to repeat, anywhere.

Each portion is counted in the transaction that imports it, behind the rows that are counted already: whoever comes next
goes on there, and of two who do the same one takes it back.
"""

import logging
import math
import time
from collections.abc import Sequence
from datetime import timedelta
from io import BytesIO
from itertools import batched, islice

from celery import shared_task
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest

from members.access import Actor, Capability, require
from skypemgr.background import wake
from skypemgr.clock import DatabaseClock
from skypemgr.database.blame import is_to_blame
from skypemgr.errors import DomainError
from skypemgr.kill_points import kill_point
from skypemgr.problems import Problem
from telephony.call_files import UnreadRow, clock_of, read_calls
from telephony.calls.feeding import CHUNK, FeedRow, ImportedCalls, calls_in, count_fed, feed, finish_import
from telephony.models import CallImport, CallUpload
from telephony.models.calls import MOST_ATTEMPTS
from telephony.services.call_uploads import TASK
from telephony.services.call_work import make_room

logger = logging.getLogger(__name__)

State = CallUpload.State
OPEN = (State.TRYING, State.RUNNING)
# A task works on a file for so many seconds, and on all of them for so many: well below its time limit.
TURN, SHIFT = 20.0, 50.0
# So much is read before a page is sent; more is left to a worker.
BYTES_AT_ONCE = 256 * 1024
# So long a file is kept that was only tried.
KEPT = timedelta(days=1)


def advance_upload(upload: CallUpload, *, seconds: float = math.inf) -> None:
    """Carry an upload on, to its end or for so many seconds."""
    until = time.monotonic() + seconds
    run, tries = upload.imported, upload.state == State.TRYING
    actor = Actor.of_member(run.imported_by) if run.imported_by else Actor.system()
    rows = read_calls(BytesIO(bytes(upload.content)), named=run.format, clock=clock_of(upload.time_zone))
    done = run.rows
    try:
        require(actor, run.organization, Capability.MANAGE_VOICE)
        for portion in batched(islice(rows, done, None), CHUNK, strict=False):
            make_room(calls_in(portion))
            if not (_try if tries else _import)(upload, actor, portion, behind=done):
                return
            done += len(portion)
            kill_point("calls.after_portion")
            if time.monotonic() > until:
                return
    except Problem as problem:
        _end(upload, actor, UnreadRow(0, "", str(problem), problem.code, problem.facts))
    except (DomainError, PermissionDenied):
        _end(upload, actor, UnreadRow(0, "", "", "call_import_stopped", {}))
    else:
        _end(upload, actor)


def advance_at_once(upload: CallUpload) -> None:
    """Carry a small upload to its end; whoever looks at a large one sees a worker's progress."""
    if len(upload.content) <= BYTES_AT_ONCE:
        advance_upload(upload)


@transaction.atomic(durable=True)
def _import(upload: CallUpload, actor: Actor, rows: Sequence[FeedRow], *, behind: int) -> bool:
    run = upload.imported
    feed(actor=actor, organization=run.organization, rows=rows, source=run.source, run=run)
    taken = _moves_on(upload, behind + len(rows))
    transaction.set_rollback(not taken)
    return taken


def _try(upload: CallUpload, actor: Actor, rows: Sequence[FeedRow], *, behind: int) -> bool:
    return _note_tried(upload, _tried(upload, actor, rows), behind + len(rows))


@transaction.atomic(durable=True)
def _tried(upload: CallUpload, actor: Actor, rows: Sequence[FeedRow]) -> ImportedCalls:
    run = upload.imported
    tried = feed(actor=actor, organization=run.organization, rows=rows, source=run.source, run=None)
    transaction.set_rollback(True)
    return tried


@transaction.atomic(durable=True)
def _note_tried(upload: CallUpload, tried: ImportedCalls, rows: int) -> bool:
    count_fed(upload.imported, tried)
    taken = _moves_on(upload, rows)
    transaction.set_rollback(not taken)
    return taken


def _moves_on(upload: CallUpload, rows: int) -> bool:
    """Whether the import counts so many rows now, and nobody has stopped it; then it was worth an attempt."""
    here = CallUpload.objects.filter(pk=upload.pk, state=upload.state, imported__rows=rows)
    return bool(here.update(attempts=0))


@transaction.atomic(durable=True)
def _end(upload: CallUpload, actor: Actor, *why: UnreadRow) -> None:
    """The file is read to its end, or as far as it can be."""
    here = CallUpload.objects.filter(pk=upload.pk, state=upload.state)
    run = upload.imported
    if why:
        count_fed(run, ImportedCalls(errors=list(why)))
    if upload.state == State.TRYING:
        here.update(state=State.TRIED, attempts=0)
    elif here.delete()[0]:
        finish_import(actor=actor, run=run)
        logger.info("Imported calls.", extra={"count": run.added})


def advance_uploads() -> int:
    """Carry on what waits, each for a while and none to the harm of the others; gives how many were tried."""
    end, tried = time.monotonic() + SHIFT, 0
    waiting = CallUpload.objects.filter(state__in=OPEN, attempts__lt=MOST_ATTEMPTS).order_by("?")
    for key in waiting.values_list("pk", flat=True)[:20]:
        left = end - time.monotonic()
        if left <= 0:
            break
        if _begin(key):
            tried += 1
            _attempt(key, seconds=min(TURN, left))
    return tried


@transaction.atomic(durable=True)
def _begin(key: int) -> bool:
    """Count an attempt before the work: what nobody survives is left to people."""
    waiting = CallUpload.objects.filter(pk=key, state__in=OPEN, attempts__lt=MOST_ATTEMPTS)
    return bool(waiting.update(attempts=F("attempts") + 1))


@transaction.atomic(durable=True)
def _take_back(key: int) -> None:
    CallUpload.objects.filter(pk=key).update(attempts=Greatest(F("attempts") - 1, Value(0)))


def _attempt(key: int, *, seconds: float) -> None:
    upload = CallUpload.objects.select_related("imported__organization", "imported__imported_by__user").get(pk=key)
    try:
        advance_upload(upload, seconds=seconds)
    except Exception as error:
        logger.exception("The import of calls %d did not go on.", upload.imported_id)
        if not is_to_blame(error):
            _take_back(key)
        return
    _take_back(key)
    if CallUpload.objects.filter(pk=key, state__in=OPEN).exists():
        wake(TASK)


@transaction.atomic(durable=True)
def forget_tried() -> int:
    """Forget the files that were tried and that nobody imported for a day; gives how many."""
    tried = CallUpload.objects.filter(state=State.TRIED, uploaded_at__lt=DatabaseClock() - KEPT)
    return CallImport.objects.filter(pk__in=tried.values("imported")).delete()[1].get("telephony.CallUpload", 0)


@shared_task(name=TASK)
def advance_uploads_task() -> None:
    advance_uploads()
