"""Places at an emergency address: added, changed, removed. Nobody checks them."""

from django.db import transaction

from members.access import Actor, Capability, require
from members.audit import Action, record
from members.models import Organization
from skypemgr.clock import DatabaseClock
from telephony.address_errors import NoSuchPlace, PlaceInUse, PlaceNameTaken
from telephony.address_uses import count_uses_of_places
from telephony.emergency import check_address_name, lock_address
from telephony.models import EmergencyAddress, Place
from telephony.models.emergency import name_key

PARTS = ("building", "floor", "room")


@transaction.atomic(durable=True)
def add_place(
    *,
    actor: Actor,
    organization: Organization,
    address: EmergencyAddress,
    name: str,
    building: str = "",
    floor: str = "",
    room: str = "",
) -> Place:
    """Add a place to an address; one that is there already, with the same parts, is given back.

    Raises PlaceNameTaken, NoSuchAddress, NameProblem.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    name = check_address_name(name)
    locked = lock_address(organization, address)
    parts = {"building": building, "floor": floor, "room": room}
    same = Place.objects.filter(address=locked, removed_at=None, name_key=name_key(name)).first()
    if same is not None:
        if same.name == name and all(getattr(same, part) == value for part, value in parts.items()):
            return same
        raise PlaceNameTaken(name=name)
    place = Place.objects.create(organization=organization, address=locked, name=name, name_key=name_key(name), **parts)
    record(
        organization=organization,
        actor=actor,
        action=Action.PLACE_ADDED,
        subject=place,
        after={"address": locked.name, "name": name, **_given(parts)},
    )
    return place


@transaction.atomic(durable=True)
def change_place(
    *,
    actor: Actor,
    organization: Organization,
    place: Place,
    name: str,
    building: str = "",
    floor: str = "",
    room: str = "",
) -> Place:
    """Call a place otherwise, for everybody who is there. Raises NoSuchPlace, PlaceNameTaken, NameProblem."""
    require(actor, organization, Capability.MANAGE_VOICE)
    name = check_address_name(name)
    locked = lock_address(organization, place.address)
    now = _find(locked, place)
    before = {"name": now.name, **{part: getattr(now, part) for part in PARTS}}
    after = {"name": name, "building": building, "floor": floor, "room": room}
    if before == after:
        return now
    others = Place.objects.filter(address=locked, removed_at=None, name_key=name_key(name))
    if others.exclude(pk=now.pk).exists():
        raise PlaceNameTaken(name=name)
    for field, value in after.items():
        setattr(now, field, value)
    now.name_key = name_key(name)
    now.save(update_fields=["name", "name_key", *PARTS])
    changed = [field for field in after if before[field] != after[field]]
    record(
        organization=organization,
        actor=actor,
        action=Action.PLACE_CHANGED,
        subject=now,
        before={field: before[field] for field in changed},
        after={field: after[field] for field in changed},
    )
    return now


@transaction.atomic(durable=True)
def remove_place(*, actor: Actor, organization: Organization, place: Place) -> None:
    """Offer a place no more; its name is free again. Raises PlaceInUse while somebody is there."""
    require(actor, organization, Capability.MANAGE_VOICE)
    now = _find(lock_address(organization, place.address), place)
    if number := count_uses_of_places([now]).get(now.pk, 0):
        raise PlaceInUse(name=now.name, number=number)
    Place.objects.filter(pk=now.pk).update(removed_at=DatabaseClock())
    record(
        organization=organization,
        actor=actor,
        action=Action.PLACE_REMOVED,
        subject=now,
        before={"name": now.name},
    )


def _find(address: EmergencyAddress, place: Place) -> Place:
    found = Place.objects.filter(address=address, pk=place.pk, removed_at=None).first()
    if found is None:
        raise NoSuchPlace(name=place.name)
    return found


def _given(parts: dict[str, str]) -> dict[str, str]:
    return {part: value for part, value in parts.items() if value}
