"""The work behind an import: its file read into rows, its rows made into accounts. Safe to repeat, anywhere.

The rows are the memory: whoever comes next goes on where the one before stopped, and two never do the same.
"""

import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import batched
from typing import BinaryIO

from celery import shared_task
from django.db import DataError, IntegrityError, OperationalError, transaction
from django.db.models import F, QuerySet, TextField, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce
from django.utils import timezone
from psycopg import errors

from members import directory
from members.access import Actor
from members.audit import Action, record
from members.batch_files import PiecesGone, open_file, size_of_file
from members.batches import actor_of, is_run, note_progress
from members.departments import find_or_add_departments, hold_departments
from members.importing import Draft, Outcome, check_drafts, names_in_use
from members.locks import take_time, take_turn
from members.models import Batch, BatchPiece, BatchRow, Department, Organization
from members.models.batches import OPEN_STATES
from members.names import NameAllocator
from members.newcomers import Newcomer, add_business_members
from members.selectors.batches import count_rows
from members.services.batch_attempts import begin_attempt, end_attempt, give_up_batches
from members.services.run_work import advance_run
from members.skype_names import taken_skype_names
from skypemgr.database.blame import is_to_blame
from skypemgr.kill_points import kill_point
from skypemgr.many_rows import check_references, insert_rows, update_rows
from skypemgr.problems import Problem

logger = logging.getLogger(__name__)

READ_CHUNK = 2_000
CREATE_CHUNK = 5_000
# What is made, and what is read, before a page is sent; more is left to a worker.
AT_ONCE = 100
READ_AT_ONCE = 5_000
BYTES_AT_ONCE = 256 * 1024
# A task works on one batch for so many seconds, and on all of them for so many: well below its time limit.
TURN, SHIFT = 20.0, 50.0
TRIES = 3
State = Batch.State


def nothing() -> None:
    """What is told after a chunk when nobody listens."""


# Reading


def read_rows(batch: Batch, *, until: float = math.inf, tell: Callable[[], None] = nothing) -> None:
    """Read the file of a batch into rows, chunk by chunk; a reader that died is continued from its last row.

    Stops after the chunk in which the monotonic clock passes ``until``; calls ``tell`` after each.
    """
    file = open_file(batch)
    done = _being_read(batch).values_list("total", flat=True).first()
    if file is None or done is None:
        return
    ready = batch.rows.filter(outcome=Outcome.READY).order_by("-number")
    chosen = batch.rows.filter(outcome__in=[Outcome.READY, Outcome.PROBLEM])
    allocator = NameAllocator(taken_skype_names, given=filter(None, chosen.values_list("data__skype_name", flat=True)))
    seen = dict(ready.values_list("match_key", "number"))
    try:
        for drafts in batched(_drafts(file, encoding=_read_as(batch), after=done), READ_CHUNK, strict=False):
            if not store_rows(batch=batch, drafts=drafts, after=done, allocator=allocator, seen=seen):
                return
            done += len(drafts)
            kill_point("imports.after_rows")
            tell()
            if time.monotonic() > until:
                return
    except PiecesGone:
        return
    except Problem as problem:
        refuse_import(batch=batch, code=problem.code, facts=problem.facts)
        return
    finish_reading(batch=batch, total=done)


def _being_read(batch: Batch) -> QuerySet[Batch]:
    """``batch`` while it is read, in the encoding that its reader knows of: somebody may have chosen another since."""
    reading = Batch.objects.annotate(read_as=Coalesce(KT("facts__read_as"), Value("", TextField())))
    return reading.filter(pk=batch.pk, state=State.READING, read_as=_read_as(batch))


def _read_as(batch: Batch) -> str:
    encoding: str = batch.facts.get("read_as", "")
    return encoding


def _drafts(file: BinaryIO, *, encoding: str, after: int) -> Iterator[Draft]:
    for row in directory.open_directory(file, encoding=encoding or None).rows():
        if row.number <= after:
            continue
        yield Draft(
            number=row.number,
            email=row.values["email"],
            skype_name=row.values["skype_name"],
            first_name=row.values["first_name"],
            last_name=row.values["last_name"],
            job_title=row.values["job_title"],
            department=row.values["department"],
            language=row.values["language"],
            problems=[{"field": None, **problem} for problem in row.problems],
            notes=[{"field": None, **note} for note in row.notes],
        )


@transaction.atomic(durable=True)
def store_rows(
    *, batch: Batch, drafts: Sequence[Draft], after: int, allocator: NameAllocator, seen: dict[str, int]
) -> bool:
    """Check and store the next rows; False when somebody else reads this batch, or nobody should any more."""
    take_time()
    here = _being_read(batch).filter(total=after)
    if not take_turn("batch", batch.pk) or not here.exists():
        return False
    insert_rows(
        check_drafts(organization=batch.organization, batch=batch, drafts=drafts, allocator=allocator, seen=seen)
    )
    check_references()
    # Stopped meanwhile, which waits for nobody: then these rows are not read.
    stays = bool(here.update(total=F("total") + len(drafts)))
    note_progress(batch)
    if not stays:
        transaction.set_rollback(True)
    kill_point("imports.before_rows_commit")
    return stays


