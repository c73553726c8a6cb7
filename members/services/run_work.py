"""The work behind a run over many members: slice by slice, each in a transaction of its own, safe to repeat anywhere.

A slice is carried out and noted together or not at all, so whoever comes next goes on behind the last one.
"""

import math
import time
from collections.abc import Callable, Mapping

from django.core.exceptions import PermissionDenied
from django.db import transaction

from members.access import Actor, require
from members.batches import BatchKind, Ending, Portion, actor_of, kind_of, note_progress, progress_of
from members.errors import RunImpossible
from members.locks import take_time, take_turn
from members.models import Batch
from members.runs import end_run, note_outcome
from skypemgr.errors import DomainError
from skypemgr.kill_points import kill_point

State = Batch.State


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
    kind, actor = kind_of(held), actor_of(held)
    parts = list(held.slices.filter(changed=None).order_by("number")[: None if kind.together else 1])
    try:
        if not parts:
            _finish(kind, held, actor)
            return False
        # Asked each time: whoever started it may have lost the right to, and then it goes no further.
        require(actor, held.organization, kind.capability)
        keys = [key for part in parts for key in part.members]
        portion = Portion(organization=held.organization, actor=actor, batch=held, keys=keys)
        untouched, failed = _carried_out(kind, portion)
    except (PermissionDenied, DomainError) as refusal:
        held.facts["stopped"] = type(refusal).__name__
        held.facts["stopped_facts"] = {name: str(fact) for name, fact in getattr(refusal, "facts", {}).items()}
        end_run(held, actor=Actor.system(), state=State.CANCELED)
        return False
    note_outcome(held, parts, untouched=untouched, failed=failed)
    note_progress(held)
    # What is done together ends with it, or whoever stops it in between would be told what is not so.
    if kind.together and not end_run(held, actor=actor, state=State.DONE):
        transaction.set_rollback(True)
        return False
    kill_point("runs.before_slice_commit")
    return not kind.together


def _carried_out(kind: BatchKind, portion: Portion) -> tuple[dict[int, str], dict[int, str]]:
    """Who was left alone and why, and who was refused and why; everybody else was changed."""
    try:
        return dict(_apply(kind, portion)), {}
    except RunImpossible:
        raise
    except DomainError:
        if kind.together:
            raise
        # For one of them, so the others are tried without.
    untouched: dict[int, str] = {}
    failed: dict[int, str] = {}
    for key in portion.keys:
        alone = Portion(organization=portion.organization, actor=portion.actor, batch=portion.batch, keys=[key])
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
    end_run(batch, actor=actor, state=State.DONE)
