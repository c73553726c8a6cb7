"""How often workers try a batch: what kills each of them, or always fails, is given up until somebody continues it.

An attempt is counted before the work and taken back after it, so that what stays counted is what nobody survived.
"""

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from members.access import Actor
from members.audit import Action, record
from members.batches import is_run
from members.locks import take_turn
from members.models import Batch
from members.models.batches import OPEN_STATES
from members.restores import hold_after_restore
from skypemgr.clock import DatabaseClock

MOST_ATTEMPTS = 5


@transaction.atomic(durable=True)
def begin_attempt(*, batch: Batch) -> bool:
    """Count an attempt before the work; False when the batch is closed or was tried as often as it may."""
    hold_after_restore()
    tried = Batch.objects.filter(pk=batch.pk, state__in=OPEN_STATES, given_up_at=None, attempts__lt=MOST_ATTEMPTS)
    return bool(tried.update(attempts=F("attempts") + 1))


@transaction.atomic(durable=True)
def end_attempt(*, batch: Batch) -> None:
    """Take back an attempt that ended in order, or of which the batch was not to blame."""
    Batch.objects.filter(pk=batch.pk).update(attempts=Greatest(F("attempts") - 1, 0))


def give_up_batches() -> int:
    """Give up each batch that was tried as often as it may and is in nobody's hands; gives how many those are."""
    tried = Batch.objects.filter(state__in=OPEN_STATES, given_up_at=None, attempts__gte=MOST_ATTEMPTS).order_by("pk")
    return sum(give_up_batch(batch=batch) for batch in tried)


@transaction.atomic(durable=True)
def give_up_batch(*, batch: Batch) -> bool:
    """Leave a batch to people, if nobody is at work on it; False when somebody is."""
    if not take_turn("batch", batch.pk):
        return False
    tried = Batch.objects.filter(pk=batch.pk, state__in=OPEN_STATES, given_up_at=None, attempts__gte=MOST_ATTEMPTS)
    if not tried.update(given_up_at=DatabaseClock()):
        return False
    record(
        organization=batch.organization,
        actor=Actor.system(),
        action=Action.RUN_GIVEN_UP if is_run(batch) else Action.BATCH_GIVEN_UP,
        subject=batch,
    )
    return True