@transaction.atomic(durable=True)
def finish_reading(*, batch: Batch, total: int) -> None:
    """The rows stand, and the review can begin.

    The file goes, unless its encoding was only guessed or chosen: then it may have to be read again.
    """
    read = _being_read(batch).filter(total=total).update(state=State.DRAFT)
    if read and batch.facts.get("certain", True) and not _read_as(batch):
        BatchPiece.objects.filter(batch=batch).delete()


@transaction.atomic(durable=True)
def refuse_import(*, batch: Batch, code: str, facts: Mapping[str, object]) -> None:
    """Give up reading a file, and remember why: one of ``members.row_texts.TEXTS``."""
    refused = _being_read(batch).update(
        state=State.REFUSED,
        facts={**batch.facts, "refusal": code, "refusal_facts": dict(facts)},
        finished_at=timezone.now(),
        total=0,
    )
    if refused:
        BatchPiece.objects.filter(batch=batch).delete()
        BatchRow.objects.filter(batch=batch).delete()


# Both


def advance(
    batch: Batch, *, chunks: float = math.inf, seconds: float = math.inf, tell: Callable[[], None] = nothing
) -> None:
    """Carry a batch on: read it, or make accounts until it is done, at most so many ``chunks`` or ``seconds``.

    ``tell`` is called after each chunk. What collides with somebody else is looked at again, in ever smaller
    chunks; a row that can't be made even alone has failed. A database that is too busy is left for another time.
    """
    until = time.monotonic() + seconds
    if batch.state == State.READING:
        try:
            read_rows(batch, until=until, tell=tell)
        except OperationalError as error:
            # What was read stays, and the next one goes on behind it.
            if not _may_pass(error):
                raise
        return
    size, failures, done = CREATE_CHUNK, 0, 0
    while done < chunks and time.monotonic() < until:
        try:
            prepare_departments(batch=batch, size=size)
            if not create_chunk(batch=batch, size=size):
                return
        except (IntegrityError, DataError, OperationalError) as error:
            failures += 1
            if not _may_pass(error):
                raise
            if failures < TRIES:
                continue
            if size > 1:
                failures, size = 0, max(size // 8, 1)
                continue
            if isinstance(error, OperationalError):
                return
            fail_first_row(batch=batch)
        failures, done, size = 0, done + 1, min(size * 8, CREATE_CHUNK)
        kill_point("imports.after_chunk")
        tell()


def _may_pass(error: Exception) -> bool:
    # A broken connection does not mend by asking again; a deadlock, a lock and a timeout may.
    busy = (errors.DeadlockDetected, errors.SerializationFailure, errors.LockNotAvailable, errors.QueryCanceled)
    return not isinstance(error, OperationalError) or isinstance(error.__cause__, busy)


def advance_at_once(batch: Batch) -> None:
    """Carry a started batch to its end if it is small; whoever looks at a large one sees a worker's progress."""
    if len(batch.rows.filter(outcome=Outcome.READY)[: AT_ONCE + 1]) <= AT_ONCE:
        advance(batch, chunks=1)


def read_at_once(batch: Batch) -> None:
    """Read the file of a batch to its end if it is small; whoever looks at a large one sees a worker's progress."""
    if batch.facts["rows"] <= READ_AT_ONCE and size_of_file(batch) <= BYTES_AT_ONCE:
        advance(batch)


def advance_to_the_end(batch: Batch, *, tell: Callable[[], None] = nothing) -> None:
    """Carry a batch on until it is read or done, with whoever else works on it; for commands, which wait."""
    batch.refresh_from_db()
    while batch.is_open:
        advance(batch, tell=tell)
        batch.refresh_from_db()
        if batch.is_open:
            # A worker has it in hand, or has died with it: look again before long.
            tell()
            time.sleep(0.2)


# Creating


@transaction.atomic(durable=True)
def prepare_departments(*, batch: Batch, size: int) -> None:
    """Make the departments that the next rows need, since that locks the organization and must not take long."""
    if not take_turn("batch", batch.pk):
        return
    if held := _running(batch):
        _departments(held, _next_rows(held, size).values_list("data__department", flat=True))


@transaction.atomic(durable=True)
def create_chunk(*, batch: Batch, size: int) -> bool:
    """Make the accounts of the next rows; False when there is nothing to do here, or somebody else does it."""
    take_time()
    if not take_turn("batch", batch.pk):
        return False
    held = _running(batch)
    if held is None:
        return False
    organization, actor = held.organization, actor_of(held)
    rows = list(_next_rows(held, size))
    ready = _check_for_creation(held, organization, rows)
    departments = _departments(held, [row.data["department"] for row in ready])
    hold_departments(departments.values())
    members = add_business_members(
        organization=organization,
        actor=actor,
        letters=held.facts.get("letters", True),
        newcomers=[
            Newcomer(
                email=row.data["email"],
                skype_name=row.data["skype_name"],
                first_name=row.data["first_name"],
                last_name=row.data["last_name"],
                job_title=row.data["job_title"],
                department=departments.get(row.data["department"]),
                language=row.data["language"],
                password=row.data["password"],
            )
            for row in ready
        ],
    )
    for row, member in zip(ready, members, strict=True):
        row.member, row.outcome = member, Outcome.DONE
        # The hash is in the account now; a copy would be one more thing to lose.
        row.data["password"] = ""
    update_rows(rows, ["outcome", "data", "problems", "notes", "member"])
    check_references()
    # Only now, for a moment: whoever stops the batch never waits for a chunk, and then nobody of it is made.
    if Batch.objects.select_for_update(no_key=True).filter(pk=held.pk, state=State.RUNNING).first() is None:
        transaction.set_rollback(True)
        return False
    note_progress(held)
    if len(rows) < size:
        _finish(held, organization, actor)
    kill_point("imports.before_chunk_commit")
    return len(rows) == size


def _running(batch: Batch) -> Batch | None:
    running = Batch.objects.select_related("organization", "started_by__user")
    return running.filter(pk=batch.pk, state=State.RUNNING).first()


def _next_rows(batch: Batch, size: int) -> QuerySet[BatchRow]:
    return batch.rows.filter(outcome=Outcome.READY).order_by("number")[:size]


def _departments(batch: Batch, paths: Iterable[str]) -> Mapping[str, Department]:
    return find_or_add_departments(
        organization=batch.organization, actor=actor_of(batch), paths={path for path in paths if path}
    )


def _check_for_creation(batch: Batch, organization: Organization, rows: list[BatchRow]) -> list[BatchRow]:
    """Check rows against what others did since the review; changes them in place, gives those to be created."""
    checked = check_drafts(
        organization=organization,
        batch=batch,
        drafts=[Draft.of_row(row) for row in rows],
        # A name that is chosen anew must not be one that a later row was shown with.
        allocator=NameAllocator(names_in_use(batch.rows.filter(number__gt=rows[-1].number if rows else 0))),
        seen={},
    )
    for row, fresh in zip(rows, checked, strict=True):
        if fresh.outcome == Outcome.SKIPPED:
            row.notes = fresh.notes
        elif fresh.data["skype_name"] != row.data["skype_name"]:
            row.notes = [*row.notes, *(note for note in fresh.notes if note["code"] == "skype_name_numbered")]
        row.data, row.problems = fresh.data, fresh.problems
        row.outcome = Outcome.FAILED if fresh.outcome == Outcome.PROBLEM else fresh.outcome
    return [row for row in rows if row.outcome == Outcome.READY]


def _finish(batch: Batch, organization: Organization, actor: Actor) -> None:
    counts = count_rows(batch)
    batch.state, batch.finished_at = State.DONE, timezone.now()
    batch.facts["created"] = counts.done
    batch.save(update_fields=["state", "finished_at", "facts"])
    record(
        organization=organization,
        actor=actor,
        action=Action.BATCH_FINISHED,
        subject=batch,
        after={"created": counts.done, "failed": counts.failed},
    )


@transaction.atomic(durable=True)
def fail_first_row(*, batch: Batch) -> None:
    """Put aside the row that could not be carried out however often it was tried."""
    if not take_turn("batch", batch.pk):
        return
    row = _running(batch) and batch.rows.filter(outcome=Outcome.READY).order_by("number").first()
    if row:
        row.outcome = Outcome.FAILED
        row.problems = [{"field": None, "code": "conflict", "facts": {}}]
        row.save(update_fields=["outcome", "problems"])


@shared_task(name="members.advance_batches")
def advance_batches_task() -> None:
    end = time.monotonic() + SHIFT
    give_up_batches()
    # In any order, so that none waits behind those that take long.
    for batch in Batch.objects.filter(state__in=OPEN_STATES, given_up_at=None).order_by("?")[:20]:
        left = end - time.monotonic()
        if left <= 0:
            return
        if begin_attempt(batch=batch):
            _attempt(batch, seconds=min(TURN, left))


def _attempt(batch: Batch, *, seconds: float) -> None:
    try:
        (advance_run if is_run(batch) else advance)(batch, seconds=seconds)
    except Exception as error:
        logger.exception("Batch %d did not go on.", batch.pk)
        if is_to_blame(error):
            return
    end_attempt(batch=batch)
