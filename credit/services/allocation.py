"""Skype Credit goes from the wallet to members. Nothing brings it back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction

from credit.allocating import ALLOCATION, TO_MANY, hand_out_at_once, in_log
from credit.errors import HasLeft, InsufficientCredit
from credit.ledger import Move, account_of, accounts_of, post, post_to_present
from credit.models import LedgerAccount, Transfer
from credit.selectors.balances import wallet_balance
from members.access import Actor, Capability, require
from members.audit import Action, Fact, record_many
from members.errors import KeyReused, SelectionChanged
from members.models import Batch, Member, Organization
from members.models.people import MemberQuerySet
from members.operations import claim, settle
from members.runs import begin_run, keep_run
from skypemgr.kill_points import kill_point

Wallet = LedgerAccount.Kind.WALLET
State = Batch.State


@dataclass(frozen=True, kw_only=True)
class Allocated:
    """What came of an allocation: how many members got ``amount`` each, and what that left in the wallet.

    ``batch`` says who they were, when they were several.
    """

    members: int
    amount: Decimal
    wallet: Decimal
    batch: Batch | None = None


@transaction.atomic(durable=True)
def allocate_credit(
    *,
    actor: Actor,
    organization: Organization,
    members: MemberQuerySet | Sequence[Member],
    amount: Decimal,
    key: UUID,
    reason: str = "",
    asked: Mapping[str, object] | None = None,
    expected: int | None = None,
) -> Allocated:
    """Give each of ``members`` ``amount`` out of the wallet, at once and for good: all of them, or nobody.

    Who has left gets nothing; where members are named one by one and one of them has left, nobody gets any.
    ``asked`` tells a choice such as "all of Sales" from others, and ``expected`` how many it was when it was shown.
    The same key with the same facts gives the first answer and moves nothing, with others it raises KeyReused.
    Raises InsufficientCredit with what the wallet holds, HasLeft, NobodyGetsCredit, SelectionChanged.
    """
    require(actor, organization, Capability.MANAGE_CREDIT)
    named = not isinstance(members, MemberQuerySet)
    if not isinstance(members, MemberQuerySet):
        if len(members) == 1:
            return _to_one(actor, organization, members[0], amount, key, reason)
        keys = sorted({member.pk for member in members})
        members, asked, expected = Member.objects.filter(pk__in=keys), {"members": keys}, len(keys)
    claimed: dict[str, object] = {"amount": f"{amount:.4f}", "reason": reason, "asked": asked}
    if earlier := claim(organization=organization, name=TO_MANY, key=key, facts=claimed):
        return _answer(Batch.objects.get(organization=organization, pk=earlier.result["batch"]))
    batch = keep_run(
        actor=actor,
        organization=organization,
        kind=TO_MANY,
        members=members,
        facts={**_facts(organization, amount, key, reason), "each": named},
        state=State.RUNNING,
    )
    if expected not in (None, batch.total):
        if named:
            raise PermissionDenied
        raise SelectionChanged(expected=expected, number=batch.total)
    hand_out_at_once(actor, batch)
    settle(organization=organization, name=TO_MANY, key=key, result={"batch": batch.pk})
    kill_point("allocation.before_commit")
    return _answer(batch)


@transaction.atomic(durable=True)
def start_allocation(
    *,
    actor: Actor,
    organization: Organization,
    members: MemberQuerySet,
    amount: Decimal,
    key: UUID,
    reason: str = "",
    asked: Mapping[str, object],
    expected: int,
) -> Batch:
    """Begin to do what ``allocate_credit`` does behind the pages, for more members than a page can wait for.

    Raises InsufficientCredit when the wallet covers it not even now, SelectionChanged, KeyReused.
    """
    require(actor, organization, Capability.MANAGE_CREDIT)
    claimed: dict[str, object] = {"amount": f"{amount:.4f}", "reason": reason, "asked": asked}
    if earlier := claim(organization=organization, name=TO_MANY, key=key, facts=claimed):
        return Batch.objects.get(organization=organization, pk=earlier.result["batch"])
    batch = begin_run(
        actor=actor,
        organization=organization,
        kind=TO_MANY,
        members=members,
        expected=expected,
        facts=_facts(organization, amount, key, reason),
    )
    getting = members.of(organization).present().order_by().count()
    if (held := wallet_balance(organization)) < amount * getting:
        raise InsufficientCredit(
            account=account_of(organization, Wallet),
            balance=held,
            wanted=amount * getting,
            currency=organization.currency,
        )
    settle(organization=organization, name=TO_MANY, key=key, result={"batch": batch.pk})
    return batch


def _facts(organization: Organization, amount: Decimal, key: UUID, reason: str) -> dict[str, object]:
    return {"amount": f"{amount:.4f}", "currency": organization.currency, "reason": reason, "key": str(key)}


def _answer(batch: Batch) -> Allocated:
    facts = batch.facts
    return Allocated(
        members=facts["members"], amount=Decimal(facts["amount"]), wallet=Decimal(facts["wallet"]), batch=batch
    )


def _to_one(
    actor: Actor, organization: Organization, member: Member, amount: Decimal, key: UUID, reason: str
) -> Allocated:
    fact = Fact(
        action=Action.CREDIT_ALLOCATED,
        subject=member,
        after={"amount": in_log(amount, organization)},
        reason=reason,
    )
    posted = post_to_present(
        organization=organization,
        operation=ALLOCATION,
        member=member,
        amount=amount,
        key=key,
        actor=actor,
        reason=reason,
        fact=fact,
    )
    if posted is None:
        move = Move(*_lock_accounts(organization, member, key), amount, key)
        posted = post(
            organization=organization, operation=ALLOCATION, moves=[move], actor=actor, reason=reason, alone=True
        )
    if posted.repeated and (posted.known_reason, posted.known_batch) != (reason, None):
        raise KeyReused
    if posted.new and not posted.recorded:
        record_many(organization=organization, actor=actor, facts=[fact])
    kill_point("allocation.before_commit")
    assert posted.left is not None
    return Allocated(members=1, amount=amount, wallet=posted.left)


def _lock_accounts(organization: Organization, member: Member, key: UUID) -> tuple[int, int]:
    """The wallet and the account of a member whose first credit it is, or who has left since ``key`` was used."""
    states = Member.objects.of(organization).select_for_update(no_key=True).filter(pk=member.pk)
    state = states.values_list("state", flat=True).first()
    if state is None:
        raise PermissionDenied
    [account] = accounts_of(organization, [member]).values()
    transfers = Transfer.objects.filter(organization=organization, operation=ALLOCATION, key=key, target=account)
    if state == Member.State.LEFT and not transfers.exists():
        raise HasLeft(name=member.user.display_name)
    return account_of(organization, Wallet), account
