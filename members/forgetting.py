"""Emptying what imports keep of people."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q

from members.addresses import same_address_key
from members.models import Batch, BatchPiece, BatchRow, Organization


@transaction.atomic(savepoint=False)
def empty_rows(organization: Organization, theirs: Q, addresses: Iterable[str]) -> None:
    """Empty the rows of batches that are somebody's, or name one of their addresses."""
    keys = {same_address_key(address) for address in addresses if address}
    rows = BatchRow.objects.filter(theirs | Q(match_key__in=keys), organization=organization)
    # A review whose file names them can't be read again: they would come back.
    BatchPiece.objects.filter(
        batch__in=set(rows.values_list("batch", flat=True)), batch__state=Batch.State.DRAFT
    ).delete()
    BatchRow.objects.filter(pk__in=rows.values("pk")).update(data={}, problems=[], notes=[], match_key="")
