"""Credit for many members at once, as a batch: posted for all of them in one transaction, or for nobody."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from credit.amounts import BY_FILE
from credit.errors import HasLeft, InsufficientCredit, NobodyGetsCredit
from credit.ledger import Move, account_of, accounts_of, post
from credit.models import LedgerAccount, Transfer
from members.access import Actor, Capability
from members.audit import Action, record
from members.batches import BatchKind, Portion
from members.errors import KeyReused
from members.models import Batch, BatchRow, Member, Organization
from members.registry import registry
from members.runs import note_outcome
from skypemgr.clock import DatabaseClock
from skypemgr.money import money, places_of

ALLOCATION = Transfer.Operation.ALLOCATION
TO_MANY = "allocate_credit"


@transaction.atomic(savepoint=False)
def hand_out(portion: Portion) -> Mapping[int, str]:
    """Give everybody of a batch what its ``facts`` say, and note in them what that came to.

    Who has left is left alone, unless ``each`` of them was named. Raises InsufficientCredit, HasLeft,
    NobodyGetsCredit, KeyReused.
    """
    batch, organization, facts = portion.batch, portion.organization, portion.facts
    states = _lock_members(portion)
    left = [member for member, state in states.items() if state == Member.State.LEFT]
    if left and facts.get("each"):
        raise HasLeft(name=Member.objects.select_related("user").get(pk=left[0]).user.display_name)
    shares = _shares(batch, [member for member in states if member not in set(left)])
    if not shares:
        raise NobodyGetsCredit
    accounts = accounts_of(organization, shares)
    wallet, key, now = account_of(organization, LedgerAccount.Kind.WALLET), UUID(facts["key"]), timezone.now()
    total = sum((amount for amount, _reason in shares.values()), Decimal())
    by_reason: dict[str, list[Move]] = {}
    for member, (amount, reason) in shares.items():
        by_reason.setdefault(reason, []).append(Move(wallet, accounts[member], amount, key, now))
    if len(by_reason) > 1:
        _lock_accounts(organization, wallet, list(accounts.values()), total)
    for reason, moves in by_reason.items():
        post(
            organization=organization,
            operation=ALLOCATION,
            moves=moves,
            actor=portion.actor,
            batch=batch,
            reason=reason,
        )
    # Asked only now that the wallet is locked: whoever used the key for something else has ended.
    of_key = Transfer.objects.filter(organization=organization, operation=ALLOCATION, key=key)
    if set(of_key.values_list("batch_id", flat=True).distinct()) != {batch.pk}:
        raise KeyReused
    held = LedgerAccount.objects.values_list("balance", flat=True).get(organization=organization, pk=wallet)
    batch.facts |= {"members": len(shares), "sum": f"{total:.4f}", "wallet": f"{held:.4f}"}
    told = {"people": len(shares), "sum": in_log(total, organization)}
    if "amount" in facts:
        told["amount"] = in_log(Decimal(facts["amount"]), organization)
    record(
        organization=organization,
        actor=portion.actor,
        action=Action.CREDIT_ALLOCATED,
        subject=batch,
        after=told,
        reason=facts.get("reason", ""),
    )
    return dict.fromkeys(left, "left")


@transaction.atomic(savepoint=False)
def hand_out_at_once(actor: Actor, batch: Batch) -> None:
    """Give everybody of a batch that has begun theirs, and end it. Raises what ``hand_out`` does."""
    parts = list(batch.slices.order_by("number"))
    everybody = [member for part in parts for member in part.members]
    untouched = hand_out(Portion(organization=batch.organization, actor=actor, batch=batch, keys=everybody))
    note_outcome(batch, parts, untouched=untouched, failed={})
    batch.state = Batch.State.DONE
    Batch.objects.filter(pk=batch.pk).update(state=batch.state, finished_at=DatabaseClock(), facts=batch.facts)


def _shares(batch: Batch, members: Sequence[int]) -> dict[int, tuple[Decimal, str]]:
    """How much each member gets and why: the same for all, or what the rows of a file say."""
    if "amount" in batch.facts:
        return dict.fromkeys(members, (Decimal(batch.facts["amount"]), batch.facts["reason"]))
    rows = batch.rows.filter(outcome=BatchRow.Outcome.READY).order_by("number").values_list("member", "data")
    found = {member: (Decimal(data["amount"]), data["reason"]) for member, data in rows}
    return {member: found[member] for member in members}


def _lock_accounts(organization: Organization, wallet: int, accounts: Sequence[int], total: Decimal) -> None:
    """Lock the wallet after all members' accounts, for several posts; refuse what it does not cover as a whole."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM credit_ledgeraccount WHERE id = ANY (%s) ORDER BY id FOR NO KEY UPDATE", [list(accounts)]
        )
    of_wallet = LedgerAccount.objects.select_for_update(no_key=True).filter(organization=organization, pk=wallet)
    held = of_wallet.values_list("balance", flat=True).get() or Decimal()
    if held < total:
        raise InsufficientCredit(account=wallet, balance=held, wanted=total, currency=organization.currency)


def in_log(amount: Decimal, organization: Organization) -> str:
    """An amount as the log keeps it, for readers of any language: "12.50 EUR"."""
    return f"{amount:.{places_of(organization.currency)}f} {organization.currency}"


def _lock_members(portion: Portion) -> dict[int, str]:
    """Those of a portion with their states, which stay as they are until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, state FROM members_member WHERE organization_id = %s AND id = ANY (%s)"
            " ORDER BY id FOR NO KEY UPDATE",
            [portion.organization.pk, list(portion.keys)],
        )
        return dict(cursor.fetchall())


def _how_much(facts: Mapping[str, Any]) -> str:
    told = []
    if "amount" in facts:
        told.append(gettext("{amount} for each").format(amount=money(Decimal(facts["amount"]), facts["currency"])))
    if "sum" in facts:
        told.append(gettext("{sum} in all").format(sum=money(Decimal(facts["sum"]), facts["currency"])))
    return ", ".join(told)


def _share_of(row: BatchRow, facts: Mapping[str, Any]) -> str:
    if "amount" not in row.data:
        return ""
    amount = money(Decimal(row.data["amount"]), facts["currency"])
    return f"{amount} · {row.data['reason']}" if row.data["reason"] else amount


def _why_not(facts: Mapping[str, Any]) -> str:
    told: Mapping[str, str] = facts.get("stopped_facts", {})
    match facts.get("stopped"):
        case InsufficientCredit.__name__:
            refusal = InsufficientCredit(
                account=int(told["account"]),
                balance=Decimal(told["balance"]),
                wanted=Decimal(told["wanted"]),
                currency=told["currency"],
            )
            return gettext("{reason} Nobody got any.").format(reason=refusal)
        case HasLeft.__name__:
            return gettext("{reason} Nobody got any.").format(reason=HasLeft(**told))
        case NobodyGetsCredit.__name__:
            return str(NobodyGetsCredit())
        case _:
            return ""


def register() -> None:
    """Called once at start-up."""
    registry.add(
        BatchKind(
            key=TO_MANY,
            label=_("Adding credit"),
            done=_("Got credit"),
            capability=Capability.MANAGE_CREDIT,
            apply=hand_out,
            together=True,
            reasons={"left": _("Has left")},
            describe=_how_much,
            explain=_why_not,
        ),
        BatchKind(
            key=BY_FILE,
            label=_("Adding credit by a file"),
            done=_("Got credit"),
            capability=Capability.MANAGE_CREDIT,
            apply=hand_out,
            together=True,
            describe=_how_much,
            explain=_why_not,
            tell=_share_of,
        ),
    )
