"""Numbers of the stock are reserved for ten minutes, acquired, or let go.

What a request has seen to be over stays so: it is written down in a transaction that no refusal takes back.
"""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction

from members.access import Actor, Capability, require
from members.audit import Action, record
from members.locks import lock_organization
from members.models import Organization
from members.operations import claim, is_claimed, settle
from skypemgr.clock import database_now
from skypemgr.kill_points import kill_point
from telephony.accepting import accept_for
from telephony.acquiring import addresses_for, check_prices, take
from telephony.errors import (
    NotHeld,
    NothingChosen,
    NothingFree,
    QuotaReached,
    ReservationOver,
    TooManyHeld,
    TooManyReservations,
)
from telephony.holding import end, has_free, hold, let_go, lock_held, lock_reservations
from telephony.models import EmergencyAddress, NumberAcquisition, NumberArea, PhoneNumber, Reservation
from telephony.number_fees import pay_first_month
from telephony.quotas import quota_of
from telephony.selectors.reservations import has_overdue, live_reservations
from telephony.services.reservation_work import expire_some
from telephony.voice import require_voice

# Of one organization at a time.
MOST_RESERVATIONS = 10
MOST_HELD = 200

Ended = Reservation.Ended
State = NumberAcquisition.State


def reserve_numbers(
    *, actor: Actor, organization: Organization, area: NumberArea, quantity: int, key: UUID
) -> Reservation:
    """Hold up to ``quantity`` numbers of an area for ten minutes: as many as are free, which may be fewer.

    The same key gives the first reservation. Raises VoiceClosed, NothingFree, QuotaReached, TooManyReservations,
    TooManyHeld, KeyReused.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    if has_overdue(organization):
        expire_some(organization=organization)
    if not has_free(organization, area) and not is_claimed(organization=organization, name="reserve_numbers", key=key):
        # When many want the last numbers of a city, those who come too late neither wait nor write.
        require_voice(organization)
        raise NothingFree(place=str(area))
    return _reserve(actor=actor, organization=organization, area=area, quantity=quantity, key=key)


@transaction.atomic(durable=True)
def _reserve(*, actor: Actor, organization: Organization, area: NumberArea, quantity: int, key: UUID) -> Reservation:
    asked = {"area": area.pk, "quantity": quantity}
    if earlier := claim(organization=organization, name="reserve_numbers", key=key, facts=asked):
        return Reservation.objects.get(organization=organization, pk=earlier.result["reservation"])
    lock_organization(organization)
    require_voice(organization)
    _check_limits(organization, area, quantity)
    member = actor.member.pk if actor.member else None
    reservation = hold(organization=organization, area=area, quantity=quantity, moment=database_now(), member=member)
    if not reservation.got:
        raise NothingFree(place=str(area))
    record(
        organization=organization,
        actor=actor,
        action=Action.NUMBERS_RESERVED,
        subject=reservation,
        after={"place": str(area), "numbers": reservation.got},
    )
    settle(organization=organization, name="reserve_numbers", key=key, result={"reservation": reservation.pk})
    kill_point("reservation.before_commit")
    return reservation


def _check_limits(organization: Organization, area: NumberArea, quantity: int) -> None:
    if live_reservations(organization).count() >= MOST_RESERVATIONS:
        raise TooManyReservations(most=MOST_RESERVATIONS)
    held = PhoneNumber.objects.held_by(organization).count()
    if held + quantity > MOST_HELD:
        raise TooManyHeld(most=MOST_HELD, held=held)
    if area.type != NumberArea.Type.USER:
        return
    quota = quota_of(organization)
    if quantity > quota.can_acquire:
        raise QuotaReached(allowed=quota.allowed, taken=quota.taken, left=quota.can_acquire)


def acquire_numbers(
    *,
    actor: Actor,
    organization: Organization,
    reservations: Sequence[Reservation],
    key: UUID,
    numbers: Collection[str] | None = None,
    addresses: Sequence[EmergencyAddress] = (),
    read: Mapping[str, int] | None = None,
) -> list[PhoneNumber]:
    """Acquire ``numbers`` out of what some reservations hold, or all of it; the rest is free at once.

    All of them, or nothing. What costs something is paid for a month from the wallet. ``addresses`` are theirs, one
    for each country, and ``read`` the versions of disclaimers that somebody has read and accepts with it, by country;
    with None they are accepted later, before a number is assigned. The same key gives the first answer. Raises
    ReservationOver from the moment on in which one of the reservations ends, NotHeld, NothingChosen, QuotaReached,
    DisclaimerMissing, AddressNeeded, AddressOfOtherCountry, AddressOutsideArea, PriceInOtherCurrency, WalletTooSmall,
    VoiceClosed, KeyReused.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    acquired = _acquire(
        actor=actor,
        organization=organization,
        reservations=sorted({reservation.pk for reservation in reservations}),
        key=key,
        numbers=None if numbers is None else sorted(set(numbers)),
        addresses=addresses,
        read=None if read is None else dict(read),
    )
    if isinstance(acquired, Reservation):
        raise ReservationOver(place=str(acquired.area))
    return acquired


