"""What accounts hold now."""

from collections.abc import Sequence
from decimal import Decimal

from django.db.models import Q, Sum

from credit.ledger import NO_CREDIT
from credit.models import LedgerAccount
from members.models import Department, Member, Organization, User

# Whose credit is still theirs to look at: who left with a personal account has taken it along.
KEEPS_CREDIT = Q(state=Member.State.ACTIVE) | Q(state=Member.State.LEFT, account_kind=User.Kind.PERSONAL)


def list_balances(organization: Organization, members: Sequence[Member]) -> dict[int, Decimal]:
    """The Skype Credit of members, by their id, with four places. Who never got any has none."""
    accounts = LedgerAccount.objects.filter(organization=organization, member__in=[member.pk for member in members])
    held = {member: balance for member, balance in accounts.values_list("member_id", "balance") if member and balance}
    return {member.pk: held.get(member.pk, NO_CREDIT) for member in members}


def balance_of(organization: Organization, member: Member) -> Decimal:
    """The Skype Credit of one member, with four places; below zero when they are overdrawn."""
    return list_balances(organization, [member])[member.pk]


def wallet_balance(organization: Organization) -> Decimal:
    """What the wallet of an organization holds, with four places."""
    wallets = LedgerAccount.objects.filter(organization=organization, kind=LedgerAccount.Kind.WALLET, member=None)
    return wallets.values_list("balance", flat=True).first() or NO_CREDIT


def held_in(organization: Organization, departments: Sequence[Department]) -> Decimal:
    """What the members of some departments who have not left hold together, with four places."""
    people = Member.objects.of(organization).present().filter(department__in=[entry.pk for entry in departments])
    accounts = LedgerAccount.objects.filter(organization=organization, member__in=people.values("pk"))
    held: Decimal | None = accounts.aggregate(held=Sum("balance"))["held"]
    return held or NO_CREDIT
