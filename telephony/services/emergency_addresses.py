"""Emergency addresses: added, changed in versions, retired."""

from django.core.exceptions import PermissionDenied
from django.db import transaction

from members.access import Actor, Capability, require
from members.audit import Action, record
from members.locks import lock_organization
from members.models import Organization
from skypemgr.clock import DatabaseClock
from telephony.address_errors import AddressChangedMeanwhile, AddressInUse, CountryStays, NotOverruled
from telephony.address_uses import count_uses
from telephony.emergency import (
    check_address_name,
    civic_of,
    describe,
    line_of,
    lock_address,
    may_be_overruled,
    require_free_name,
    require_savable,
    write_version,
)
from telephony.models import EmergencyAddress
from telephony.models.emergency import name_key
from telephony.validation import Result

# What a new version, or another name, changes of an address.
DESCRIBED = ["name", "name_key", "sort_key", "search_text", "current"]


@transaction.atomic(durable=True)
def add_emergency_address(
    *, actor: Actor, organization: Organization, name: str, result: Result, reason: str = ""
) -> EmergencyAddress:
    """Save an address as it was validated, under a name that is free. What is saved already is not saved again.

    With a ``reason`` an administrator saves one that was rejected. Raises NotValidated, AddressNameTaken,
    NameProblem, NotOverruled.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    reason = _reason_of(actor, result, reason)
    name = check_address_name(name)
    # Names are compared with each other, so that they come one after the other.
    lock_organization(organization)
    same = EmergencyAddress.objects.filter(organization=organization).named(name).select_related("current").first()
    if same is not None and same.current is not None and civic_of(same) == result.normalized:
        return same
    require_free_name(organization, name)
    address = EmergencyAddress(organization=organization, name=name, country=result.normalized.country)
    address.name_key = name_key(name)
    address.save()
    write_version(address=address, number=1, result=result, reason=reason, member=actor.member)
    address.save(update_fields=DESCRIBED)
    record(
        organization=organization,
        actor=actor,
        action=Action.EMERGENCY_ADDRESS_ADDED,
        subject=address,
        after={"name": name, "address": line_of(result.normalized)},
        reason=reason,
    )
    return address


@transaction.atomic(durable=True)
def change_emergency_address(
    *,
    actor: Actor,
    organization: Organization,
    address: EmergencyAddress,
    name: str,
    result: Result,
    version: int,
    reason: str = "",
) -> EmergencyAddress:
    """Save a new version, to which everything that uses the address moves at once, or another name, or both.

    ``version`` is the number of the one that was shown. Raises AddressChangedMeanwhile when there is a newer one,
    and what ``add_emergency_address`` raises.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    name = check_address_name(name)
    lock_organization(organization)
    locked = lock_address(organization, address)
    assert locked.current is not None
    before, old = civic_of(locked), locked.name
    moved = before != result.normalized
    if not moved and name == old:
        return locked
    if locked.current.number != version:
        raise AddressChangedMeanwhile
    if result.normalized.country != locked.country:
        raise CountryStays
    require_free_name(organization, name, but=locked)
    locked.organization, locked.name, locked.name_key = organization, name, name_key(name)
    if moved:
        reason = _reason_of(actor, result, reason)
        write_version(address=locked, number=version + 1, result=result, reason=reason, member=actor.member)
    else:
        describe(locked, locked.current)
    locked.save(update_fields=DESCRIBED)
    record(
        organization=organization,
        actor=actor,
        action=Action.EMERGENCY_ADDRESS_CHANGED,
        subject=locked,
        before={"name": old, "address": line_of(before)},
        after={"name": name, "address": line_of(result.normalized)},
        reason=reason,
    )
    return locked


@transaction.atomic(durable=True)
def retire_emergency_address(*, actor: Actor, organization: Organization, address: EmergencyAddress) -> None:
    """Offer an address no more; its name is free again. Raises AddressInUse while a number or a person has it."""
    require(actor, organization, Capability.MANAGE_VOICE)
    locked = lock_address(organization, address)
    if number := count_uses([locked]).get(locked.pk, 0):
        raise AddressInUse(name=locked.name, number=number)
    EmergencyAddress.objects.filter(pk=locked.pk).update(retired_at=DatabaseClock())
    record(
        organization=organization,
        actor=actor,
        action=Action.EMERGENCY_ADDRESS_RETIRED,
        subject=locked,
        before={"name": locked.name},
    )


def _reason_of(actor: Actor, result: Result, reason: str) -> str:
    """Why a result is saved although it was rejected; "" for one that is saved as it was validated."""
    if result.accepted or not reason:
        require_savable(result)
        return ""
    if not actor.can(Capability.MANAGE_ORGANIZATION):
        raise PermissionDenied
    if not may_be_overruled(result):
        raise NotOverruled
    return reason
