"""What an allocation to many would come to, before it is made."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import BinaryIO

from django.conf import settings
from django.db.models import Count, DecimalField, Q, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from credit.amounts import BY_FILE, check_amounts
from credit.amounts_file import open_amounts
from credit.selectors.balances import wallet_balance
from credit.selectors.spans import zone_of
from members.batch_files import fingerprint_of
from members.errors import SameContentAgain
from members.models import Batch, BatchRow, Member, Organization
from members.models.people import MemberQuerySet
from members.selectors.batches import find_applied


@dataclass(frozen=True, kw_only=True)
class FileForecast:
    """How many rows of a file are ``ready`` and ``wrong``, what they come to, and the wallet before and after."""

    ready: int
    wrong: int
    total: Decimal
    wallet: Decimal

    @property
    def wallet_after(self) -> Decimal:
        return self.wallet - self.total

    @property
    def is_covered(self) -> bool:
        return self.total <= self.wallet


def forecast_of_file(batch: Batch) -> FileForecast:
    """What carrying out a reviewed file would come to now."""
    amount = Cast(KT("data__amount"), DecimalField(max_digits=16, decimal_places=4))
    numbers = dict(batch.rows.order_by().values_list("outcome").annotate(number=Count("pk")))
    return FileForecast(
        ready=numbers.get(BatchRow.Outcome.READY, 0),
        wrong=numbers.get(BatchRow.Outcome.PROBLEM, 0),
        total=batch.rows.filter(outcome=BatchRow.Outcome.READY).aggregate(total=Sum(amount))["total"] or Decimal(),
        wallet=wallet_balance(batch.organization),
    )


def check_file(organization: Organization, file: BinaryIO, *, encoding: str = "") -> list[BatchRow]:
    """The rows of a file of amounts, not saved, with all that is wrong with them now.

    Raises UnreadableFile, and SameContentAgain when it was carried out before.
    """
    refuse_applied(organization, fingerprint_of(file))
    read = open_amounts(file, limit_rows=settings.IMPORT_ROW_LIMIT, encoding=encoding)
    return check_amounts(organization, Batch(organization=organization), list(read.rows()))


def forecast_of_rows(organization: Organization, rows: Sequence[BatchRow]) -> FileForecast:
    """What giving everybody what ``rows`` say would come to now."""
    ready = [row for row in rows if row.outcome == BatchRow.Outcome.READY]
    return FileForecast(
        ready=len(ready),
        wrong=len(rows) - len(ready),
        total=sum((Decimal(row.data["amount"]) for row in ready), Decimal()),
        wallet=wallet_balance(organization),
    )


def refuse_applied(organization: Organization, fingerprint: str) -> None:
    """Raise SameContentAgain when this file of amounts was carried out, or is being carried out, already."""
    applied = find_applied(organization, fingerprint, BY_FILE)
    if applied is not None and applied.started_at is not None:
        day = applied.started_at.astimezone(zone_of(organization)).date().isoformat()
        raise SameContentAgain(day=day, batch_id=applied.pk)


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """How many of those who are ``chosen`` get ``each``, how many have left, and the wallet before and after."""

    chosen: int
    getting: int
    left: int
    each: Decimal
    wallet: Decimal

    @property
    def total(self) -> Decimal:
        return self.each * self.getting

    @property
    def wallet_after(self) -> Decimal:
        return self.wallet - self.total

    @property
    def is_covered(self) -> bool:
        return self.total <= self.wallet


def forecast(organization: Organization, members: MemberQuerySet, each: Decimal) -> Forecast:
    """What giving ``each`` to all of ``members`` would come to now."""
    left = Q(state=Member.State.LEFT)
    numbers = members.order_by().aggregate(chosen=Count("pk"), left=Count("pk", filter=left))
    return Forecast(
        chosen=numbers["chosen"],
        getting=numbers["chosen"] - numbers["left"],
        left=numbers["left"],
        each=each,
        wallet=wallet_balance(organization),
    )
