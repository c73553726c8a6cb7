"""Calls are imported in chunks, each of them whole or not at all: kept, rated, charged and added up at once."""

import logging
from collections.abc import Iterable, Sequence
from itertools import batched

from django.db import transaction

from members.access import Actor, Capability, require
from members.models import Organization
from telephony.calls.feeding import CHUNK, FeedRow, ImportedCalls, calls_in, feed, finish_import
from telephony.models import CallImport
from telephony.services.call_work import make_room

logger = logging.getLogger(__name__)


def import_calls(
    *,
    actor: Actor,
    organization: Organization,
    rows: Iterable[FeedRow],
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
        for chunk in batched(rows, CHUNK, strict=False):
            make_room(calls_in(chunk))
            imported.add(_import(actor, organization, chunk, source, run))
    finally:
        if run is not None:
            _finish(actor, run)
    logger.info("Imported calls.", extra={"count": imported.added})
    return imported


@transaction.atomic(durable=True)
def _begin(actor: Actor, organization: Organization, source: str, format_: str, file_name: str) -> CallImport:
    return CallImport.objects.create(
        organization=organization, source=source, format=format_, file_name=file_name, imported_by=actor.member
    )


@transaction.atomic(durable=True)
def _import(
    actor: Actor, organization: Organization, chunk: Sequence[FeedRow], source: str, run: CallImport | None
) -> ImportedCalls:
    fed = feed(actor=actor, organization=organization, rows=chunk, source=source, run=run)
    transaction.set_rollback(run is None)
    return fed


@transaction.atomic(durable=True)
def _finish(actor: Actor, run: CallImport) -> None:
    finish_import(actor=actor, run=run)
