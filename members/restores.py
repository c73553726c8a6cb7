"""Noticing that the data come from a backup, before anything is sent a second time (decision 20)."""

import logging

from django.db import connection, transaction

from members.access import Actor
from members.audit import Action, record
from members.batches import is_run
from members.models import Batch, DatabaseMark, Letter
from members.models.batches import OPEN_STATES
from skypemgr.clock import DatabaseClock

logger = logging.getLogger(__name__)

ONLY = 1
# Another cluster, another database, tables made anew, or another history of the same ones: one of them changes by
# pg_restore into any place, by recovery to a point in time, and when a standby takes over.
_IDENTITIES = """
    SELECT concat_ws('/',
        (SELECT system_identifier FROM pg_control_system()),
        (SELECT oid FROM pg_database WHERE datname = current_database()),
        'members_letter'::regclass::oid,
        left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)
    ), (SELECT identity FROM members_databasemark WHERE id = %s)
"""


@transaction.atomic(savepoint=False)
def hold_after_restore() -> bool:
    """Before work that reaches the world: hold what waits if the data were restored since; True if they were just now.

    Which of these letters and batches went on after the backup was made, nobody can tell from the data.
    """
    with connection.cursor() as cursor:
        cursor.execute(_IDENTITIES, [ONLY])
        identity, known = cursor.fetchone()
    if known == identity:
        return False
    if known is None:
        DatabaseMark.objects.bulk_create([DatabaseMark(pk=ONLY, identity=identity)], ignore_conflicts=True)
        return False
    noticed = DatabaseMark.objects.filter(pk=ONLY, identity=known)
    if not noticed.update(identity=identity, restored_at=DatabaseClock()):
        return False
    letters, batches = hold_waiting_letters(), _hold_batches()
    logger.error("The data were restored: %d letters and %d batches wait for an operator.", letters, batches)
    return True


@transaction.atomic(savepoint=False)
def hold_waiting_letters() -> int:
    """Let no letter leave that waits now; gives how many those are."""
    waiting = Letter.objects.filter(state=Letter.State.WAITING, held_at=None)
    return waiting.update(held_at=DatabaseClock(), leased_until=None)


def _hold_batches() -> int:
    batches = list(Batch.objects.filter(state__in=OPEN_STATES, given_up_at=None).select_related("organization"))
    Batch.objects.filter(pk__in=[batch.pk for batch in batches]).update(given_up_at=DatabaseClock(), attempts=0)
    for batch in batches:
        action = Action.RUN_GIVEN_UP if is_run(batch) else Action.BATCH_GIVEN_UP
        record(organization=batch.organization, actor=Actor.system(), action=action, subject=batch)
    return len(batches)
