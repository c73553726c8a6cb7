"""Credit by a file of amounts: read for review, then given to everybody in it, or to nobody."""

from io import BytesIO
from typing import BinaryIO
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from credit.allocating import hand_out
from credit.amounts import BY_FILE, check_amounts
from credit.amounts_file import open_amounts
from members.access import Actor, Capability, require
from members.audit import Action, record
from members.batch_files import fingerprint_of
from members.batches import Portion, freeze
from members.choosing import takes_long
from members.errors import BatchNotOpen, RowsNeedCorrection, SameContentAgain
from members.locks import lock_organization, take_time
from members.models import Batch, BatchRow, Member, Organization
from members.operations import claim, settle
from members.runs import note_outcome
from members.selectors.batches import find_applied
from skypemgr.background import wake
from skypemgr.characters import storable
from skypemgr.clock import DatabaseClock
from skypemgr.kill_points import kill_point
from skypemgr.many_rows import insert_rows

State, Outcome = Batch.State, BatchRow.Outcome


@transaction.atomic(durable=True)
def review_amounts(
    *, actor: Actor, organization: Organization, content: bytes | BinaryIO, file_name: str, key: UUID
) -> Batch:
    """Read a file that says who gets how much; nobody gets anything yet. The same key gives the same batch.

    Amounts are read as the active language writes them. Raises UnreadableFile when the file can't be understood,
    SameContentAgain when it was carried out before.
    """
    require(actor, organization, Capability.MANAGE_CREDIT)
    file = BytesIO(content) if isinstance(content, bytes) else content
    fingerprint = fingerprint_of(file)
    if earlier := claim(organization=organization, name=BY_FILE, key=key, facts={"fingerprint": fingerprint}):
        return Batch.objects.get(organization=organization, pk=earlier.result["batch"])
    _refuse_applied(organization, fingerprint)
    read = open_amounts(file, limit_rows=settings.IMPORT_ROW_LIMIT)
    take_time()
    batch = Batch.objects.create(
        organization=organization,
        kind=BY_FILE,
        state=State.DRAFT,
        started_by=actor.member,
        file_name=storable(file_name)[:200] or "amounts.csv",
        fingerprint=fingerprint,
        facts={**read.csv.reading.as_json(), "currency": organization.currency, "key": str(key), "each": True},
        total=read.csv.reading.rows,
    )
    insert_rows(check_amounts(organization, batch, list(read.rows())))
    settle(organization=organization, name=BY_FILE, key=key, result={"batch": batch.pk})
    return batch


@transaction.atomic(durable=True)
def allocate_amounts(*, actor: Actor, organization: Organization, batch: Batch) -> Batch:
    """Give everybody in a reviewed file what it says: at once, or behind the pages when they are many.

    A second click finds it begun and changes nothing. Raises RowsNeedCorrection, SameContentAgain, BatchNotOpen,
    InsufficientCredit, HasLeft.
    """
    require(actor, organization, Capability.MANAGE_CREDIT)
    # One at a time: two drafts of one file could each find that the other was not carried out yet.
    lock_organization(organization)
    held = _lock_review(organization, batch)
    if held.state in (State.RUNNING, State.DONE):
        return held
    if held.state != State.DRAFT:
        raise BatchNotOpen
    _refuse_applied(organization, held.fingerprint)
    if wrong := held.rows.filter(outcome=Outcome.PROBLEM).count():
        raise RowsNeedCorrection(count=wrong)
    take_time()
    held.state, held.started_by, held.started_at = State.RUNNING, actor.member, timezone.now()
    held.save(update_fields=["state", "started_by", "started_at"])
    freeze(held, Member.objects.of(organization).filter(pk__in=held.rows.values("member")))
    if takes_long(held.total):
        record(
            organization=organization,
            actor=actor,
            action=Action.RUN_STARTED,
            subject=held,
            after={"run": held.kind, "people": held.total},
        )
        wake("members.advance_batches")
        return held
    parts = list(held.slices.order_by("number"))
    keys = [key for part in parts for key in part.members]
    untouched = hand_out(Portion(organization=organization, actor=actor, batch=held, keys=keys))
    note_outcome(held, parts, untouched=untouched, failed={})
    held.state = State.DONE
    Batch.objects.filter(pk=held.pk).update(state=State.DONE, finished_at=DatabaseClock(), facts=held.facts)
    kill_point("allocation.before_commit")
    return held


@transaction.atomic(durable=True)
def discard_amounts(*, actor: Actor, organization: Organization, batch: Batch) -> None:
    """Give up the review of a file; nobody gets anything. Raises BatchNotOpen when it was carried out."""
    require(actor, organization, Capability.MANAGE_CREDIT)
    held = _lock_review(organization, batch)
    if held.state != State.DRAFT:
        raise BatchNotOpen
    held.state, held.finished_at = State.CANCELED, timezone.now()
    held.save(update_fields=["state", "finished_at"])


def _lock_review(organization: Organization, batch: Batch) -> Batch:
    files = Batch.objects.filter(organization=organization, kind=BY_FILE)
    held = files.select_related("organization").select_for_update(no_key=True, of=("self",)).filter(pk=batch.pk).first()
    if held is None:
        raise BatchNotOpen
    return held


def _refuse_applied(organization: Organization, fingerprint: str) -> None:
    applied = find_applied(organization, fingerprint, BY_FILE)
    if applied is not None and applied.started_at is not None:
        day = timezone.localtime(applied.started_at).date().isoformat()
        raise SameContentAgain(day=day, batch_id=applied.pk)
