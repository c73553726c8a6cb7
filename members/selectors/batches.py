from dataclasses import dataclass

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from members.models import Batch, BatchRow, Organization

Outcome = BatchRow.Outcome


@dataclass(frozen=True)
class BatchCounts:
    """How many rows of a batch have which outcome."""

    ready: int = 0
    problem: int = 0
    skipped: int = 0
    left_out: int = 0
    done: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        return self.ready + self.problem + self.skipped + self.left_out + self.done + self.failed

    @property
    def wanted(self) -> int:
        """Rows for which an account is, was or was to be made since the batch was started."""
        return self.ready + self.done + self.failed

    @property
    def settled(self) -> int:
        return self.done + self.failed


def count_rows(batch: Batch) -> BatchCounts:
    """The outcomes of a batch's rows, in one query."""
    counts = batch.rows.order_by().values_list("outcome").annotate(number=Count("id"))
    return BatchCounts(**dict(counts))


def list_runs(organization: Organization) -> QuerySet[Batch]:
    """The changes of many members of an organization."""
    runs = Batch.objects.filter(organization=organization).exclude(kind=Batch.Kind.IMPORT_MEMBERS)
    return runs.select_related("started_by__user")


def list_batches(organization: Organization) -> QuerySet[Batch]:
    """The imports of an organization with how many accounts each made, counted for those that are shown."""
    done = BatchRow.objects.filter(batch=OuterRef("pk"), outcome=Outcome.DONE).order_by()
    made = done.values("batch").annotate(number=Count("id")).values("number")
    return (
        Batch.objects.filter(organization=organization, kind=Batch.Kind.IMPORT_MEMBERS)
        .select_related("started_by__user")
        .annotate(made=Coalesce(Subquery(made), 0))
    )
