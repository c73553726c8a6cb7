"""The work behind a run over many members: slice by slice, each in a transaction of its own, safe to repeat anywhere.

A slice is carried out and noted together or not at all, so whoever comes next goes on behind the last one.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence

from django.core.exceptions import PermissionDenied
from django.db import transaction

from members.access import Actor, require
from members.audit import Action, record
from members.batches import SLICE, BatchKind, Ending, Portion, actor_of, kind_of, note_progress, progress_of
from members.errors import RunImpossible
from members.locks import take_time, take_turn
from members.models import Batch, BatchRow, BatchSlice
from members.tallies import fold_tallies
from skypemgr.clock import DatabaseClock
from skypemgr.errors import DomainError
from skypemgr.kill_points import kill_point

State, Outcome = Batch.State, BatchRow.Outcome


def advance_run(batch: Batch, *, seconds: float = math.inf) -> None:
    """Carry a run on until it has ended, somebody else has it in hand, or ``seconds`` have passed."""
    until = time.monotonic() + seconds
    while apply_slice(batch=batch) and time.monotonic() < until:
        kill_point("runs.after_slice")


@transaction.atomic(durable=True)
def apply_slice(*, batch: Batch) -> bool:
    """Carry out the next slice of a run; False when there is nothing to do here, or somebody else does it."""
    if not take_turn("batch", batch.pk):
        return False
    take_time()
    running = Batch.objects.select_related("organization", "started_by__user").filter(state=State.RUNNING)
    held = running.filter(pk=batch.pk).first()
    if held is None:
        return False
    part = held.slices.filter(changed=None).order_by("number").first()
    actor, kind = actor_of(held), kind_of(held)
    try:
        if part is None:
            _finish(kind, held, actor)
            return False
        # Asked each time: whoever started it may have lost the right to, and then it goes no further.
        require(actor, held.organization, kind.capability)
        portion = Portion(organization=held.organization, actor=actor, facts=held.facts, keys=part.members)
        untouched, failed = _carried_out(kind, portion)
    except (PermissionDenied, RunImpossible) as refusal:
        held.facts["stopped"] = type(refusal).__name__
        _end(held, Actor.system(), State.CANCELED, Action.RUN_CANCELED)
        return False
    _note(held, part, untouched, failed)
    note_progress(held)
    kill_point("runs.before_slice_commit")
    return True


def _carried_out(kind: BatchKind, portion: Portion) -> tuple[dict[int, str], dict[int, str]]:
    """Who was left alone and why, and who was refused and why; everybody else was changed."""
    try:
        return dict(_apply(kind, portion)), {}
    except RunImpossible:
        raise
    except DomainError:
        # For one of them, so the others are tried without.
        pass
    untouched: dict[int, str] = {}
    failed: dict[int, str] = {}
    for key in portion.keys:
        alone = Portion(organization=portion.organization, actor=portion.actor, facts=portion.facts, keys=[key])
        try:
            untouched |= _apply(kind, alone)
        except DomainError as refusal:
            failed[key] = type(refusal).__name__
    return untouched, failed


def _apply(kind: BatchKind, portion: Portion) -> Mapping[int, str]:
    return _whole_or_not(lambda: kind.apply(portion))


def _whole_or_not[T](work: Callable[[], T]) -> T:
    """Do something of which nothing stands when a rule refuses it, and the transaction goes on."""
    place = transaction.savepoint_create()
    try:
        return work()
    except DomainError:
        transaction.set_rollback(False)
        transaction.savepoint_rollback(place)
        raise


def _finish(kind: BatchKind, batch: Batch, actor: Actor) -> None:
    if finish := kind.finish:
        require(actor, batch.organization, kind.capability)
        # Whoever stops it now waits for this, or this finds it stopped.
        if not Batch.objects.select_for_update(no_key=True).filter(pk=batch.pk, state=State.RUNNING).exists():
            return
        ending = Ending(
            organization=batch.organization, actor=actor, facts=batch.facts, changed=progress_of(batch).changed
        )
        _whole_or_not(lambda: finish(ending))
    _end(batch, actor, State.DONE, Action.RUN_FINISHED)


def _note(batch: Batch, part: BatchSlice, untouched: Mapping[int, str], failed: Mapping[int, str]) -> None:
    BatchRow.objects.bulk_create(
        BatchRow(
            organization=batch.organization,
            batch=batch,
            number=part.number * SLICE + place,
            member_id=key,
            outcome=Outcome.FAILED if key in failed else Outcome.SKIPPED if key in untouched else Outcome.DONE,
            problems=_entries(failed, key),
            notes=_entries(untouched, key),
        )
        for place, key in enumerate(part.members, 1)
    )
    part.untouched, part.failed = len(untouched), len(failed)
    part.changed = len(part.members) - part.untouched - part.failed
    part.save(update_fields=["changed", "untouched", "failed"])


def _entries(reasons: Mapping[int, str], key: int) -> Sequence[Mapping[str, object]]:
    return [{"field": None, "code": reasons[key], "facts": {}}] if key in reasons else []


def _end(batch: Batch, actor: Actor, state: Batch.State, action: Action) -> None:
    running = Batch.objects.filter(pk=batch.pk, state=State.RUNNING)
    if not running.update(state=state, finished_at=DatabaseClock(), facts=batch.facts):
        # Somebody stopped it at this moment.
        return
    record(
        organization=batch.organization,
        actor=actor,
        action=action,
        subject=batch,
        after={"run": batch.kind, "people": progress_of(batch).changed},
    )
    fold_tallies(organization_id=batch.organization_id)
