"""Adding people in a batch: taken in, reviewed and started here; ``import_work`` reads and carries out."""

from collections.abc import Mapping
from io import BytesIO
from typing import BinaryIO
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from members import directory
from members.access import Actor, Capability, require
from members.audit import Action, record
from members.batch_files import fingerprint_of, open_file, store_file
from members.errors import BatchNotOpen, NothingToAdd, RowsNeedCorrection, SameContentAgain, TooManyRows
from members.importing import Draft, Outcome, check_drafts, match_key_of, names_in_use
from members.locks import lock_organization, take_time
from members.models import Batch, BatchPiece, BatchRow, Organization
from members.names import NameAllocator
from members.operations import claim, settle
from members.selectors.batches import count_rows, find_applied
from members.skype_names import taken_skype_names
from skypemgr.background import wake
from skypemgr.characters import storable
from skypemgr.many_rows import insert_rows, update_rows
from skypemgr.text_files import ENCODINGS

State = Batch.State
REVIEWED = ["data", "outcome", "problems", "notes", "match_key"]
# Rows with one address that are looked at together.
NAMESAKES = 500


@transaction.atomic(durable=True)
def start_import_of_file(
    *,
    actor: Actor,
    organization: Organization,
    content: bytes | BinaryIO,
    file_name: str,
    key: UUID,
    letters: bool = True,
    encoding: str = "",
) -> Batch:
    """Take a directory's CSV file for reading; ``read_rows`` makes its rows. The same key gives the same batch.

    ``content`` is the file, which can be read more than once, or what stands in it. ``encoding``, a key of
    ``text_files.ENCODINGS``, overrules what would be detected. Raises UnreadableFile when the file can't be
    understood, SameContentAgain when it was carried out before.
    """
    require(actor, organization, Capability.MANAGE_MEMBERS)
    file = BytesIO(content) if isinstance(content, bytes) else content
    fingerprint = fingerprint_of(file)
    if earlier := claim(organization=organization, name="import_members", key=key, facts={"fingerprint": fingerprint}):
        return Batch.objects.get(organization=organization, pk=earlier.result["batch"])
    refuse_applied(organization, fingerprint)
    facts = _how_read(file, encoding)
    batch = Batch.objects.create(
        organization=organization,
        kind=Batch.Kind.IMPORT_MEMBERS,
        state=State.READING,
        started_by=actor.member,
        file_name=storable(file_name)[:200],
        fingerprint=fingerprint,
        facts={**facts, "letters": letters},
    )
    store_file(batch=batch, file=file)
    settle(organization=organization, name="import_members", key=key, result={"batch": batch.pk})
    wake("members.advance_batches")
    return batch


@transaction.atomic(durable=True)
def start_import_of_people(
    *, actor: Actor, organization: Organization, people: list[Draft], key: UUID, letters: bool = True
) -> Batch:
    """Take people who were typed or pasted for review. The same key gives the same batch."""
    require(actor, organization, Capability.MANAGE_MEMBERS)
    if not people:
        raise NothingToAdd
    if len(people) > settings.IMPORT_ROW_LIMIT:
        raise TooManyRows(limit=settings.IMPORT_ROW_LIMIT)
    facts: dict[str, object] = {"addresses": [person.email for person in people]}
    if earlier := claim(organization=organization, name="import_members", key=key, facts=facts):
        return Batch.objects.get(organization=organization, pk=earlier.result["batch"])
    batch = Batch.objects.create(
        organization=organization,
        kind=Batch.Kind.IMPORT_MEMBERS,
        state=State.DRAFT,
        started_by=actor.member,
        total=len(people),
        facts={"letters": letters},
    )
    rows = check_drafts(
        organization=organization, batch=batch, drafts=people, allocator=NameAllocator(taken_skype_names), seen={}
    )
    insert_rows(rows)
    settle(organization=organization, name="import_members", key=key, result={"batch": batch.pk})
    return batch


def _how_read(file: BinaryIO, encoding: str) -> dict[str, object]:
    """What a batch remembers of how its file is read; ``read_as`` is the encoding that somebody chose, or ""."""
    read = directory.open_directory(file, limit_rows=settings.IMPORT_ROW_LIMIT, encoding=encoding or None)
    return {**read.facts.as_json(), "read_as": encoding}


@transaction.atomic(durable=True)
def read_again(*, actor: Actor, organization: Organization, batch: Batch, encoding: str) -> Batch:
    """Read the file of a draft again in another encoding, a key of ``text_files.ENCODINGS``; what was corrected goes.

    Asking for what it is read in already changes nothing. Raises UnreadableFile when the file is no text in that
    encoding, BatchNotOpen when there is no review any more, or no file that could be read in two ways.
    """
    require(actor, organization, Capability.MANAGE_MEMBERS)
    take_time()
    held = Batch.objects.select_for_update(no_key=True).filter(organization=organization, pk=batch.pk).first()
    if held is None:
        raise BatchNotOpen
    if held.state in (State.READING, State.DRAFT) and held.facts.get("encoding") == ENCODINGS[encoding].name:
        return held
    file = open_file(held)
    if held.state != State.DRAFT or file is None:
        raise BatchNotOpen
    before = held.facts["encoding"]
    held.facts |= _how_read(file, encoding)
    held.state, held.total, held.attempts = State.READING, 0, 0
    held.save(update_fields=["facts", "state", "total", "attempts"])
    BatchRow.objects.filter(batch=held).delete()
    record(
        organization=organization,
        actor=actor,
        action=Action.BATCH_READ_AGAIN,
        subject=held,
        before={"encoding": before},
        after={"encoding": held.facts["encoding"]},
    )
    wake("members.advance_batches")
    return held


