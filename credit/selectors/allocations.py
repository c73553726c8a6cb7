"""What an allocation to many would come to, before it is made."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q

from credit.selectors.balances import wallet_balance
from members.models import Member, Organization
from members.models.people import MemberQuerySet


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
