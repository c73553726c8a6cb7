"""What an allocation to many would come to, before it is made."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, DecimalField, Q, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from credit.selectors.balances import wallet_balance
from members.models import Batch, BatchRow, Member, Organization
from members.models.people import MemberQuerySet


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
