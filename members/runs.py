"""A run over many members in the making: its members kept, what came of each noted, its end."""

import json
from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import connection, transaction

from members import batches
from members.access import Actor
from members.audit import Action, record
from members.batches import Chosen, freeze, progress_of
from members.errors import SelectionChanged
from members.locks import take_time
from members.models import Batch, BatchRow, BatchSlice, Organization
from members.operations import claim, settle
from members.tallies import fold_tallies
from skypemgr.background import wake
from skypemgr.clock import DatabaseClock
from skypemgr.many_rows import update_rows

State, Outcome = Batch.State, BatchRow.Outcome
# A row for each member, or invitation, of some slices.
_NOTE = """
    INSERT INTO members_batchrow
        (organization_id, batch_id, number, data, outcome, problems, notes, match_key, member_id, invitation_id)
    SELECT %(organization)s, %(batch)s, part.number * %(slice)s + chosen.place, '{}',
        CASE WHEN failed.code IS NOT NULL THEN 'failed' WHEN untouched.code IS NOT NULL THEN 'skipped' ELSE 'done' END,
        CASE WHEN failed.code IS NULL THEN '[]' ELSE jsonb_build_array(jsonb_build_object(
            'field', NULL, 'code', failed.code, 'facts', '{}'::jsonb)) END,
        CASE WHEN untouched.code IS NULL THEN '[]' ELSE jsonb_build_array(jsonb_build_object(
            'field', NULL, 'code', untouched.code, 'facts', '{}'::jsonb)) END,
        '', CASE WHEN %(invitations)s THEN invitation.member_id ELSE chosen.id END,
        CASE WHEN %(invitations)s THEN chosen.id END
    FROM members_batchslice part
    CROSS JOIN unnest(part.members) WITH ORDINALITY AS chosen (id, place)
    LEFT JOIN members_invitation invitation ON %(invitations)s AND invitation.id = chosen.id
    LEFT JOIN jsonb_each_text(%(failed)s::jsonb) AS failed (id, code) ON failed.id = chosen.id::text
    LEFT JOIN jsonb_each_text(%(untouched)s::jsonb) AS untouched (id, code) ON untouched.id = chosen.id::text
    WHERE part.batch_id = %(batch)s AND part.number = ANY (%(parts)s)
"""


@transaction.atomic(savepoint=False)
def begin_run_once(
    *,
    actor: Actor,
    organization: Organization,
    kind: str,
    members: Chosen,
    expected: int,
    facts: Mapping[str, object],
    key: UUID,
) -> Batch:
    """As ``begin_run``; the same key gives the same run. Raises SelectionChanged, KeyReused."""
    asked = {"expected": expected, **facts}
    if earlier := claim(organization=organization, name=kind, key=key, facts=asked):
        return Batch.objects.get(organization=organization, pk=earlier.result["batch"])
    batch = begin_run(
        actor=actor, organization=organization, kind=kind, members=members, expected=expected, facts=facts
    )
    settle(organization=organization, name=kind, key=key, result={"batch": batch.pk})
    return batch


@transaction.atomic(savepoint=False)
def begin_run(
    *,
    actor: Actor,
    organization: Organization,
    kind: str,
    members: Chosen,
    expected: int,
    facts: Mapping[str, object],
) -> Batch:
    """A run over ``members``, or invitations, kept as they are chosen now, that workers carry out from the commit on.

    Raises SelectionChanged when they are not the ``expected`` number any more.
    """
    batch = keep_run(
        actor=actor, organization=organization, kind=kind, members=members, facts=facts, state=State.RUNNING
    )
    if batch.total != expected:
        raise SelectionChanged(expected=expected, number=batch.total)
    record(
        organization=organization,
        actor=actor,
        action=Action.RUN_STARTED,
        subject=batch,
        after={"run": kind, "people": batch.total},
    )
    wake("members.advance_batches")
    return batch


@transaction.atomic(savepoint=False)
def keep_run(
    *,
    actor: Actor,
    organization: Organization,
    kind: str,
    members: Chosen,
    facts: Mapping[str, object],
    state: Batch.State,
) -> Batch:
    """A run in ``state`` with its members as they are chosen now, none of them settled."""
    take_time()
    batch = Batch(organization=organization, kind=kind, state=state, started_by=actor.member, facts=dict(facts))
    batch.started_at = DatabaseClock()
    batch.save()
    batch.total = freeze(batch, members.filter(organization=organization))
    batch.save(update_fields=["total"])
    return batch


@transaction.atomic(savepoint=False)
def note_outcome(
    batch: Batch, parts: Sequence[BatchSlice], *, untouched: Mapping[int, str], failed: Mapping[int, str]
) -> None:
    """Note for everybody in some slices what came of it: left alone for a reason, refused, or else changed."""
    if batch.file_name:
        # Its rows came with the file; of such a run all are changed, or nobody is.
        batch.rows.filter(outcome=Outcome.READY).update(outcome=Outcome.DONE)
    else:
        _add_rows(batch, parts, untouched, failed)
    for part in parts:
        part.untouched = sum(key in untouched for key in part.members)
        part.failed = sum(key in failed for key in part.members)
        part.changed = len(part.members) - part.untouched - part.failed
    update_rows(parts, ["changed", "untouched", "failed"])


def _add_rows(
    batch: Batch, parts: Sequence[BatchSlice], untouched: Mapping[int, str], failed: Mapping[int, str]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            _NOTE,
            {
                "organization": batch.organization_id,
                "invitations": batches.kind_of(batch).of_invitations,
                "batch": batch.pk,
                "slice": batches.SLICE,
                "parts": [part.number for part in parts],
                "untouched": json.dumps(dict(untouched)),
                "failed": json.dumps(dict(failed)),
            },
        )


@transaction.atomic(savepoint=False)
def end_run(batch: Batch, *, actor: Actor, state: Batch.State) -> bool:
    """Note that a run is done or was stopped; False when somebody has stopped it at this moment."""
    running = Batch.objects.filter(pk=batch.pk, state=State.RUNNING)
    if not running.update(state=state, finished_at=DatabaseClock(), facts=batch.facts):
        return False
    record(
        organization=batch.organization,
        actor=actor,
        action=Action.RUN_FINISHED if state == State.DONE else Action.RUN_CANCELED,
        subject=batch,
        after={"run": batch.kind, "people": progress_of(batch).changed},
    )
    fold_tallies(organization_id=batch.organization_id)
    return True
