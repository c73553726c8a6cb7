"""Credit for many members at once, as a batch: posted for all of them in one transaction, or for nobody."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from credit.errors import HasLeft, InsufficientCredit, NobodyGetsCredit
from credit.ledger import Move, account_of, accounts_of, post
from credit.models import LedgerAccount, Transfer
from members.access import Capability
from members.audit import Action, record
from members.batches import BatchKind, Portion
from members.errors import KeyReused
from members.models import Member, Organization
from members.registry import registry
from skypemgr.money import money, places_of

ALLOCATION = Transfer.Operation.ALLOCATION
TO_MANY = "allocate_credit"


@transaction.atomic(savepoint=False)
def hand_out(portion: Portion) -> Mapping[int, str]:
    """Give everybody of a batch what its ``facts`` say, and note in them what that came to.

    Who has left is left alone, unless ``each`` of them was named. Raises InsufficientCredit, HasLeft,
    NobodyGetsCredit, KeyReused.
    """
    batch, facts, organization = portion.batch, portion.facts, portion.organization
    states = _lock_members(portion)
    left = [key for key, state in states.items() if state == Member.State.LEFT]
    if left and facts.get("each"):
        raise HasLeft(name=Member.objects.select_related("user").get(pk=left[0]).user.display_name)
    getting = [key for key in states if key not in set(left)]
    if not getting:
        raise NobodyGetsCredit
    accounts = accounts_of(organization, getting)
    wallet = account_of(organization, LedgerAccount.Kind.WALLET)
    amount, key, now = Decimal(facts["amount"]), UUID(facts["key"]), timezone.now()
    moves = [Move(wallet, accounts[member], amount, key, now) for member in getting]
    posted = post(
        organization=organization,
        operation=ALLOCATION,
        moves=moves,
        actor=portion.actor,
        batch=batch,
        reason=facts["reason"],
    )
    # Asked only now that the wallet is locked: whoever used the key for something else has ended.
    if Transfer.objects.filter(organization=organization, operation=ALLOCATION, key=key).count() != posted.new:
        raise KeyReused
    total = sum((move.amount for move in moves), Decimal())
    held = LedgerAccount.objects.values_list("balance", flat=True).get(organization=organization, pk=wallet)
    batch.facts |= {"members": len(moves), "sum": f"{total:.4f}", "wallet": f"{held:.4f}"}
    record(
        organization=organization,
        actor=portion.actor,
        action=Action.CREDIT_ALLOCATED,
        subject=batch,
        after={
            "people": len(moves),
            "amount": in_log(amount, organization),
            "sum": in_log(total, organization),
        },
        reason=facts["reason"],
    )
    return dict.fromkeys(left, "left")


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
    return gettext("{amount} for each").format(amount=money(Decimal(facts["amount"]), facts["currency"]))


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
        )
    )