def refuse_applied(organization: Organization, fingerprint: str) -> None:
    """Raise SameContentAgain when this content was carried out, or is being carried out, already."""
    applied = find_applied(organization, fingerprint)
    if applied is not None:
        started = timezone.localtime(applied.started_at, ZoneInfo(organization.time_zone))
        raise SameContentAgain(day=started.date().isoformat(), batch_id=applied.pk)


@transaction.atomic(durable=True)
def change_row(
    *, actor: Actor, organization: Organization, batch: Batch, number: int, values: Mapping[str, str]
) -> BatchRow:
    """Correct a row during review; it and every row with the same address are checked again.

    ``values`` may hold any of email, skype_name, first_name, last_name, job_title, department, language, and
    ``password`` in clear (it is hashed here). Raises BatchNotOpen.
    """
    require(actor, organization, Capability.MANAGE_MEMBERS)
    batch = _lock_draft(organization, batch)
    row = batch.rows.get(number=number)
    draft = Draft.of_row(row)
    for name in ("email", "first_name", "last_name", "job_title", "department", "language"):
        setattr(draft, name, values.get(name, getattr(draft, name)))
    if values.get("skype_name", draft.skype_name) != draft.skype_name:
        draft.skype_name, draft.typed = values["skype_name"], True
    if not draft.skype_name.strip():
        draft.typed = False
    if values.get("password"):
        draft.password = make_password(values["password"])
    return _check_again(batch, row, draft)


@transaction.atomic(durable=True)
def leave_out_row(*, actor: Actor, organization: Organization, batch: Batch, number: int) -> None:
    """Leave a row out of a batch that is under review."""
    require(actor, organization, Capability.MANAGE_MEMBERS)
    batch = _lock_draft(organization, batch)
    row = batch.rows.get(number=number)
    BatchRow.objects.filter(pk=row.pk).update(outcome=Outcome.LEFT_OUT)
    _check_namesakes(batch, {row.match_key})


@transaction.atomic(durable=True)
def take_in_row(*, actor: Actor, organization: Organization, batch: Batch, number: int) -> BatchRow:
    """Take a row that was left out into the batch again."""
    require(actor, organization, Capability.MANAGE_MEMBERS)
    batch = _lock_draft(organization, batch)
    row = batch.rows.get(number=number)
    return _check_again(batch, row, Draft.of_row(row))


def _lock_draft(organization: Organization, batch: Batch) -> Batch:
    held = Batch.objects.select_for_update(no_key=True).filter(organization=organization, pk=batch.pk).first()
    if held is None or held.state != State.DRAFT:
        raise BatchNotOpen
    return held


def _check_again(batch: Batch, row: BatchRow, draft: Draft) -> BatchRow:
    [checked] = _checked(batch, [draft], others=batch.rows.exclude(number=row.number))
    checked.pk = row.pk
    update_rows([checked], REVIEWED)
    _check_namesakes(batch, {row.match_key, checked.match_key})
    return checked


def _check_namesakes(batch: Batch, keys: set[str]) -> None:
    """Let the next row with an address in, when none with it is ready any more; a few rows, however many there are."""
    for key in keys - {""}:
        namesakes = batch.rows.filter(match_key=key).order_by("number")
        if namesakes.filter(outcome=Outcome.READY).exists():
            continue
        while rows := list(namesakes.filter(outcome=Outcome.SKIPPED)[:NAMESAKES]):
            drafts = [Draft.of_row(row) for row in rows]
            checked = _checked(batch, drafts, others=batch.rows.exclude(number__in=[row.number for row in rows]))
            for row, fresh in zip(rows, checked, strict=True):
                fresh.pk = row.pk
            update_rows(checked, REVIEWED)
            first = next((row for row in checked if row.outcome == Outcome.READY), None)
            if first is not None:
                # Those behind it still name the row that was the first before.
                beyond = namesakes.filter(outcome=Outcome.SKIPPED, number__gt=rows[-1].number)
                beyond.update(notes=[{"code": "same_as_row", "facts": {"row": first.number}}])
            if any(row.outcome == Outcome.SKIPPED for row in checked):
                # One is ready now, or the address is known to us already: the others stay where they are.
                break


def _checked(batch: Batch, drafts: list[Draft], *, others: QuerySet[BatchRow]) -> list[BatchRow]:
    """Rows checked against those they could collide with, found by address and by Skype Name."""
    keys = {key for draft in drafts if (key := match_key_of(draft))}
    ready = others.filter(outcome=Outcome.READY, match_key__in=keys).order_by("-number")
    return check_drafts(
        organization=batch.organization,
        batch=batch,
        drafts=drafts,
        allocator=NameAllocator(names_in_use(others)),
        seen=dict(ready.values_list("match_key", "number")),
    )


