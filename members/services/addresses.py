"""Other addresses for many invitations, by a file: read for review, then all of them are changed, or none."""

from io import BytesIO
from typing import BinaryIO
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from members.access import Actor, Capability, require
from members.address_file import open_addresses
from members.address_rows import check_addresses
from members.audit import Action, record
from members.batch_files import fingerprint_of
from members.batches import freeze, takes_long
from members.errors import BatchNotOpen, NoNewAddress, RowsNeedCorrection
from members.locks import lock_organization, take_time
from members.models import Batch, BatchRow, Invitation, Organization
from members.operations import claim, settle
from members.readdressing import change_at_once, checked_again, is_as_reviewed, rows_to_change
from skypemgr.background import wake
from skypemgr.characters import storable
from skypemgr.many_rows import insert_rows

State, Outcome = Batch.State, BatchRow.Outcome


@transaction.atomic(durable=True)
def review_addresses(
    *,
    actor: Actor,
    organization: Organization,
    content: bytes | BinaryIO,
    file_name: str,
    key: UUID,
    encoding: str = "",
) -> Batch:
    """Read a file that says which address takes the place of which; nothing is changed yet.

    ``encoding``, a key of ``text_files.ENCODINGS``, overrules what would be detected. The same key gives the same
    batch. Raises UnreadableFile when the file can't be understood, KeyReused.
    """
    require(actor, organization, Capability.MANAGE_MEMBERS)
    file = BytesIO(content) if isinstance(content, bytes) else content
    asked = {"fingerprint": fingerprint_of(file), "encoding": encoding}
    if earlier := claim(organization=organization, name="review_addresses", key=key, facts=asked):
        return Batch.objects.get(organization=organization, pk=earlier.result["batch"])
    read = open_addresses(file, limit_rows=settings.IMPORT_ROW_LIMIT, encoding=encoding)
    take_time()
    # Without a fingerprint: an address may be changed back, and then once more.
    batch = Batch.objects.create(
        organization=organization,
        kind=Batch.Kind.CHANGE_ADDRESSES,
        state=State.DRAFT,
        started_by=actor.member,
        file_name=storable(file_name)[:200] or "addresses.csv",
        total=read.csv.reading.rows,
    )
    insert_rows(check_addresses(organization, actor, batch, list(read.rows())))
    settle(organization=organization, name="review_addresses", key=key, result={"batch": batch.pk})
    return batch


@transaction.atomic(durable=True)
def change_addresses(*, actor: Actor, organization: Organization, batch: Batch) -> Batch:
    """Send the invitations of a reviewed file to their new addresses: at once, or behind the pages when they are many.

    When others have changed something since, nothing happens: the batch comes back as a draft, with what stands in
    the way at its rows. A second click finds it begun and changes nothing. Raises RowsNeedCorrection, NoNewAddress,
    BatchNotOpen, InvitationsChanged.
    """
    require(actor, organization, Capability.MANAGE_MEMBERS)
    # The first of all locks, of those that a change at once takes later.
    lock_organization(organization)
    held = _lock_review(organization, batch)
    if held.state in (State.RUNNING, State.DONE):
        return held
    if held.state != State.DRAFT:
        raise BatchNotOpen
    take_time()
    rows = rows_to_change(held)
    if any(row.outcome == Outcome.PROBLEM for row in rows):
        raise RowsNeedCorrection
    if not rows:
        raise NoNewAddress
    now = checked_again(actor, held, rows)
    if not is_as_reviewed(rows, now):
        held.rows.exclude(outcome=Outcome.SKIPPED).delete()
        insert_rows(now)
        return held
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
    change_at_once(actor, held)
    return held


@transaction.atomic(durable=True)
def discard_addresses(*, actor: Actor, organization: Organization, batch: Batch) -> None:
    """Give up the review of a file; nothing is changed. Raises BatchNotOpen when it was carried out."""
    require(actor, organization, Capability.MANAGE_MEMBERS)
    held = _lock_review(organization, batch)
    if held.state != State.DRAFT:
        raise BatchNotOpen
    held.state, held.finished_at = State.CANCELED, timezone.now()
    held.save(update_fields=["state", "finished_at"])


def _begin(actor: Actor, batch: Batch) -> None:
    """A reviewed file is carried out from now on; the rows without a new address are none of its."""
    batch.rows.filter(outcome=Outcome.SKIPPED).delete()
    batch.state, batch.started_by, batch.started_at = State.RUNNING, actor.member, timezone.now()
    named = Invitation.objects.filter(organization=batch.organization, pk__in=batch.rows.values("invitation"))
    batch.total = freeze(batch, named)
    batch.save(update_fields=["state", "started_by", "started_at", "total"])


def _lock_review(organization: Organization, batch: Batch) -> Batch:
    files = Batch.objects.filter(organization=organization, kind=Batch.Kind.CHANGE_ADDRESSES)
    held = files.select_related("organization").select_for_update(no_key=True, of=("self",)).filter(pk=batch.pk).first()
    if held is None:
        raise BatchNotOpen
    return held
