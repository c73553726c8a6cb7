"""Imports and changes of many that workers have given up: continued by people."""

from django.db import transaction

from members.access import Actor, Capability, require
from members.audit import Action, record
from members.batches import is_run, kind_of
from members.errors import BatchNotOpen
from members.models import Batch, Organization
from members.models.batches import OPEN_STATES
from skypemgr.background import wake


@transaction.atomic(durable=True)
def continue_batch(*, actor: Actor, organization: Organization, batch: Batch) -> None:
    """Let workers try a batch again that was given up, behind what is done of it. Raises BatchNotOpen if it wasn't."""
    require(actor, organization, Capability.OPEN_CONSOLE)
    require(actor, organization, kind_of(batch).capability if is_run(batch) else Capability.MANAGE_MEMBERS)
    given_up = Batch.objects.filter(
        organization=organization, pk=batch.pk, state__in=OPEN_STATES, given_up_at__isnull=False
    )
    if not given_up.update(given_up_at=None, attempts=0):
        raise BatchNotOpen
    record(
        organization=organization,
        actor=actor,
        action=Action.RUN_CONTINUED if is_run(batch) else Action.BATCH_CONTINUED,
        subject=batch,
    )
    wake("members.advance_batches")
