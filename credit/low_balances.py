"""Members whose Skype Credit is low, for the list of members."""

from collections.abc import Sequence
from decimal import Decimal

from django.db.models import F, Q
from django.utils.translation import gettext

from credit.models import LedgerAccount
from credit.models.ledger import BOUNDS
from members.models import Organization
from members.models.people import MemberQuerySet
from skypemgr.money import money

OVERDRAWN = "overdrawn"


def choices(organization: Organization) -> list[tuple[str, str]]:
    """What the list can be narrowed to: the overdrawn, and who has less than some amounts."""
    below = [
        (str(bound), gettext("Credit below {amount}").format(amount=money(Decimal(bound), organization.currency)))
        for bound in BOUNDS[1:]
    ]
    return [(OVERDRAWN, gettext("Overdrawn")), *below]


def below(members: MemberQuerySet, choice: str) -> MemberQuerySet:
    """Those whose balance is below a choice. Who never got any has an account of nothing, or none at all."""
    low = Q(ledger_account__band__lt=_band(choice))
    return members.filter(low if choice == OVERDRAWN else low | Q(ledger_account=None))


def below_in_parts(members: MemberQuerySet, choice: str) -> Sequence[MemberQuerySet]:
    """The same: those with an account, found by its band, and those without one."""
    found = members.filter(
        ledger_account__organization=F("organization"),
        ledger_account__kind=LedgerAccount.Kind.MEMBER,
        ledger_account__band__lt=_band(choice),
    )
    return [found] if choice == OVERDRAWN else [found, members.filter(ledger_account=None)]


def _band(choice: str) -> int:
    return 1 if choice == OVERDRAWN else BOUNDS.index(int(choice)) + 1
