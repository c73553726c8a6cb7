"""Rows of a feed become calls, all of them or none: kept, rated, charged and added up, and counted by their import."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db import transaction
from django.db.models import F

from members.access import Actor
from members.audit import Action, record
from members.locks import take_time
from members.models import Organization
from skypemgr.clock import database_now
from skypemgr.kill_points import kill_point
from telephony.call_files import CallRow, UnreadRow
from telephony.models import CallImport

from .charging import charge_calls
from .covering import cover
from .reading import read_staged
from .rollups import add_effects, expect_effects, roll_up
from .storing import STAGE, count_waiting, forget_known, keep_staged, lock_calls, stage

CHUNK = 10_000
# What is wrong with rows is counted beyond, and not told.
MOST_ERRORS = 1_000
COUNTED = ("rows", "added", "duplicates", "unassigned", "unrated", "wrong", "charged")

type FeedRow = CallRow | UnreadRow


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
    errors: list[UnreadRow] = field(default_factory=list)

    def add(self, more: "ImportedCalls") -> None:
        """Add what came of some rows more."""
        for name in COUNTED:
            setattr(self, name, getattr(self, name) + getattr(more, name))
        self.errors += more.errors[: MOST_ERRORS - len(self.errors)]


def calls_in(rows: Sequence[FeedRow]) -> list[CallRow]:
    """The rows that could be read."""
    return [row for row in rows if isinstance(row, CallRow)]


@transaction.atomic(savepoint=False)
def feed(
    *, actor: Actor, organization: Organization, rows: Sequence[FeedRow], source: str, run: CallImport | None
) -> ImportedCalls:
    """Make calls of some rows, for which there is room; those of ``source`` that are known are left alone.

    None for ``run`` is of what is only tried: then the transaction is not to be kept.
    """
    unread = [row for row in rows if isinstance(row, UnreadRow)]
    fed = ImportedCalls(rows=len(rows), wrong=len(unread), errors=unread[:MOST_ERRORS])
    take_time()
    lock_calls(organization)
    stage(read_staged(organization, calls_in(rows)))
    fed.duplicates = forget_known(organization, source)
    fed.added = keep_staged(organization, run.pk if run else 0)
    if fed.added:
        expect_effects()
        add_effects(organization, STAGE)
        cover(organization)
        fed.unassigned, fed.unrated = count_waiting(organization)
        roll_up(organization)
        fed.charged = charge_calls(organization=organization, actor=actor)
    if run is not None:
        count_fed(run, fed)
    kill_point("calls.before_commit")
    return fed


@transaction.atomic(savepoint=False)
def count_fed(run: CallImport, fed: ImportedCalls) -> None:
    """Add to an import what came of some rows more."""
    told = [[error.row, error.field, error.code, error.facts] for error in fed.errors]
    run.errors = [*run.errors, *told][:MOST_ERRORS]
    counted = {name: F(name) + getattr(fed, name) for name in COUNTED}
    CallImport.objects.filter(pk=run.pk).update(**counted, errors=run.errors)


@transaction.atomic(savepoint=False)
def finish_import(*, actor: Actor, run: CallImport) -> None:
    """Note that nothing more comes of a feed."""
    run.refresh_from_db()
    run.finished_at = database_now()
    run.save(update_fields=["finished_at"])
    record(
        organization=run.organization,
        actor=actor,
        action=Action.CALLS_IMPORTED,
        subject=run,
        after={"source": run.source, "calls": run.added, "amount": f"{run.charged:.4f}"},
    )
