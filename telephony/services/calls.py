"""Calls are imported in chunks, each of them whole or not at all: kept, rated, charged and added up at once."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import batched

from django.db import transaction

from members.access import Actor, Capability, require
from members.audit import Action, record
from members.locks import take_time
from members.models import Organization
from skypemgr.clock import database_now
from skypemgr.kill_points import kill_point
from telephony.call_errors import Tried
from telephony.call_files import CallRow
from telephony.calls.charging import charge_calls
from telephony.calls.covering import cover
from telephony.calls.partitions import make_months, missing_months, months_of
from telephony.calls.reading import read_staged
from telephony.calls.rollups import add_effects, expect_effects, roll_up
from telephony.calls.storing import STAGE, count_waiting, forget_known, keep_staged, lock_calls, stage
from telephony.models import CallImport
from telephony.stock_file import RowError

logger = logging.getLogger(__name__)

CHUNK = 10_000
# What is wrong with rows is counted beyond, and not told.
MOST_ERRORS = 1_000


@dataclass
class ImportedCalls:
    """What came of a feed so far. ``unassigned`` are calls of nobody, ``unrated`` those that no rate is known for."""

    rows: int = 0
    added: int = 0
    duplicates: int = 0
    unassigned: int = 0
    unrated: int = 0
    wrong: int = 0
    charged: Decimal = Decimal("0.0000")
    errors: list[RowError] = field(default_factory=list)


def import_calls(
    *,
    actor: Actor,
    organization: Organization,
    rows: Iterable[CallRow | RowError],
    source: str,
    format: str,  # noqa: A002
    file_name: str = "",
    dry_run: bool = False,
) -> ImportedCalls:
    """Import the calls of a feed, ten thousand at a time; those of ``source`` that are known are left alone.

    What was imported stays when something fails behind it, and the same feed again goes on from there. A row that
    can't be read is told and left out. A call is charged to whoever made it, in full, even below zero; recharges
    follow at once. With ``dry_run`` nothing is kept, and each chunk is tried alone. Raises UnreadableFile as
    ``rows`` does, OrganizationClosed.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    imported = ImportedCalls()
    run = None if dry_run else _begin(actor, organization, source, format, file_name)
    try:
        for chunk in batched(_readable(rows, imported), CHUNK, strict=False):
            _make_room(chunk)
            try:
                _import(actor=actor, organization=organization, chunk=chunk, source=source, run=run, into=imported)
            except Tried:
                continue
    finally:
        if run is not None:
            _finish(actor, organization, run, imported)
    logger.info("Imported calls.", extra={"count": imported.added})
    return imported


def _readable(rows: Iterable[CallRow | RowError], imported: ImportedCalls) -> Iterator[CallRow]:
    for row in rows:
        imported.rows += 1
        if isinstance(row, RowError):
            imported.wrong += 1
            if len(imported.errors) < MOST_ERRORS:
                imported.errors.append(row)
        else:
            yield row


@transaction.atomic(durable=True)
def _begin(actor: Actor, organization: Organization, source: str, format_: str, file_name: str) -> CallImport:
    return CallImport.objects.create(
        organization=organization, source=source, format=format_, file_name=file_name, imported_by=actor.member
    )


@transaction.atomic(durable=True)
def _make_room(chunk: Sequence[CallRow]) -> None:
    """Make room for calls, before anything else is locked."""
    if months := missing_months(months_of(row.started_at for row in chunk)):
        make_months(months)


@transaction.atomic(durable=True)
def _import(
    *,
    actor: Actor,
    organization: Organization,
    chunk: Sequence[CallRow],
    source: str,
    run: CallImport | None,
    into: ImportedCalls,
) -> None:
    take_time()
    lock_calls(organization)
    stage(read_staged(organization, chunk))
    duplicates = forget_known(organization, source)
    added = keep_staged(organization, run.pk if run else 0)
    charged = Decimal("0.0000")
    unassigned = unrated = 0
    if added:
        expect_effects()
        add_effects(organization, STAGE)
        cover(organization)
        unassigned, unrated = count_waiting(organization)
        roll_up(organization)
        charged = charge_calls(organization=organization, actor=actor)
    kill_point("calls.before_commit")
    into.added += added
    into.duplicates += duplicates
    into.unassigned += unassigned
    into.unrated += unrated
    into.charged += charged
    if run is None:
        raise Tried


@transaction.atomic(durable=True)
def _finish(actor: Actor, organization: Organization, run: CallImport, imported: ImportedCalls) -> None:
    run.finished_at = database_now()
    for name in ("added", "duplicates", "unassigned", "unrated", "wrong", "charged"):
        setattr(run, name, getattr(imported, name))
    run.save()
    record(
        organization=organization,
        actor=actor,
        action=Action.CALLS_IMPORTED,
        subject=run,
        after={"source": run.source, "calls": run.added, "amount": f"{run.charged:.4f}"},
    )
