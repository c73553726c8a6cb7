"""Runs over many members at once: what kinds there are, how a selection is frozen, and how far a run has come.

An app registers its kinds when it starts, in ``ready()`` of its ``AppConfig``; ``services/runs.py`` starts them and
``services/run_work.py`` carries them out.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.db.models import Sum
from django.utils.functional import Promise

from members.access import Actor, Capability
from members.models import Batch, BatchRow, Invitation, Member, Organization
from members.models.invitations import InvitationQuerySet
from members.models.people import MemberQuerySet
from members.registry import registry

type Text = str | Promise
type Chosen = MemberQuerySet | InvitationQuerySet

# What is done in one transaction: long enough to be quick, short enough that nobody waits for its locks.
SLICE = 500
# More than these are changed behind the pages.
AT_ONCE = 500
_FREEZE = """
    INSERT INTO members_batchslice (batch_id, number, members)
    SELECT %s, place / %s, array_agg(id ORDER BY id)
    FROM (SELECT chosen.id, row_number() OVER (ORDER BY chosen.id) - 1 AS place FROM ({chosen}) AS chosen) AS placed
    GROUP BY place / %s
"""


@dataclass(frozen=True, kw_only=True)
class Portion:
    """Some members, or invitations, of a run, to be changed in the running transaction on behalf of ``actor``."""

    organization: Organization
    actor: Actor
    batch: Batch
    keys: Sequence[int]

    @property
    def facts(self) -> Mapping[str, Any]:
        return self.batch.facts

    @property
    def members(self) -> MemberQuerySet:
        return Member.objects.of(self.organization).filter(pk__in=self.keys)

    @property
    def invitations(self) -> InvitationQuerySet:
        return Invitation.objects.filter(organization=self.organization, pk__in=self.keys)


@dataclass(frozen=True, kw_only=True)
class Ending:
    """A run of which every member is settled, ``changed`` of them changed."""

    organization: Organization
    actor: Actor
    facts: Mapping[str, object]
    changed: int


@dataclass(frozen=True, kw_only=True)
class BatchKind:
    """Something that can be done to many members.

    ``apply`` does it to a portion, with all its locks and entries in the log, and gives why some were left alone,
    by their keys: one of ``reasons``. A DomainError for the whole portion has it tried for each member alone.
    ``describe`` tells the facts of a run ("to Sales"). ``finish`` is what is to be done once, after the last of
    them, in the transaction that ends the run; a RunImpossible stops it there.

    What is done ``together`` is done to all of them in one transaction, or to nobody: a DomainError stops the run,
    and ``explain`` tells why from what ``facts`` hold of it. ``tell`` says of a row that was carried out what it was.

    A kind ``of_invitations`` is about these instead of members, and its keys are theirs.
    """

    key: str
    label: Text
    done: Text
    capability: Capability
    apply: Callable[[Portion], Mapping[int, str]]
    reasons: Mapping[str, Text] = field(default_factory=dict)
    describe: Callable[[Mapping[str, Any]], str] = lambda facts: ""
    together: bool = False
    explain: Callable[[Mapping[str, Any]], str] = lambda facts: ""
    tell: Callable[[BatchRow, Mapping[str, Any]], str] = lambda row, facts: ""
    finish: Callable[[Ending], None] | None = None
    of_invitations: bool = False


def takes_long(number: int) -> bool:
    """Whether so many members, or invitations, are changed behind the pages."""
    return number > AT_ONCE


def find_kind(key: str) -> BatchKind:
    """The kind of runs of a key. Raises KeyError for one that no app knows any more."""
    return {kind.key: kind for kind in registry.all(BatchKind)}[key]


def kind_of(batch: Batch) -> BatchKind:
    """The kind of a run. Raises KeyError for one that no app knows any more."""
    return find_kind(batch.kind)


def actor_of(batch: Batch) -> Actor:
    """On whose behalf a batch is carried out: whoever started it, with what they may do now, or the system."""
    return Actor.of_member(batch.started_by) if batch.started_by else Actor.system()


def is_run(batch: Batch) -> bool:
    """True for a batch that is carried out in slices of members, False for an import."""
    return batch.kind != Batch.Kind.IMPORT_MEMBERS


def note_progress(batch: Batch) -> None:
    """Note in the running transaction that a batch goes on, however often a worker has died of it before."""
    Batch.objects.filter(pk=batch.pk, attempts__gt=1).update(attempts=1)


@transaction.atomic(savepoint=False)
def freeze(batch: Batch, members: Chosen) -> int:
    """Keep who is chosen now, in slices; gives how many they are. Whatever changes later, these are meant."""
    chosen, params = members.order_by().values("id").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_FREEZE.format(chosen=chosen), [batch.pk, SLICE, *params, SLICE])
        cursor.execute(
            "SELECT coalesce(sum(cardinality(members)), 0) FROM members_batchslice WHERE batch_id = %s", [batch.pk]
        )
        [(number,)] = cursor.fetchall()
    return int(number)


@dataclass(frozen=True)
class Progress:
    """How many members of a run have been changed, left alone and refused, and how many wait."""

    changed: int
    untouched: int
    failed: int
    total: int

    @property
    def settled(self) -> int:
        return self.changed + self.untouched + self.failed

    @property
    def waiting(self) -> int:
        return self.total - self.settled


def progress_of(batch: Batch) -> Progress:
    """How far a run has come: a sum over its slices."""
    [progress] = progress_of_all([batch])
    return progress


def progress_of_all(batches: Iterable[Batch]) -> list[Progress]:
    """How far each of some runs has come, in their order and in one query."""
    batches = list(batches)
    slices = Batch.objects.filter(pk__in=[batch.pk for batch in batches]).order_by()
    sums = {
        pk: (changed or 0, untouched or 0, failed or 0)
        for pk, changed, untouched, failed in slices.values_list("pk").annotate(
            Sum("slices__changed"), Sum("slices__untouched"), Sum("slices__failed")
        )
    }
    return [Progress(*sums[batch.pk], batch.total) for batch in batches]
