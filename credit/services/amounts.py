"""Credit by a file of amounts: read for review, then given to everybody in it, or to nobody."""

from io import BytesIO
from typing import BinaryIO
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from credit.allocating import hand_out_at_once
from credit.amounts import BY_FILE, check_amounts
from credit.amounts_file import open_amounts
from credit.selectors.allocations import refuse_applied
from members.access import Actor, Capability, require
from members.audit import Action, record
from members.batch_files import fingerprint_of, open_file, store_file
from members.batches import freeze, takes_long
from members.errors import BatchNotOpen, RowsNeedCorrection
from members.locks import lock_organization, take_time
from members.models import Batch, BatchRow, Member, Organization
from members.operations import claim, settle
from skypemgr.background import wake
from skypemgr.characters import storable
from skypemgr.kill_points import kill_point
from skypemgr.many_rows import insert_rows
from skypemgr.text_files import ENCODINGS

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
    refuse_applied(organization, fingerprint)
    batch = _draft(actor, organization, file_name, fingerprint, key)
    _read(batch, file)
    # Else it could never be asked to be read in another way.
    if not batch.facts["certain"]:
        store_file(batch=batch, file=file)
    settle(organization=organization, name=BY_FILE, key=key, result={"batch": batch.pk})
    return batch


@transaction.atomic(durable=True)
def read_amounts_again(*, actor: Actor, organization: Organization, batch: Batch, encoding: str) -> Batch:
    """Read the file of a review again in another encoding, a key of ``text_files.ENCODINGS``.

    Asking for what it is read in already changes nothing. Raises UnreadableFile when the file says nothing in that
    encoding, BatchNotOpen when there is no review any more, or no file that could be read in two ways.
    """
    require(actor, organization, Capability.MANAGE_CREDIT)
    held = _lock_review(organization, batch)
    if held.state == State.DRAFT and held.facts.get("encoding") == ENCODINGS[encoding].name:
        return held
    file = open_file(held)
    if held.state != State.DRAFT or file is None:
        raise BatchNotOpen
    held.rows.all().delete()
    _read(held, file, encoding)
    return held


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
    refuse_applied(organization, held.fingerprint)
    _begin(actor, held)
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
    hand_out_at_once(actor, held)
    kill_point("allocation.before_commit")
    return held


@transaction.atomic(durable=True)
def allocate_file(
    *,
    actor: Actor,
    organization: Organization,
    content: bytes | BinaryIO,
    file_name: str,
    key: UUID,
    encoding: str = "",
) -> Batch:
    """Give everybody in a file what it says, unseen and at once, however many they are: all of them, or nobody.

    The same key with the same file gives the first answer and moves nothing. What is refused leaves nothing behind,
    its key neither. Raises UnreadableFile, RowsNeedCorrection, SameContentAgain, InsufficientCredit, KeyReused.
    """
    require(actor, organization, Capability.MANAGE_CREDIT)
    file = BytesIO(content) if isinstance(content, bytes) else content
    fingerprint = fingerprint_of(file)
    asked = {"fingerprint": fingerprint, "encoding": encoding, "unseen": True}
    if earlier := claim(organization=organization, name=BY_FILE, key=key, facts=asked):
        return Batch.objects.get(organization=organization, pk=earlier.result["batch"])
    lock_organization(organization)
    refuse_applied(organization, fingerprint)
    batch = _draft(actor, organization, file_name, fingerprint, key)
    _read(batch, file, encoding)
    _begin(actor, batch)
    hand_out_at_once(actor, batch)
    settle(organization=organization, name=BY_FILE, key=key, result={"batch": batch.pk})
    kill_point("allocation.before_commit")
    return batch


@transaction.atomic(durable=True)
def discard_amounts(*, actor: Actor, organization: Organization, batch: Batch) -> None:
    """Give up the review of a file; nobody gets anything. Raises BatchNotOpen when it was carried out."""
    require(actor, organization, Capability.MANAGE_CREDIT)
    held = _lock_review(organization, batch)
    if held.state != State.DRAFT:
        raise BatchNotOpen
    held.state, held.finished_at = State.CANCELED, timezone.now()
    held.save(update_fields=["state", "finished_at"])
    held.pieces.all().delete()


def _draft(actor: Actor, organization: Organization, file_name: str, fingerprint: str, key: UUID) -> Batch:
    return Batch.objects.create(
        organization=organization,
        kind=BY_FILE,
        state=State.DRAFT,
        started_by=actor.member,
        file_name=storable(file_name)[:200] or "amounts.csv",
        fingerprint=fingerprint,
        facts={"currency": organization.currency, "key": str(key), "each": True},
    )


def _read(batch: Batch, file: BinaryIO, encoding: str = "") -> None:
    """Make the rows of a draft out of its file. ``read_as`` is the encoding that somebody chose, or ""."""
    read = open_amounts(file, limit_rows=settings.IMPORT_ROW_LIMIT, encoding=encoding)
    take_time()
    batch.total = read.csv.reading.rows
    batch.facts |= {**read.csv.reading.as_json(), "read_as": encoding}
    batch.save(update_fields=["total", "facts"])
    insert_rows(check_amounts(batch.organization, batch, list(read.rows())))


def _begin(actor: Actor, batch: Batch) -> None:
    """A reviewed file is carried out from now on, for those who stand in it."""
    if wrong := batch.rows.filter(outcome=Outcome.PROBLEM).count():
        raise RowsNeedCorrection(count=wrong)
    take_time()
    batch.state, batch.started_by, batch.started_at = State.RUNNING, actor.member, timezone.now()
    batch.save(update_fields=["state", "started_by", "started_at"])
    batch.pieces.all().delete()
    freeze(batch, Member.objects.of(batch.organization).filter(pk__in=batch.rows.values("member")))


def _lock_review(organization: Organization, batch: Batch) -> Batch:
    files = Batch.objects.filter(organization=organization, kind=BY_FILE)
    held = files.select_related("organization").select_for_update(no_key=True, of=("self",)).filter(pk=batch.pk).first()
    if held is None:
        raise BatchNotOpen
    return held
