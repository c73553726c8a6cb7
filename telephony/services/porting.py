"""Port orders: what a company asks for, and what those who run the installation make of it with the carrier."""

from datetime import date
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction

from members.access import Actor, Capability, require
from members.audit import Action, record
from members.locks import lock_organization
from members.models import Organization
from members.operations import claim, settle
from skypemgr.clock import database_now
from skypemgr.kill_points import kill_point
from telephony.licensing import today_of
from telephony.models import PhoneNumber, PortOrder
from telephony.port_errors import DayPassed, OrderMovedOn, ReasonNeeded, WantedDayPassed
from telephony.port_letters import write_port_letter
from telephony.porting import (
    ADVANCES,
    PortRequest,
    State,
    address_for,
    bring_in,
    can_cancel,
    can_edit,
    can_move,
    keep_letter,
    step_to,
    write_numbers,
)
from telephony.voice import require_voice


@transaction.atomic(durable=True)
def order_port(*, actor: Actor, organization: Organization, request: PortRequest, key: UUID) -> PortOrder:
    """Ask to bring numbers along from another carrier. The same key gives the first order.

    Raises VoiceClosed, NumberNotPortable, PortAddressNeeded, PortAddressElsewhere, NoSuchAddress, DayPassed,
    LetterMissing, LetterUnreadable, LetterTooLarge, KeyReused.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    facts = {"name": request.name, "numbers": sorted(request.numbers)}
    if earlier := claim(organization=organization, name="order_port", key=key, facts=facts):
        return PortOrder.objects.get(organization=organization, pk=earlier.result["order"])
    lock_organization(organization)
    require_voice(organization)
    now = database_now()
    order = PortOrder(organization=organization, made_by=actor.member, made_at=now)
    _write(actor, order, request)
    record(
        organization=organization,
        actor=actor,
        action=Action.PORT_ORDERED,
        subject=order,
        after={"name": order.name, "numbers": len(request.numbers), "carrier": order.carrier},
    )
    settle(organization=organization, name="order_port", key=key, result={"order": order.pk})
    return order


@transaction.atomic(durable=True)
def change_port_order(*, actor: Actor, organization: Organization, order: PortOrder, request: PortRequest) -> PortOrder:
    """Correct an order that was rejected or canceled, and ask for it again.

    Raises OrderMovedOn in another state, and what ``order_port`` raises.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    lock_organization(organization)
    order = _lock(organization, order)
    require_voice(organization)
    if not can_edit(order):
        raise _moved_on(order)
    _write(actor, order, request)
    record(
        organization=organization,
        actor=actor,
        action=Action.PORT_CHANGED,
        subject=order,
        after={"name": order.name, "numbers": len(request.numbers), "carrier": order.carrier},
    )
    return order


@transaction.atomic(durable=True)
def cancel_port_order(*, actor: Actor, organization: Organization, order: PortOrder, reason: str = "") -> PortOrder:
    """Call an order off: its numbers stay with their carrier. Who repeats it changes nothing.

    Raises OrderMovedOn once it has ended otherwise, and in the last 24 hours before the transfer.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    lock_organization(organization)
    order = _lock(organization, order)
    if order.state == State.CANCELED:
        return order
    now = database_now()
    if not can_cancel(order, now):
        raise _moved_on(order)
    order.transfer_on = None
    step_to(actor, order, State.CANCELED, now, note=reason)
    record(
        organization=organization,
        actor=actor,
        action=Action.PORT_CANCELED,
        subject=order,
        after={"name": order.name},
        reason=reason,
    )
    return order


@transaction.atomic(durable=True)
def move_port_order(*, actor: Actor, organization: Organization, order: PortOrder, transfer_on: date) -> PortOrder:
    """Choose another day for the transfer that the carrier has agreed to; a day of the organization's time zone.

    Raises DayPassed, and OrderMovedOn unless it is approved and more than 24 hours away.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    lock_organization(organization)
    order = _lock(organization, order)
    now = database_now()
    if not can_move(order, now):
        raise _moved_on(order)
    if transfer_on <= today_of(organization):
        raise DayPassed
    if transfer_on != order.transfer_on:
        before, order.transfer_on = order.transfer_on, transfer_on
        step_to(actor, order, State.APPROVED, now)
        record(
            organization=organization,
            actor=actor,
            action=Action.PORT_MOVED,
            subject=order,
            before={"transfer_on": str(before)},
            after={"transfer_on": str(transfer_on)},
        )
    return order


