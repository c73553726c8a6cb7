"""What the leaving of somebody means to their credit: it stays with the account, and is recharged no more."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from credit.recharge_plans import lock_accounts, switch_off
from credit.recharge_texts import terms_text
from credit.selectors.balances import balance_of
from credit.selectors.recharges import list_recharging
from members.access import Actor, Capability
from members.models import Member, Organization
from members.registry import LeavingLine, LeavingPart, Text, registry
from skypemgr.money import money

CREDIT, RECHARGE = "credit", "auto-recharge"


def register() -> None:
    """Called once at start-up."""
    registry.add(
        LeavingPart(
            key="credit",
            order=20,
            capability=Capability.VIEW_MEMBERS,
            lines=_credit,
            apply=_note_credit,
            tell=_tell_credit,
        ),
        LeavingPart(
            key="recharge",
            order=30,
            capability=Capability.MANAGE_CREDIT,
            lines=_recharge,
            apply=_stop_recharge,
            tell=_tell_recharge,
        ),
    )


def _credit(member: Member) -> list[LeavingLine]:
    return [
        LeavingLine(
            key=CREDIT,
            label=_("Credit"),
            value=money(balance_of(member.organization, member), member.organization.currency),
            note=gettext("Stays with the account, and goes to whoever is handed it over."),
        )
    ]


def _note_credit(
    actor: Actor, organization: Organization, member: Member, choices: Mapping[str, str], reason: str
) -> list[dict[str, object]]:
    return [{"key": CREDIT, "outcome": "stays", "balance": f"{balance_of(organization, member):.4f}"}]


def _tell_credit(organization: Organization, fact: Mapping[str, Any]) -> tuple[Text, str]:
    amount = money(Decimal(fact["balance"]), organization.currency) if "balance" in fact else ""
    return _("Credit"), gettext("{amount} stayed with the account.").format(amount=amount)


def _recharge(member: Member) -> list[LeavingLine]:
    recharging = list_recharging(member.organization, [member]).get(member.pk)
    if recharging is None or recharging.plan is None or not recharging.plan.active:
        return []
    return [
        LeavingLine(
            key=RECHARGE,
            label=_("Auto-recharge"),
            value=terms_text(recharging, member.organization),
            note=gettext("Is turned off: the account takes nothing from the wallet any more."),
        )
    ]


@transaction.atomic(savepoint=False)
def _stop_recharge(
    actor: Actor, organization: Organization, member: Member, choices: Mapping[str, str], reason: str
) -> list[dict[str, object]]:
    active = Member.objects.filter(pk=member.pk, recharge_plan__active=True)
    keys = list(lock_accounts(organization, active))
    stopped = switch_off(organization=organization, actor=actor, keys=keys)
    return [{"key": RECHARGE, "outcome": "stopped"}] if stopped else []


def _tell_recharge(organization: Organization, fact: Mapping[str, Any]) -> tuple[Text, str]:
    return _("Auto-recharge"), gettext("Turned off.")
