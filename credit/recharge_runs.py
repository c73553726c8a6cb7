"""Auto-recharge set for many members behind the pages, as a run."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from credit.recharge_plans import Terms, activate, lock_accounts, rechargeable, switch_off
from credit.recharging import recharge
from members.access import Capability
from members.batches import BatchKind, Portion
from members.bulk import Exceptions, sort_out
from members.models import Member
from members.registry import registry
from skypemgr.money import money

SET, STOP = "set_auto_recharge", "stop_auto_recharge"
REASONS = {"left": _("Has left"), "there": _("Had these terms already"), "off": _("Was off already")}


def set_exceptions(terms: Terms) -> Exceptions:
    """Who is left alone when auto-recharge is set, and why."""
    same = {f"recharge_plan__{name}": value for name, value in terms.as_facts().items()}
    return [("left", Q(state=Member.State.LEFT)), ("there", Q(recharge_plan__active=True, **same))]


def stop_exceptions() -> Exceptions:
    """Who is left alone when it is turned off, and why."""
    return [("off", Q(recharge_plan=None) | Q(recharge_plan__active=False))]


@transaction.atomic(savepoint=False)
def _set(portion: Portion) -> Mapping[int, str]:
    terms = read_terms(portion.facts)
    accounts = lock_accounts(portion.organization, rechargeable(portion.members))
    keys, reasons = sort_out(portion.members, set_exceptions(terms))
    activate(organization=portion.organization, actor=portion.actor, keys=keys, terms=terms)
    recharge(organization=portion.organization, accounts=[accounts[key] for key in keys])
    return reasons


@transaction.atomic(savepoint=False)
def _stop(portion: Portion) -> Mapping[int, str]:
    lock_accounts(portion.organization, portion.members.filter(recharge_plan__active=True))
    keys, reasons = sort_out(portion.members, stop_exceptions())
    switch_off(organization=portion.organization, actor=portion.actor, keys=keys)
    return reasons


def facts_of(terms: Terms, currency: str) -> dict[str, str]:
    """Terms as the facts of a run keep them."""
    return {**{name: f"{value:.4f}" for name, value in terms.as_facts().items()}, "currency": currency}


def read_terms(facts: Mapping[str, Any]) -> Terms:
    """Terms of the facts of a run."""
    return Terms(**{name: Decimal(facts[name]) for name in ("amount", "below", "monthly_limit")})


def _how(facts: Mapping[str, Any]) -> str:
    shown = {name: money(value, facts["currency"]) for name, value in read_terms(facts).as_facts().items()}
    return gettext("{amount} below {below}, up to {monthly_limit} a month").format(**shown)


def register() -> None:
    """Called once at start-up."""
    registry.add(
        BatchKind(
            key=SET,
            label=_("Setting auto-recharge"),
            done=_("Auto-recharge set"),
            capability=Capability.MANAGE_CREDIT,
            apply=_set,
            reasons=REASONS,
            describe=_how,
        ),
        BatchKind(
            key=STOP,
            label=_("Turning off auto-recharge"),
            done=_("Auto-recharge turned off"),
            capability=Capability.MANAGE_CREDIT,
            apply=_stop,
            reasons=REASONS,
        ),
    )