@transaction.atomic(durable=True)
def advance_port_order(
    *,
    actor: Actor,
    organization: Organization,
    order: PortOrder,
    state: str,
    transfer_on: date | None = None,
    reason: str = "",
) -> PortOrder:
    """Note what came of an order with its carrier, for those who run the installation; whoever ordered is told.

    Approving it takes the day of the transfer, rejecting it a reason. Raises OrderMovedOn when its state doesn't lead
    there, DayPassed, ReasonNeeded.
    """
    require(actor, organization, Capability.RUN_INSTALLATION)
    lock_organization(organization)
    order = _lock(organization, order)
    if state not in ADVANCES.get(order.state, ()) or state == State.COMPLETED:
        raise _moved_on(order)
    if state == State.APPROVED and (transfer_on is None or transfer_on < today_of(organization)):
        raise DayPassed
    if state == State.REJECTED and not reason:
        raise ReasonNeeded
    order.transfer_on = transfer_on if state == State.APPROVED else None
    _advance(actor, order, state, reason)
    return order


@transaction.atomic(durable=True)
def complete_port_order(*, actor: Actor, organization: Organization, order: PortOrder) -> list[PhoneNumber]:
    """Bring the numbers of an approved order in: they are the organization's from now on, beside its quota.

    For those who run the installation. Who repeats it gets the same numbers. Raises OrderMovedOn, NumberNotPortable,
    NoSuchAddress.
    """
    require(actor, organization, Capability.RUN_INSTALLATION)
    lock_organization(organization)
    order = _lock(organization, order)
    if order.state == State.COMPLETED:
        numbers = order.numbers.values("number")
        return list(PhoneNumber.objects.of(organization).filter(number__in=numbers).order_by("number"))
    if order.state != State.APPROVED:
        raise _moved_on(order)
    brought = bring_in(actor, order, database_now())
    _advance(actor, order, State.COMPLETED, "")
    kill_point("port.before_commit")
    return brought


def _write(actor: Actor, order: PortOrder, request: PortRequest) -> None:
    organization, now = order.organization, database_now()
    if request.wanted_on is not None and request.wanted_on <= today_of(organization):
        raise WantedDayPassed
    for name, value in request.columns.items():
        setattr(order, name, value)
    order.emergency_address = address_for(organization, request)
    order.state, order.transfer_on = State.PROCESSING, None
    order.save()
    write_numbers(order, request.numbers)
    keep_letter(actor, order, request.letter, now)
    step_to(actor, order, State.PROCESSING, now)


def _advance(actor: Actor, order: PortOrder, state: str, reason: str) -> None:
    before = order.state
    step_to(actor, order, state, database_now(), note=reason)
    record(
        organization=order.organization,
        actor=actor,
        action=Action.PORT_ADVANCED,
        subject=order,
        before={"port_state": before},
        after={"port_state": state, **({"transfer_on": str(order.transfer_on)} if order.transfer_on else {})},
        reason=reason,
    )
    write_port_letter(order)


def _lock(organization: Organization, order: PortOrder) -> PortOrder:
    # Whoever changes an order holds its organization, which parts them.
    orders = PortOrder.objects.select_related("organization", "emergency_address", "made_by__user")
    found = orders.filter(organization=organization, pk=order.pk).first()
    if found is None:
        raise PermissionDenied
    return found


def _moved_on(order: PortOrder) -> OrderMovedOn:
    return OrderMovedOn(state=order.get_state_display())