@transaction.atomic(durable=True)
def _acquire(
    *,
    actor: Actor,
    organization: Organization,
    reservations: list[int],
    key: UUID,
    numbers: list[str] | None,
    addresses: Sequence[EmergencyAddress],
    read: dict[str, int] | None,
) -> list[PhoneNumber] | Reservation:
    """What was acquired, or the reservation whose end was seen."""
    asked = {
        "reservations": reservations,
        "numbers": numbers,
        "addresses": sorted(address.pk for address in addresses),
        "read": read,
    }
    if earlier := claim(organization=organization, name="acquire_numbers", key=key, facts=asked):
        if over := earlier.result.get("over"):
            return Reservation.objects.select_related("area").get(organization=organization, pk=over)
        return _of_keys(earlier.result["numbers"])
    lock_organization(organization)
    require_voice(organization)
    held = lock_held(reservations)
    locked, moment = lock_reservations(organization, reservations)
    if len(locked) != len(reservations) or not locked:
        raise PermissionDenied
    if over := [one for one in locked if one.ended_at is not None or one.expires_at <= moment]:
        for one in over:
            let_go([number.pk for number in held if number.reservation_id == one.pk])
            if one.ended_at is None:
                end(one, Ended.EXPIRED, moment)
        settle(organization=organization, name="acquire_numbers", key=key, result={"over": over[0].pk})
        return over[0]
    chosen = _chosen(held, numbers)
    quota = quota_of(organization)
    if sum(number.area.type == NumberArea.Type.USER for number in chosen) > quota.can_own:
        raise QuotaReached(allowed=quota.allowed, taken=quota.owned, left=quota.can_own)
    if read is not None:
        countries = {number.area.country for number in chosen}
        accept_for(actor=actor, organization=organization, countries=countries, read=read)
    check_prices(organization, chosen)
    take(
        actor=actor,
        organization=organization,
        numbers=chosen,
        reference=key,
        moment=moment,
        allowed=quota.allowed,
        addresses=addresses_for(organization, chosen, addresses),
    )
    kept = {number.reservation_id for number in chosen}
    let_go([number.pk for number in held if number not in chosen])
    for one in locked:
        end(one, Ended.ACQUIRED if one.pk in kept else Ended.CANCELED, moment)
    pay_first_month(actor=actor, organization=organization, numbers=chosen, reference=key)
    settle(
        organization=organization,
        name="acquire_numbers",
        key=key,
        result={"numbers": [number.pk for number in chosen]},
    )
    kill_point("acquisition.before_commit")
    return _of_keys([number.pk for number in chosen])


def _of_keys(keys: list[int]) -> list[PhoneNumber]:
    return list(
        PhoneNumber.objects.select_related("area", "emergency_address__current").filter(pk__in=keys).order_by("number")
    )


def _chosen(held: list[PhoneNumber], numbers: list[str] | None) -> list[PhoneNumber]:
    chosen = held if numbers is None else [number for number in held if number.number in set(numbers)]
    if numbers is not None and (unknown := set(numbers) - {number.number for number in chosen}):
        raise NotHeld(number=min(unknown))
    if not chosen:
        raise NothingChosen
    return chosen


@transaction.atomic(durable=True)
def cancel_reservation(*, actor: Actor, organization: Organization, reservation: Reservation) -> Reservation:
    """Let the numbers of a reservation go, at once. One that has ended stays as it is."""
    require(actor, organization, Capability.MANAGE_VOICE)
    lock_organization(organization)
    held = lock_held([reservation.pk])
    locked, moment = lock_reservations(organization, [reservation.pk])
    if not locked:
        raise PermissionDenied
    [found] = locked
    if found.ended_at is not None:
        return found
    let_go([number.pk for number in held])
    expired = found.expires_at <= moment
    end(found, Ended.EXPIRED if expired else Ended.CANCELED, moment)
    if not expired:
        record(
            organization=organization,
            actor=actor,
            action=Action.RESERVATION_CANCELED,
            subject=found,
            before={"place": str(found.area), "numbers": found.got},
        )
    return found
