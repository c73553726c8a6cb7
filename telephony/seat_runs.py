"""Seats for many behind the pages, as runs: for all of them in one transaction, or for nobody."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from members.access import Actor, Capability
from members.acts import lock_members
from members.batches import BatchKind, Portion
from members.bulk import sort_out
from members.models import Organization
from members.models.people import MemberQuerySet
from members.registry import registry
from telephony.license_errors import NoFreeSeat, NumberNeedsIt, StillNeeded
from telephony.models import Product
from telephony.product_names import name_of
from telephony.seat_reach import assign_exceptions, unassign_exceptions
from telephony.seating import give_seats, take_seats

ASSIGN, TAKE = "assign_licenses", "unassign_licenses"
REASONS = {
    "left": _("Has left"),
    "there": _("Had one already"),
    "personal": _("Has a personal account"),
    "included": _("Has it already with another product"),
    "lacking": _("Lacks what it requires"),
    "none": _("Had none"),
}


@transaction.atomic(savepoint=False)
def give_to_able(
    organization: Organization, actor: Actor, product: Product, chosen: MemberQuerySet
) -> tuple[int, dict[int, str]]:
    """Give a seat to each of some members, locked already, who can have one; how many, and why others got none.

    All of them get one, or nobody: raises NoFreeSeat.
    """
    keys, reasons = sort_out(chosen, assign_exceptions(organization, product))
    plan = give_seats(organization, actor, product, keys)
    return len(plan.getting) + len(plan.waking), reasons


@transaction.atomic(savepoint=False)
def _assign(portion: Portion) -> Mapping[int, str]:
    lock_members(portion.members)
    _number, reasons = give_to_able(portion.organization, portion.actor, _product(portion), portion.members)
    return reasons


@transaction.atomic(savepoint=False)
def _take(portion: Portion) -> Mapping[int, str]:
    lock_members(portion.members)
    product = _product(portion)
    keys, reasons = sort_out(portion.members, unassign_exceptions(portion.organization, product))
    together = bool(portion.facts["together"])
    take_seats(portion.organization, portion.actor, product, keys, with_dependents=together)
    return reasons


def _product(portion: Portion) -> Product:
    return Product.objects.get(code=portion.facts["product"])


def _which(facts: Mapping[str, Any]) -> str:
    return name_of(facts["product"])


def _why_not(facts: Mapping[str, Any]) -> str:
    told: Mapping[str, str] = facts.get("stopped_facts", {})
    stopped = facts.get("stopped")
    if stopped == NoFreeSeat.__name__:
        refusal = NoFreeSeat(product=_which(facts), wanted=int(told["wanted"]), free=int(told["free"]))
        return gettext("{reason} Nobody got one.").format(reason=refusal)
    for error in (StillNeeded, NumberNeedsIt):
        if stopped == error.__name__:
            reason = error(**{**told, "people": int(told["people"])})
            return gettext("{reason} Nobody lost one.").format(reason=reason)
    return ""


def register() -> None:
    """Called once at start-up."""
    registry.add(
        BatchKind(
            key=ASSIGN,
            label=_("Assigning licenses"),
            done=_("Got a seat"),
            capability=Capability.MANAGE_VOICE,
            apply=_assign,
            together=True,
            reasons=REASONS,
            describe=_which,
            explain=_why_not,
        ),
        BatchKind(
            key=TAKE,
            label=_("Taking licenses away"),
            done=pgettext_lazy("seat", "Taken away"),
            capability=Capability.MANAGE_VOICE,
            apply=_take,
            together=True,
            reasons=REASONS,
            describe=_which,
            explain=_why_not,
        ),
    )
