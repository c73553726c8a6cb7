"""Giving numbers to people: what stands in the way of it, and how it is written. One of them or thousands alike."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q

from members.access import Actor
from members.acts import lock_members
from members.audit import Action, Fact, record_many
from members.errors import Refusal
from members.models import Member, Organization, User
from members.places import country_name
from skypemgr.clock import database_now
from skypemgr.many_rows import insert_rows
from telephony.areas import Match, countries_that, lies_outside
from telephony.assignment_errors import (
    AddressElsewhere,
    AddressOutside,
    HasNumber,
    NoAddress,
    NoPhoneSystem,
    NotForPeople,
    NumberCoolsOff,
    NumberTaken,
    PersonalAccount,
    PlaceMissing,
    WithoutNumber,
    WrongState,
)
from telephony.countries import countries_with_places
from telephony.emergency import require_disclaimer, use_addresses
from telephony.models import EmergencyAddress, NumberArea, NumberAssignment, PhoneNumber, Place
from telephony.phone_numbers import shown_number
from telephony.selectors.licenses import PHONE_SYSTEM, covered_by

# A number cools off for so many days at the most (domain §3.2).
MOST_COOLING = 365
# Who joins later gets a number beforehand.
WHO_MAY = (Member.State.INVITED, Member.State.ACTIVE)


@dataclass(frozen=True)
class Pairing:
    """Who is to get which number, and where they are found; None: at the address that the number comes with."""

    member: Member
    number: PhoneNumber
    address: EmergencyAddress | None = None
    place: Place | None = None


@dataclass(frozen=True)
class Sighted:
    """What was found of everybody and every number that are to be brought together, at a moment.

    ``licensed`` holds the keys of members who can be given a number; ``having`` is what members have, by their key,
    and ``had`` what numbers are assigned by, by theirs. ``strict`` are the countries that refuse an address outside
    the area of its number, ``placed`` those that want a place of the address.
    """

    members: dict[int, Member]
    numbers: dict[int, PhoneNumber]
    licensed: Collection[int]
    having: dict[int, NumberAssignment]
    had: dict[int, NumberAssignment]
    strict: Collection[str]
    placed: Collection[str]
    now: datetime


def look(organization: Organization, pairings: Sequence[Pairing]) -> Sighted:
    """Look at everybody and every number of some pairings: the same few queries for one and for a thousand.

    Raises PermissionDenied when one of them is not the organization's.
    """
    members = _people(organization, {pairing.member.pk for pairing in pairings})
    numbers = _numbers(organization, {pairing.number.pk for pairing in pairings})
    open_ones = NumberAssignment.objects.filter(Q(member__in=members) | Q(number__in=numbers), until=None)
    found = list(
        open_ones.filter(organization=organization).select_related(
            "number", "member__user", "emergency_address", "place"
        )
    )
    countries = {number.area.country for number in numbers.values()}
    return Sighted(
        members=members,
        numbers=numbers,
        licensed=covered_by(organization, list(members), PHONE_SYSTEM),
        having={assignment.member_id: assignment for assignment in found},
        had={assignment.number_id: assignment for assignment in found},
        strict=countries_that(Match.REFUSE, countries),
        placed=countries_with_places(),
        now=database_now(),
    )


@transaction.atomic(savepoint=False)
def sight(organization: Organization, pairings: Sequence[Pairing]) -> Sighted:
    """The same, for whoever holds the organization, whose numbers nobody else gives or takes; its people are locked."""
    lock_holders(organization, {pairing.member.pk for pairing in pairings})
    return look(organization, pairings)


def keep_address(sighted: Sighted, pairing: Pairing) -> Pairing:
    """A pairing that says nothing of an address, at the one where the member is found now, if the number can be used
    there."""
    old = sighted.having.get(pairing.member.pk)
    number = sighted.numbers[pairing.number.pk]
    if pairing.address is not None or old is None or old.emergency_address.country != number.area.country:
        return pairing
    return replace(pairing, address=old.emergency_address, place=pairing.place or old.place)


def check_pairing(sighted: Sighted, pairing: Pairing, *, changing: bool = False) -> EmergencyAddress:
    """Where somebody will be found by a number that they may be given; ``changing`` has them give theirs back for it.

    Raises the first of what stands in the way, as ``obstacles`` gives it; PermissionDenied for a place elsewhere.
    """
    for refusal in obstacles(sighted, pairing, changing=changing):
        raise refusal
    address = pairing.address or sighted.numbers[pairing.number.pk].emergency_address
    assert address is not None
    if pairing.place is not None and (pairing.place.address_id != address.pk or pairing.place.removed_at is not None):
        raise PermissionDenied
    return address


def obstacles(sighted: Sighted, pairing: Pairing, *, changing: bool = False) -> Iterator[Refusal]:
    """Everything that stands in the way of a pairing: of who it is for, of the number, of where.

    WrongState, PersonalAccount, NoPhoneSystem, HasNumber (WithoutNumber when they are changing), NotForPeople,
    NumberTaken, NumberCoolsOff, NoAddress, AddressElsewhere, AddressOutside, PlaceMissing.
    """
    yield from _of_member(sighted, pairing, changing=changing)
    number = sighted.numbers[pairing.number.pk]
    shown = shown_number(number.number)
    if number.area.type != NumberArea.Type.USER:
        yield NotForPeople(number=shown)
    if holder := sighted.had.get(number.pk):
        yield NumberTaken(number=shown, name=holder.member.user.display_name)
    elif number.assignable_from is not None and number.assignable_from > sighted.now:
        yield NumberCoolsOff(number=shown)
    address = pairing.address or number.emergency_address
    if address is None:
        yield NoAddress(number=shown)
    else:
        yield from _of_whereabouts(number, address, pairing.place, strict=sighted.strict, placed=sighted.placed)


def check_whereabouts(number: PhoneNumber, address: EmergencyAddress, place: Place | None) -> None:
    """Raise AddressElsewhere, AddressOutside or PlaceMissing where nobody is found by a number."""
    strict = countries_that(Match.REFUSE, {number.area.country})
    for refusal in _of_whereabouts(number, address, place, strict=strict, placed=countries_with_places()):
        raise refusal


def _of_whereabouts(
    number: PhoneNumber,
    address: EmergencyAddress,
    place: Place | None,
    *,
    strict: Collection[str],
    placed: Collection[str],
) -> Iterator[Refusal]:
    area, shown = number.area, shown_number(number.number)
    if address.country != area.country or address.retired_at is not None:
        yield AddressElsewhere(number=shown, address=address.name)
    elif area.country in strict and lies_outside(area, address):
        yield AddressOutside(number=shown, city=area.city, address=address.name)
    elif area.country in placed and place is None:
        yield PlaceMissing(country=country_name(area.country), address=address.name)


def _of_member(sighted: Sighted, pairing: Pairing, *, changing: bool) -> Iterator[Refusal]:
    member = sighted.members[pairing.member.pk]
    name, has = member.user.display_name, sighted.having.get(member.pk)
    if member.state not in WHO_MAY:
        yield WrongState(name=name, state=member.get_state_display())
    if member.user.kind != User.Kind.BUSINESS:
        yield PersonalAccount(name=name)
    elif member.pk not in sighted.licensed:
        yield NoPhoneSystem(name=name)
    if changing and has is None:
        yield WithoutNumber(name=name)
    if not changing and has is not None:
        yield HasNumber(name=name, number=shown_number(has.number.number))


@transaction.atomic(savepoint=False)
def give(
    *,
    actor: Actor,
    organization: Organization,
    sighted: Sighted,
    pairings: Sequence[tuple[Pairing, EmergencyAddress]],
) -> list[NumberAssignment]:
    """Write down that people have numbers from now on, each at an address that it may be used at.

    Raises DisclaimerMissing, NoSuchAddress.
    """
    for country in sorted({address.country for _pairing, address in pairings}):
        require_disclaimer(organization, country)
    use_addresses(organization, [address for _pairing, address in pairings])
    given = insert_rows(
        [
            NumberAssignment(
                organization=organization,
                number=pairing.number,
                member=pairing.member,
                emergency_address=address,
                place=pairing.place,
                since=sighted.now,
                assigned_by=actor.member,
            )
            for pairing, address in pairings
        ]
    )
    record_many(
        organization=organization,
        actor=actor,
        facts=[
            Fact(
                action=Action.NUMBER_ASSIGNED,
                subject=pairing.member,
                after={"number": pairing.number.number, **_where(address, pairing.place)},
            )
            for pairing, address in pairings
        ],
    )
    return given


@transaction.atomic(savepoint=False)
def take_back(
    *,
    actor: Actor,
    organization: Organization,
    members: Collection[int],
    now: datetime,
    cooling_days: int,
    reason: str = "",
) -> list[str]:
    """Have members, locked already, give back the numbers they have; gives these, in E.164.

    Nobody else is given one of them for ``cooling_days``.
    """
    own = NumberAssignment.objects.filter(organization=organization, member__in=members, until=None)
    ending = list(own.select_related("number", "member", "emergency_address", "place").order_by("number"))
    keys = [assignment.number_id for assignment in ending]
    own.filter(number__in=keys).update(until=now, ended_by=actor.member)
    if cooling_days:
        cooled = now + timedelta(days=cooling_days)
        PhoneNumber.objects.of(organization).filter(pk__in=keys).update(assignable_from=cooled)
    record_many(
        organization=organization,
        actor=actor,
        facts=[
            Fact(
                action=Action.NUMBER_UNASSIGNED,
                subject=assignment.member,
                before={
                    "number": assignment.number.number,
                    **_where(assignment.emergency_address, assignment.place),
                },
                reason=reason,
            )
            for assignment in ending
        ],
    )
    return [assignment.number.number for assignment in ending]


@transaction.atomic(savepoint=False)
def lock_holders(organization: Organization, keys: set[int]) -> list[int]:
    """Members by key, locked. Raises PermissionDenied when one of them is not the organization's."""
    locked = lock_members(Member.objects.of(organization).filter(pk__in=keys))
    if len(locked) != len(keys):
        raise PermissionDenied
    return locked


def _people(organization: Organization, keys: set[int]) -> dict[int, Member]:
    found = {member.pk: member for member in Member.objects.of(organization).filter(pk__in=keys).select_related("user")}
    if len(found) != len(keys):
        raise PermissionDenied
    return found


def _numbers(organization: Organization, keys: set[int]) -> dict[int, PhoneNumber]:
    own = PhoneNumber.objects.of(organization).filter(pk__in=keys).select_related("area", "emergency_address__current")
    found = {number.pk: number for number in own}
    if len(found) != len(keys):
        raise PermissionDenied
    return found


def _where(address: EmergencyAddress, place: Place | None) -> dict[str, object]:
    return {"emergency_address": address.name, **({"place": place.name} if place is not None else {})}
