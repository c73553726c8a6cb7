"""What the leaving of somebody means to Voice: their number, and the seats of their licenses."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from members.access import Actor, Capability
from members.leaving import ends_with_invitation
from members.models import Member, Organization
from members.registry import AccountEnd, LeavingDays, LeavingLine, LeavingPart, Text, registry
from skypemgr.clock import database_now
from telephony.assigning import MOST_COOLING, take_back
from telephony.catalog import Catalog
from telephony.license_errors import KeptWithoutRequired
from telephony.models import LicenseAssignment, Product
from telephony.phone_numbers import shown_number
from telephony.seating import end_all_seats, end_seats
from telephony.selectors.assignments import open_assignments

NUMBER, COOLING = "number", "cooling-days"
LICENSE = "license-"
FREE, END, KEEP = "free", "end", "keep"
COOLING_DAYS = 30


def register() -> None:
    """Called once at start-up."""
    registry.add(
        LeavingPart(
            key="voice",
            order=40,
            capability=Capability.MANAGE_VOICE,
            lines=lambda member: [*_number(member), *_licenses(member)],
            apply=_apply,
            tell=_tell,
        ),
        AccountEnd(key="voice", order=40, apply=_end),
    )


@transaction.atomic(savepoint=False)
def _end(actor: Actor, organization: Organization, keys: Sequence[int]) -> None:
    """Take back what accounts had been given that nobody ever joined with."""
    take_back(actor=actor, organization=organization, members=keys, now=database_now(), cooling_days=COOLING_DAYS)
    end_all_seats(organization, actor, keys)


def _number(member: Member) -> list[LeavingLine]:
    days = LeavingDays(
        key=COOLING,
        label=_("Days in which nobody else gets the number"),
        initial=COOLING_DAYS,
        most=MOST_COOLING,
        note=_("So that calls for this person don’t reach the next one. 0: it can be given at once. At most 365."),
    )
    return [
        LeavingLine(
            key=NUMBER,
            label=_("Phone number"),
            value=shown_number(assignment.number.number),
            note=gettext("Emergency address: {name}").format(name=assignment.emergency_address.name),
            choices=[(FREE, pgettext_lazy("phone number", "Take it back"))]
            if ends_with_invitation(member)
            else [
                (FREE, pgettext_lazy("phone number", "Take it back")),
                (KEEP, _("Leave it with the account, for whoever gets that")),
            ],
            days=days,
        )
        for assignment in open_assignments(member.organization, [member])
    ]


def _licenses(member: Member) -> list[LeavingLine]:
    seats = LicenseAssignment.objects.filter(organization=member.organization_id, member=member).open()
    end, keep = (END, _("End it: the seat is free for somebody else")), (KEEP, _("Leave it with the account"))
    return [
        LeavingLine(
            key=f"{LICENSE}{seat.product.code}",
            label=_("License"),
            value=seat.product.name,
            choices=[end] if ends_with_invitation(member) else [end, keep],
        )
        for seat in seats.select_related("product").order_by("product__order", "pk")
    ]


@transaction.atomic(savepoint=False)
def _apply(
    actor: Actor, organization: Organization, member: Member, choices: Mapping[str, str], reason: str
) -> list[dict[str, object]]:
    has = [key.removeprefix(LICENSE) for key in choices if key.startswith(LICENSE)]
    ending = [code for code in has if choices[f"{LICENSE}{code}"] == END]
    _refuse_kept_without(has, ending)
    return [
        *_apply_number(actor, organization, member, choices, reason),
        *_apply_licenses(actor, organization, member, has, ending),
    ]


def _refuse_kept_without(has: list[str], ending: list[str]) -> None:
    """Raise KeptWithoutRequired for a seat that would stay without what it requires."""
    catalog, kept = Catalog.load(), set(has) - set(ending)
    for code in (code for code in has if code in kept):
        if not catalog.meets(code, kept) and catalog.meets(code, has):
            needed = [other for other in ending if catalog.requires[code] & catalog.had_with([other])]
            raise KeptWithoutRequired(
                field=f"{LICENSE}{code}", product=catalog.names([code]), required=catalog.names(needed[:1])
            )


def _apply_number(
    actor: Actor, organization: Organization, member: Member, choices: Mapping[str, str], reason: str
) -> list[dict[str, object]]:
    if NUMBER not in choices:
        return []
    if choices[NUMBER] == KEEP:
        kept = open_assignments(organization, [member])
        return [{"key": NUMBER, "outcome": "kept", "number": one.number.number} for one in kept]
    days = int(choices[COOLING])
    freed = take_back(
        actor=actor,
        organization=organization,
        members=[member.pk],
        now=database_now(),
        cooling_days=days,
        reason=reason,
    )
    return [{"key": NUMBER, "outcome": "freed", "number": number, "cooling_days": days} for number in freed]


def _apply_licenses(
    actor: Actor, organization: Organization, member: Member, has: list[str], ending: list[str]
) -> list[dict[str, object]]:
    if ending:
        why = dict.fromkeys(ending, LicenseAssignment.Ending.UNASSIGNED)
        end_seats(organization, actor, {code: [member.pk] for code in ending}, why)
    return [
        {"key": f"{LICENSE}{code}", "outcome": "ended" if code in ending else "kept", "product": code} for code in has
    ]


def _tell(organization: Organization, fact: Mapping[str, Any]) -> tuple[Text, str]:
    if fact["key"] == NUMBER:
        return _("Phone number"), _tell_number(fact)
    code = fact["key"].removeprefix(LICENSE)
    name = Product.objects.filter(code=code).first()
    kept = fact["outcome"] == "kept"
    text = gettext("{product}: stayed with the account.") if kept else gettext("{product}: ended.")
    return _("License"), text.format(product=name.name if name else code)


def _tell_number(fact: Mapping[str, Any]) -> str:
    number, days = shown_number(fact.get("number", "")), fact.get("cooling_days", 0)
    if fact["outcome"] == "kept":
        return gettext("{number} stayed with the account.").format(number=number)
    if not days:
        return gettext("{number} was taken back, and can be given to somebody else.").format(number=number)
    text = ngettext(
        "{number} was taken back; nobody else gets it for {days} day.",
        "{number} was taken back; nobody else gets it for {days} days.",
        days,
    )
    return text.format(number=number, days=days)
