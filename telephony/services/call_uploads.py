"""Files of calls that are carried out behind the pages: taken in, tried, imported, stopped. ``call_upload_work`` reads.

The import is the memory: whoever comes next goes on behind the rows that it counts, in whose transaction they were
imported.
"""

from itertools import islice
from typing import BinaryIO
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from members.access import Actor, Capability, require
from members.models import Organization
from members.operations import claim, settle
from skypemgr.background import wake
from skypemgr.characters import storable
from skypemgr.clock import DatabaseClock
from telephony.call_errors import UploadNotOpen
from telephony.call_files import clock_of, read_calls
from telephony.calls.feeding import COUNTED, finish_import
from telephony.models import CallImport, CallUpload

State = CallUpload.State
TASK = "telephony.advance_uploads"


@transaction.atomic(durable=True)
def upload_calls(
    *,
    actor: Actor,
    organization: Organization,
    file: BinaryIO,
    file_name: str,
    format: str,  # noqa: A002
    source: str,
    time_zone: str,
    key: UUID,
    trial: bool = False,
) -> CallImport:
    """Take a file of calls in, for a worker to import it or, with ``trial``, to try it. The same key: the same import.

    Raises UnreadableFile for one that is not of that format, ZoneInfoNotFoundError for a time zone that there is not.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    asked: dict[str, object] = {"format": format, "source": source, "time_zone": time_zone, "trial": trial}
    if earlier := claim(organization=organization, name="upload_calls", key=key, facts=asked):
        return CallImport.objects.get(organization=organization, pk=earlier.result["import"])
    # What it is not is said at once.
    list(islice(read_calls(file, named=format, clock=clock_of(time_zone)), 1))
    file.seek(0)
    content = file.read()
    imported = CallImport.objects.create(
        organization=organization,
        source=source,
        format=format,
        file_name=storable(file_name)[:255],
        imported_by=actor.member,
    )
    CallUpload.objects.create(
        imported=imported,
        state=State.TRYING if trial else State.RUNNING,
        time_zone=time_zone,
        content=content,
        lines=content.count(b"\n") + 1,
    )
    settle(organization=organization, name="upload_calls", key=key, result={"import": imported.pk})
    wake(TASK)
    return imported


@transaction.atomic(durable=True)
def import_upload(*, actor: Actor, organization: Organization, imported: CallImport) -> None:
    """Import a file that was tried. Raises UploadNotOpen when it is gone or is imported already."""
    require(actor, organization, Capability.MANAGE_VOICE)
    tried = _uploads(organization, imported).filter(state=State.TRIED)
    if not tried.update(state=State.RUNNING, attempts=0):
        raise UploadNotOpen
    CallImport.objects.filter(pk=imported.pk).update(
        **dict.fromkeys(COUNTED, 0), errors=[], imported_by=actor.member, started_at=DatabaseClock()
    )
    wake(TASK)


@transaction.atomic(durable=True)
def continue_upload(*, actor: Actor, organization: Organization, imported: CallImport) -> None:
    """Let workers try a file again that they gave up. Raises UploadNotOpen when it is gone."""
    require(actor, organization, Capability.MANAGE_VOICE)
    if not _uploads(organization, imported).update(attempts=0):
        raise UploadNotOpen
    wake(TASK)


@transaction.atomic(durable=True)
def stop_upload(*, actor: Actor, organization: Organization, imported: CallImport) -> None:
    """Forget a file: what was imported of it stays, and of one that was only tried nothing does.

    Raises UploadNotOpen when it is gone.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    upload = _uploads(organization, imported).defer("content").select_for_update().first()
    if upload is None:
        raise UploadNotOpen
    if upload.state == State.RUNNING:
        upload.delete()
        finish_import(actor=actor, run=imported)
    else:
        imported.delete()


def _uploads(organization: Organization, imported: CallImport) -> QuerySet[CallUpload]:
    return CallUpload.objects.filter(imported__organization=organization, imported=imported)
