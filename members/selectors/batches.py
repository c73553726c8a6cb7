from dataclasses import dataclass

from django.db.models import BigIntegerField, Case, Count, OuterRef, QuerySet, Subquery, When
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce

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
    counts = batch.rows.order_by().values_list("outcome").annotate(number=Count("*"))
    return BatchCounts(**dict(counts))


def list_runs(organization: Organization) -> QuerySet[Batch]:
    """The changes of many members of an organization that were begun."""
    runs = Batch.objects.filter(organization=organization).exclude(kind=Batch.Kind.IMPORT_MEMBERS)
    runs = runs.exclude(started_at=None)
    return runs.select_related("started_by__user")


def find_applied(organization: Organization, fingerprint: str, kind: str = Batch.Kind.IMPORT_MEMBERS) -> Batch | None:
    """The batch with which this content was carried out, or is being carried out; None when there is none."""
    applied = Batch.objects.filter(
        organization=organization,
        kind=kind,
        fingerprint=fingerprint,
        state__in=[Batch.State.RUNNING, Batch.State.DONE],
    )
    return applied.first() if fingerprint else None


def list_batches(organization: Organization) -> QuerySet[Batch]:
    """The imports of an organization with how many accounts each made: noted when it ended, counted before that."""
    done = BatchRow.objects.filter(batch=OuterRef("pk"), outcome=Outcome.DONE).order_by()
    made = done.values("batch").annotate(number=Count("*")).values("number")
    noted = When(facts__has_key="created", then=Cast(KT("facts__created"), BigIntegerField()))
    return (
        Batch.objects.filter(organization=organization, kind=Batch.Kind.IMPORT_MEMBERS)
        .select_related("started_by__user")
        .annotate(made=Case(noted, default=Coalesce(Subquery(made), 0)))
    )
