"""Auto-recharge of the wallet: how much, when, and at most how much in a month."""

from decimal import Decimal

from django.db import transaction

from credit.errors import LimitBelowAmount, NoSavedCard, ThresholdAboveAmount
from credit.models import WalletRecharge
from credit.selectors.cards import saved_card
from credit.sellers import price_for
from credit.wallet_recharges import lock_plan, require_payable
from members.access import Actor, Capability, require
from members.audit import Action, record
from members.models import Organization
from skypemgr.background import wake
from skypemgr.clock import DatabaseClock


@transaction.atomic(durable=True)
def save_wallet_recharge(
    *, actor: Actor, organization: Organization, amount: Decimal, below: Decimal, monthly_limit: Decimal
) -> WalletRecharge:
    """Recharge the wallet from the saved card from now on; at once if it is below already. Ends a pause.

    Raises NoSavedCard, ThresholdAboveAmount, LimitBelowAmount, NotPayableByCard.
    """
    require(actor, organization, Capability.MANAGE_CREDIT)
    plan = lock_plan(organization)
    if saved_card(organization) is None:
        raise NoSavedCard
    if below > amount:
        raise ThresholdAboveAmount
    if monthly_limit < amount:
        raise LimitBelowAmount
    require_payable(organization, price_for(organization, amount))
    before = _facts(plan) if plan else {}
    saved, _made = WalletRecharge.objects.update_or_create(
        organization=organization,
        defaults={
            "amount": amount,
            "below": below,
            "monthly_limit": monthly_limit,
            "state": WalletRecharge.State.ACTIVE,
            "reason": "",
            "paused_at": None,
            "look_at": DatabaseClock(),
            "saved_by": actor.member,
            "saved_at": DatabaseClock(),
        },
    )
    saved.refresh_from_db()
    record(
        organization=organization,
        actor=actor,
        action=Action.WALLET_RECHARGE_SAVED,
        subject=saved,
        before=before,
        after=_facts(saved),
    )
    wake("credit.look_after_cards")
    return saved


@transaction.atomic(durable=True)
def stop_wallet_recharge(*, actor: Actor, organization: Organization) -> bool:
    """Recharge the wallet no more; False when it wasn't. What is under way is finished."""
    require(actor, organization, Capability.MANAGE_CREDIT)
    plan = lock_plan(organization)
    if plan is None or plan.state == WalletRecharge.State.OFF:
        return False
    WalletRecharge.objects.filter(pk=plan.pk).update(
        state=WalletRecharge.State.OFF,
        reason="",
        paused_at=None,
        saved_by=actor.member,
        saved_at=DatabaseClock(),
    )
    record(
        organization=organization,
        actor=actor,
        action=Action.WALLET_RECHARGE_STOPPED,
        subject=plan,
        before=_facts(plan),
    )
    return True


def _facts(plan: WalletRecharge) -> dict[str, object]:
    return {
        "amount": str(plan.amount),
        "below": str(plan.below),
        "monthly_limit": str(plan.monthly_limit),
        "state": str(plan.state),
    }
