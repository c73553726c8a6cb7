"""Skype Credit goes from the wallet to members. Nothing brings it back."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction

from credit.errors import HasLeft
from credit.ledger import Move, account_of, accounts_of, post
from credit.models import LedgerAccount, Transfer
from members.access import Actor, Capability, require
from members.audit import Action, record
from members.errors import KeyReused
from members.models import Member, Organization
from skypemgr.kill_points import kill_point

ALLOCATION = Transfer.Operation.ALLOCATION


@dataclass(frozen=True, kw_only=True)
class Allocated:
    """What came of an allocation: how many members got ``amount`` each, and what that left in the wallet."""

    members: int
    amount: Decimal
    wallet: Decimal


@transaction.atomic(durable=True)
def allocate_credit(
    *,
    actor: Actor,
    organization: Organization,
    members: Sequence[Member],
    amount: Decimal,
    key: UUID,
    reason: str = "",
) -> Allocated:
    """Give each of ``members`` ``amount`` out of the wallet, at once and for good.

    The same key with the same facts gives the first answer and moves nothing, with others it raises KeyReused.
    Raises InsufficientCredit with what the wallet holds, HasLeft.
    """
    require(actor, organization, Capability.MANAGE_CREDIT)
    [member] = members
    state = Member.objects.of(organization).select_for_update(no_key=True).filter(pk=member.pk).values_list("state")
    found = state.first()
    if found is None:
        raise PermissionDenied
    [account] = accounts_of(organization, [member]).values()
    of_key = Transfer.objects.filter(organization=organization, operation=ALLOCATION, key=key)
    if found == (Member.State.LEFT,) and not of_key.filter(target=account).exists():
        raise HasLeft(name=member.user.display_name)
    wallet = account_of(organization, LedgerAccount.Kind.WALLET)
    move = Move(wallet, account, amount, key)
    posted = post(organization=organization, operation=ALLOCATION, moves=[move], actor=actor, reason=reason)
    # Asked only now that the wallet is locked: whoever used the key for somebody else has ended.
    transfers = list(of_key[:2])
    if [(entry.target_id, entry.reason) for entry in transfers] != [(account, reason)]:
        raise KeyReused
    if posted.new:
        record(
            organization=organization,
            actor=actor,
            action=Action.CREDIT_ALLOCATED,
            subject=member,
            after={"amount": f"{amount:f} {organization.currency}"},
            reason=reason,
        )
    kill_point("allocation.before_commit")
    [transfer] = transfers
    assert transfer.source_after is not None
    return Allocated(members=1, amount=amount, wallet=transfer.source_after)
