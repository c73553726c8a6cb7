"""The work behind an import: its file read into rows, its rows made into accounts. Safe to repeat, anywhere.

The rows are the memory: whoever comes next goes on where the one before stopped, and two never do the same.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from itertools import batched

from celery import shared_task
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from members import directory
from members.access import Actor
from members.audit import Action, record
from members.departments import find_or_add_departments
from members.importing import Draft, Outcome, check_drafts, names_in_use
from members.models import Batch, BatchContent, BatchRow, Organization
from members.names import NameAllocator
from members.newcomers import Newcomer, add_business_members
from members.skype_names import taken_skype_names
from skypemgr.kill_points import kill_point
from skypemgr.problems import Problem

READ_CHUNK = 1_000
CREATE_CHUNK = 500
TURN = 20.0
State = Batch.State


def read_rows(batch: Batch, *, until: float = math.inf) -> None:
    """Read the file of a batch into rows, a thousand at a time; a reader that died is continued from its last row.

    Stops after the chunk in which the monotonic clock passes ``until``.
    """
    content = BatchContent.objects.filter(batch=batch).values_list("content", flat=True).first()
    if content is None:
        return
    done = batch.rows.count()
    allocator = NameAllocator(names_in_use(batch) if done else taken_skype_names)
    seen = dict(batch.rows.filter(outcome=Outcome.READY).order_by("-number").values_list("match_key", "number"))
    try:
        for drafts in batched(_drafts(bytes(content), after=done), READ_CHUNK, strict=False):
            if not store_rows(batch=batch, drafts=drafts, after=done, allocator=allocator, seen=seen):
                return
            done += len(drafts)
            kill_point("imports.after_rows")
            if time.monotonic() > until:
                return
    except Problem as problem:
        refuse_import(batch=batch, code=problem.code, facts=problem.facts)
        return
    finish_reading(batch=batch)


def _drafts(content: bytes, *, after: int) -> Iterator[Draft]:
    for row in directory.open_directory(BytesIO(content)).rows():
        if row.number <= after:
            continue
        yield Draft(
            number=row.number,
            email=row.values["email"],
            skype_name=row.values["skype_name"],
            first_name=row.values["first_name"],
            last_name=row.values["last_name"],
            department=row.values["department"],
            problems=[{"field": None, **problem} for problem in row.problems],
            notes=[{"field": None, **note} for note in row.notes],
        )


@transaction.atomic(durable=True)
def store_rows(
    *, batch: Batch, drafts: Sequence[Draft], after: int, allocator: NameAllocator, seen: dict[str, int]
) -> bool:
    """Check and store the next rows; False when somebody else reads this batch, or nobody should any more."""
    _take_time()
    held = Batch.objects.select_for_update(skip_locked=True).filter(pk=batch.pk, state=State.READING).first()
    if held is None or held.total != after:
        return False
    rows = check_drafts(organization=batch.organization, batch=batch, drafts=drafts, allocator=allocator, seen=seen)
    BatchRow.objects.bulk_create(rows, batch_size=READ_CHUNK)
    Batch.objects.filter(pk=batch.pk).update(total=F("total") + len(rows))
    kill_point("imports.before_rows_commit")
    return True


@transaction.atomic(durable=True)
def finish_reading(*, batch: Batch) -> None:
    """The rows stand: the file is no longer needed, and the review can begin."""
    if Batch.objects.filter(pk=batch.pk, state=State.READING).update(state=State.DRAFT):
        BatchContent.objects.filter(batch=batch).delete()


@transaction.atomic(durable=True)
def refuse_import(*, batch: Batch, code: str, facts: Mapping[str, object]) -> None:
    """Give up reading a file, and remember why: one of ``members.row_texts.TEXTS``."""
    BatchContent.objects.filter(batch=batch).delete()
    BatchRow.objects.filter(batch=batch).delete()
    Batch.objects.filter(pk=batch.pk, state=State.READING).update(
        state=State.REFUSED,
        facts={**batch.facts, "refusal": code, "refusal_facts": dict(facts)},
        finished_at=timezone.now(),
        total=0,
    )


def advance(batch: Batch, *, chunks: float = math.inf, seconds: float = math.inf) -> None:
    """Carry a batch on: read it, or make accounts until it is done, at most ``chunks`` of 500 rows or ``seconds``."""
    until = time.monotonic() + seconds
    if batch.state == State.READING:
        read_rows(batch, until=until)
        return
    size, failures, done = CREATE_CHUNK, 0, 0
    while done < chunks and time.monotonic() < until:
        try:
            if not create_chunk(batch=batch, size=size):
                return
        except IntegrityError:
            # A name or an address was taken while we worked: look again, in the end one row at a time.
            failures += 1
            if failures <= 3:
                continue
            if size > 1:
                size = 1
                continue
            fail_first_row(batch=batch)
        failures, done = 0, done + 1
        kill_point("imports.after_chunk")


def advance_to_the_end(batch: Batch) -> None:
    """Carry a batch on until it is read or done, with whoever else works on it; for commands, which wait."""
    batch.refresh_from_db()
    while batch.state in (State.READING, State.RUNNING):
        advance(batch)
        batch.refresh_from_db()
        if batch.state in (State.READING, State.RUNNING):
            # A worker has it in hand, or has died with it: look again before long.
            time.sleep(0.2)


@transaction.atomic(durable=True)
def create_chunk(*, batch: Batch, size: int) -> bool:
    """Make the accounts of the next rows; False when there is nothing to do here, or somebody else does it."""
    _take_time()
    held = (
        Batch.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=batch.pk, state=State.RUNNING).first()
    )
    if held is None:
        return False
    organization = held.organization
    actor = Actor.of_member(held.started_by) if held.started_by else Actor.system()
    rows = list(held.rows.filter(outcome=Outcome.READY).order_by("number")[:size])
    ready = _check_for_creation(held, organization, rows)
    departments = find_or_add_departments(
        organization=organization,
        actor=actor,
        paths=[row.data["department"] for row in ready if row.data["department"]],
    )
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
                department=departments.get(row.data["department"]),
                password=row.data["password"],
            )
            for row in ready
        ],
    )
    for row, member in zip(ready, members, strict=True):
        row.member, row.outcome = member, Outcome.DONE
        # The hash is in the account now; a copy would be one more thing to lose.
        row.data["password"] = ""
    # One statement for the chunk; bulk_update would write a CASE with a branch per row and field.
    BatchRow.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["outcome", "data", "problems", "notes", "member"],
    )
    if len(rows) < size:
        _finish(held, organization, actor)
    kill_point("imports.before_chunk_commit")
    return len(rows) == size


def _check_for_creation(batch: Batch, organization: Organization, rows: list[BatchRow]) -> list[BatchRow]:
    """Check rows against what others did since the review; changes them in place, gives those to be created."""
    checked = check_drafts(
        organization=organization,
        batch=batch,
        drafts=[Draft.of_row(row) for row in rows],
        allocator=NameAllocator(taken_skype_names),
        seen={},
    )
    for row, fresh in zip(rows, checked, strict=True):
        row.data, row.problems = fresh.data, fresh.problems
        row.notes = fresh.notes if fresh.outcome == Outcome.SKIPPED else row.notes
        row.outcome = Outcome.FAILED if fresh.outcome == Outcome.PROBLEM else fresh.outcome
    return [row for row in rows if row.outcome == Outcome.READY]


def _finish(batch: Batch, organization: Organization, actor: Actor) -> None:
    batch.state, batch.finished_at = State.DONE, timezone.now()
    batch.save(update_fields=["state", "finished_at"])
    outcomes = batch.rows.values_list("outcome", flat=True)
    record(
        organization=organization,
        actor=actor,
        action=Action.BATCH_FINISHED,
        subject=batch,
        after={
            "created": outcomes.filter(outcome=Outcome.DONE).count(),
            "failed": outcomes.filter(outcome=Outcome.FAILED).count(),
        },
    )


@transaction.atomic(durable=True)
def fail_first_row(*, batch: Batch) -> None:
    """Put aside the row that could not be carried out however often it was tried."""
    row = batch.rows.filter(outcome=Outcome.READY).order_by("number").first()
    if row is not None:
        row.outcome = Outcome.FAILED
        row.problems = [{"field": None, "code": "conflict", "facts": {}}]
        row.save(update_fields=["outcome", "problems"])


def _take_time() -> None:
    # A batch may take longer than a page; the setting ends with the transaction.
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '60s'")


@shared_task(name="members.advance_batches")
def advance_batches_task() -> None:
    for batch in Batch.objects.filter(state__in=[State.READING, State.RUNNING]).order_by("pk")[:20]:
        # Well below the time limit of a task: the next tick goes on, and the batches behind get their turn.
        advance(batch, seconds=TURN)
