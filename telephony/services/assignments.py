"""Who has which number, and where they are found when they call for help."""

from collections.abc import Collection, Sequence
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction

from members.access import Actor, Capability, require
from members.audit import Action, record
from members.locks import lock_organization
from members.models import Member, Organization
from members.operations import claim, settle
from skypemgr.clock import database_now
from skypemgr.kill_points import kill_point
from telephony.assigning import (
    Pairing,
    check_pairing,
    check_whereabouts,
    give,
    keep_address,
    lock_holders,
    sight,
    take_back,
)
from telephony.assignment_errors import TwiceNamed, WithoutNumber
from telephony.assignment_letters import write_number_letters
from telephony.emergency import require_disclaimer, use_address
from telephony.models import EmergencyAddress, NumberAssignment, Place
from telephony.phone_numbers import shown_number

_ASSIGN, _CHANGE = "assign_numbers", "change_number"


@transaction.atomic(durable=True)
def assign_numbers(
    *,
    actor: Actor,
    organization: Organization,
    pairings: Sequence[Pairing],
    key: UUID,
    notify: bool = True,
) -> list[NumberAssignment]:
    """Give people numbers, with where they are found: all of them, or nobody. ``notify`` sends each a letter.

    The same key with the same pairings gives the first answer. Raises TwiceNamed, what ``check_pairing`` raises,
    DisclaimerMissing, KeyReused.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    facts: dict[str, object] = {"pairings": [_named(pairing) for pairing in pairings], "notify": notify}
    if earlier := claim(organization=organization, name=_ASSIGN, key=key, facts=facts):
        return _assignments(organization, earlier.result["assignments"])
    _refuse_twice(pairings)
    lock_organization(organization)
    sighted = sight(organization, pairings)
    found = [(pairing, check_pairing(sighted, pairing)) for pairing in pairings]
    given = give(actor=actor, organization=organization, sighted=sighted, pairings=found)
    if notify:
        write_number_letters(organization, given)
    settle(
        organization=organization,
        name=_ASSIGN,
        key=key,
        result={"assignments": [assignment.pk for assignment in given]},
    )
    kill_point("assignment.before_commit")
    return _assignments(organization, [assignment.pk for assignment in given])


@transaction.atomic(durable=True)
def unassign_numbers(
    *,
    actor: Actor,
    organization: Organization,
    members: Collection[Member],
    cooling_days: int = 0,
    reason: str = "",
) -> list[str]:
    """Take back the numbers of some members, all or none; gives them. Nobody is given one for ``cooling_days``.

    Who has none any more is left as they are, so it is safe to repeat.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    lock_organization(organization)
    locked = lock_holders(organization, {member.pk for member in members})
    return take_back(
        actor=actor,
        organization=organization,
        members=locked,
        now=database_now(),
        cooling_days=cooling_days,
        reason=reason,
    )


@transaction.atomic(durable=True)
def change_number(
    *,
    actor: Actor,
    organization: Organization,
    pairing: Pairing,
    key: UUID,
    cooling_days: int = 0,
    notify: bool = True,
) -> NumberAssignment:
    """Give a member another number for the one they have, in one step; they are never without.

    Without an address of its own the pairing keeps that of the old number, where the country is the same. Raises
    WithoutNumber, and what ``assign_numbers`` raises.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    facts: dict[str, object] = {**_named(pairing), "cooling_days": cooling_days, "notify": notify}
    if earlier := claim(organization=organization, name=_CHANGE, key=key, facts=facts):
        return _assignments(organization, [earlier.result["assignment"]])[0]
    lock_organization(organization)
    sighted = sight(organization, [pairing])
    pairing = keep_address(sighted, pairing)
    address = check_pairing(sighted, pairing, changing=True)
    take_back(
        actor=actor,
        organization=organization,
        members=[pairing.member.pk],
        now=sighted.now,
        cooling_days=cooling_days,
    )
    given = give(actor=actor, organization=organization, sighted=sighted, pairings=[(pairing, address)])
    if notify:
        write_number_letters(organization, given)
    settle(organization=organization, name=_CHANGE, key=key, result={"assignment": given[0].pk})
    return _assignments(organization, [given[0].pk])[0]


@transaction.atomic(durable=True)
def move_to_address(
    *,
    actor: Actor,
    organization: Organization,
    member: Member,
    address: EmergencyAddress,
    place: Place | None = None,
) -> NumberAssignment:
    """Have a member be found at another address or place, with the number they have.

    Raises WithoutNumber, AddressElsewhere, AddressOutside, PlaceMissing, DisclaimerMissing, NoSuchAddress.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    lock_organization(organization)
    lock_holders(organization, {member.pk})
    own = NumberAssignment.objects.select_related("number__area", "emergency_address", "place")
    assignment = own.filter(organization=organization, member=member, until=None).first()
    if assignment is None:
        raise WithoutNumber(name=member.user.display_name)
    if address.organization_id != organization.pk or (place is not None and place.address_id != address.pk):
        raise PermissionDenied
    check_whereabouts(assignment.number, address, place)
    if (assignment.emergency_address_id, assignment.place_id) == (address.pk, place.pk if place else None):
        return assignment
    require_disclaimer(organization, address.country)
    use_address(organization, address)
    before = _where(assignment)
    assignment.emergency_address, assignment.place = address, place
    assignment.save(update_fields=["emergency_address", "place"])
    record(
        organization=organization,
        actor=actor,
        action=Action.NUMBER_MOVED,
        subject=member,
        before=before,
        after=_where(assignment),
    )
    return assignment


def _refuse_twice(pairings: Sequence[Pairing]) -> None:
    people, numbers = set[int](), set[int]()
    for pairing in pairings:
        if pairing.member.pk in people:
            raise TwiceNamed(name=pairing.member.user.display_name)
        if pairing.number.pk in numbers:
            raise TwiceNamed(name=shown_number(pairing.number.number))
        people.add(pairing.member.pk)
        numbers.add(pairing.number.pk)


def _named(pairing: Pairing) -> dict[str, object]:
    return {
        "member": pairing.member.pk,
        "number": pairing.number.number,
        "address": pairing.address.pk if pairing.address else None,
        "place": pairing.place.pk if pairing.place else None,
    }


def _where(assignment: NumberAssignment) -> dict[str, object]:
    place = {"place": assignment.place.name} if assignment.place is not None else {}
    return {"number": assignment.number.number, "emergency_address": assignment.emergency_address.name, **place}


def _assignments(organization: Organization, keys: Collection[int]) -> list[NumberAssignment]:
    own = NumberAssignment.objects.filter(organization=organization, pk__in=keys)
    return list(
        own.select_related("number__area", "member__user", "emergency_address__current", "place").order_by("pk")
    )
