"""Many emergency addresses at once, as a file has them."""

from collections.abc import Sequence

from django.db import transaction

from members.access import Actor, Capability, require
from members.audit import Action, Fact, record_many
from members.locks import lock_organization, take_time
from members.models import Organization
from skypemgr.many_rows import insert_rows, update_rows
from telephony.address_errors import AddressNameTaken, NothingInFile
from telephony.emergency import check_address_name, civic_of, describe, line_of, new_version, require_savable
from telephony.models import EmergencyAddress
from telephony.models.emergency import name_key
from telephony.validation import Result


@transaction.atomic(durable=True)
def add_emergency_addresses(
    *, actor: Actor, organization: Organization, rows: Sequence[tuple[str, Result]]
) -> list[EmergencyAddress]:
    """Save addresses as they were validated, each under its name: all of them, or none.

    Those that are saved already are left alone. Gives those that are new. Raises NothingInFile, NotValidated,
    AddressNameTaken, NameProblem.
    """
    require(actor, organization, Capability.MANAGE_VOICE)
    if not rows:
        raise NothingInFile
    take_time()
    lock_organization(organization)
    keys = {name_key(name) for name, _result in rows}
    live = EmergencyAddress.objects.live().filter(organization=organization, name_key__in=keys)
    there = {address.name_key: address for address in live.select_related("current")}
    wanted: dict[str, tuple[EmergencyAddress, Result]] = {}
    for name, result in rows:
        require_savable(result)
        key = name_key(check_address_name(name))
        if key in there and civic_of(there[key]) == result.normalized:
            continue
        if key in there or key in wanted:
            raise AddressNameTaken(name=name)
        address = EmergencyAddress(
            organization=organization, name=name, name_key=key, country=result.normalized.country
        )
        wanted[key] = (address, result)
    added = insert_rows([address for address, _result in wanted.values()])
    versions = insert_rows(
        [
            new_version(address=address, number=1, result=result, reason="", member=actor.member)
            for address, result in wanted.values()
        ]
    )
    for address, version in zip(added, versions, strict=True):
        address.current = version
        describe(address, version)
    update_rows(added, ["sort_key", "search_text", "current"])
    record_many(
        organization=organization,
        actor=actor,
        facts=[
            Fact(
                action=Action.EMERGENCY_ADDRESS_ADDED,
                subject=address,
                after={"name": address.name, "address": line_of(result.normalized)},
            )
            for address, result in wanted.values()
        ],
    )
    return added
