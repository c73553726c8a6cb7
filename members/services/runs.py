"""Runs over many members: started from a selection that is kept as it is confirmed, and stopped.

``run_work`` carries them out.
"""

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction

from members.access import Actor, Capability, require
from members.audit import Action, record
from members.batches import Chosen, find_kind, kind_of, progress_of
from members.errors import BatchNotOpen
from members.models import Batch, Organization
from members.operations import claim, settle
from members.runs import begin_run
from skypemgr.clock import DatabaseClock

State = Batch.State


@transaction.atomic(durable=True)
def start_run(
    *,
    actor: Actor,
    organization: Organization,
    kind: str,
    members: Chosen,
    expected: int,
    key: UUID,
    facts: Mapping[str, object],
) -> Batch:
    """Begin to do something to all of ``members``, or invitations, kept as they are chosen now; a worker does it.

    ``kind`` is that of a BatchKind, ``facts`` what it needs to know. The same key gives the same run. Raises
    SelectionChanged when they are not the ``expected`` number any more.
    """
    require(actor, organization, Capability.OPEN_CONSOLE)
    require(actor, organization, find_kind(kind).capability)
    asked: dict[str, object] = {"kind": kind, "expected": expected, **facts}
    if earlier := claim(organization=organization, name="start_run", key=key, facts=asked):
        return Batch.objects.get(organization=organization, pk=earlier.result["batch"])
    batch = begin_run(
        actor=actor, organization=organization, kind=kind, members=members, expected=expected, facts=facts
    )
    settle(organization=organization, name="start_run", key=key, result={"batch": batch.pk})
    return batch


@transaction.atomic(durable=True)
def cancel_run(*, actor: Actor, organization: Organization, batch: Batch) -> None:
    """Stop a run: what is done stays done, the others are left alone. Raises BatchNotOpen when it has ended."""
    require(actor, organization, Capability.OPEN_CONSOLE)
    require(actor, organization, kind_of(batch).capability)
    stopped = Batch.objects.filter(organization=organization, pk=batch.pk, state=State.RUNNING).update(
        state=State.CANCELED, finished_at=DatabaseClock()
    )
    if not stopped:
        raise BatchNotOpen
    record(
        organization=organization,
        actor=actor,
        action=Action.RUN_CANCELED,
        subject=batch,
        after={"run": batch.kind, "people": progress_of(batch).changed},
    )