@transaction.atomic(durable=True)
def leave_out_problems(*, actor: Actor, organization: Organization, batch: Batch) -> int:
    """Leave out every row that needs a correction; gives how many those are."""
    require(actor, organization, Capability.MANAGE_MEMBERS)
    batch = _lock_draft(organization, batch)
    # None of them stood in the way of another row, so no other is checked again.
    return batch.rows.filter(outcome=Outcome.PROBLEM).update(outcome=Outcome.LEFT_OUT)


@transaction.atomic(durable=True)
def start_batch(*, actor: Actor, organization: Organization, batch: Batch, valid_rows_only: bool = False) -> Batch:
    """Begin to make the accounts of a reviewed batch; a second click finds it begun and changes nothing.

    Raises RowsNeedCorrection unless every row is right or ``valid_rows_only``, NothingToAdd when no row is,
    SameContentAgain, BatchNotOpen.
    """
    require(actor, organization, Capability.MANAGE_MEMBERS)
    begun = Batch.objects.filter(organization=organization, pk=batch.pk).first()
    if begun is None:
        raise BatchNotOpen
    if begun.state in (State.RUNNING, State.DONE):
        # Without waiting for the worker that has it in hand.
        return begun
    # One at a time: two drafts of one file could each find that the other was not carried out yet.
    lock_organization(organization)
    held = Batch.objects.select_for_update(no_key=True).get(organization=organization, pk=batch.pk)
    if held.state in (State.RUNNING, State.DONE):
        return held
    if held.state != State.DRAFT:
        raise BatchNotOpen
    if held.fingerprint:
        refuse_applied(organization, held.fingerprint)
    wrong = held.rows.filter(outcome=Outcome.PROBLEM).count()
    if wrong and not valid_rows_only:
        raise RowsNeedCorrection(count=wrong)
    ready = held.rows.filter(outcome=Outcome.READY).count()
    if not ready:
        raise NothingToAdd
    held.state, held.started_at, held.started_by = State.RUNNING, timezone.now(), actor.member
    held.save(update_fields=["state", "started_at", "started_by"])
    BatchPiece.objects.filter(batch=held).delete()
    record(
        organization=organization,
        actor=actor,
        action=Action.BATCH_STARTED,
        subject=held,
        after={"rows": ready, "file": bool(held.file_name)},
    )
    wake("members.advance_batches")
    return held


@transaction.atomic(durable=True)
def cancel_batch(*, actor: Actor, organization: Organization, batch: Batch) -> None:
    """Stop an import: accounts that were made stay, rows that wait are not carried out.

    Raises BatchNotOpen when it has ended, or is no import.
    """
    require(actor, organization, Capability.MANAGE_MEMBERS)
    imported = Batch.objects.filter(organization=organization, kind=Batch.Kind.IMPORT_MEMBERS)
    held = imported.select_for_update(no_key=True).filter(pk=batch.pk).first()
    if held is None or held.state not in (State.READING, State.DRAFT, State.RUNNING):
        raise BatchNotOpen
    held.state, held.finished_at = State.CANCELED, timezone.now()
    held.facts["created"] = count_rows(held).done
    held.save(update_fields=["state", "finished_at", "facts"])
    BatchPiece.objects.filter(batch=batch).delete()
    record(organization=organization, actor=actor, action=Action.BATCH_CANCELED, subject=batch)


@transaction.atomic(durable=True)
def retry_failed_rows(*, actor: Actor, organization: Organization, batch: Batch) -> int:
    """Try the failed rows of a finished batch again; gives how many there are."""
    require(actor, organization, Capability.MANAGE_MEMBERS)
    imported = Batch.objects.filter(organization=organization, kind=Batch.Kind.IMPORT_MEMBERS)
    held = imported.select_for_update(no_key=True).filter(pk=batch.pk).first()
    if held is None or held.state != State.DONE:
        raise BatchNotOpen
    count = held.rows.filter(outcome=Outcome.FAILED).update(outcome=Outcome.READY, problems=[])
    if count:
        held.state, held.finished_at = State.RUNNING, None
        held.facts.pop("created", None)
        held.attempts = 0
        held.save(update_fields=["state", "finished_at", "facts", "attempts"])
        record(organization=organization, actor=actor, action=Action.BATCH_STARTED, subject=held, after={"rows": count})
        wake("members.advance_batches")
    return count


@transaction.atomic(durable=True)
def discard_batch(*, actor: Actor, organization: Organization, batch: Batch) -> None:
    """Forget a batch that was only looked at (a dry run)."""
    require(actor, organization, Capability.MANAGE_MEMBERS)
    _lock_draft(organization, batch)
    BatchPiece.objects.filter(batch=batch).delete()
    BatchRow.objects.filter(batch=batch).delete()
    Batch.objects.filter(pk=batch.pk, state=State.DRAFT).delete()
