"""Building blocks of emergency addresses: how they are locked, used and written."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from members.folding import search_text, sort_key
from members.models import Member, Organization
from members.names import check_person_name
from telephony.address_errors import AddressNameTaken, DisclaimerMissing, NoSuchAddress, NotValidated
from telephony.countries import missing_disclaimer
from telephony.models import EmergencyAddress, EmergencyAddressVersion
from telephony.models.emergency import name_key
from telephony.validation import NUMBER_LAST, Civic, Result, content_hash

PARTS = (
    "house_number_suffix",
    "pre_directional",
    "street_prefix",
    "street_name",
    "street_suffix",
    "post_directional",
)
# Where the postal code stands behind the city.
CITY_FIRST = frozenset({"US", "CA", "GB", "AU", "IE", "NZ"})
# What an administrator may overrule with a reason: our data may be older than the street. Never that nobody is there.
OVERRULED = frozenset(
    {"postal_code_elsewhere", "postal_code_in", "postal_code_nowhere", "postal_code_shape", "region"}
    | {"number_missing", "number_without_digit"}
)


@transaction.atomic(savepoint=False)
def use_addresses(organization: Organization, addresses: Iterable[EmergencyAddress]) -> dict[int, EmergencyAddress]:
    """Addresses as they are now, by key, which nobody retires until the transaction ends; for whatever begins to use
    them.

    Raises NoSuchAddress when one of them was retired.
    """
    asked = {address.pk: address for address in addresses}
    with connection.cursor() as cursor:
        # Several may begin to use one side by side; whoever retires it waits for all of them, and they for that.
        cursor.execute(
            "SELECT id FROM telephony_emergencyaddress WHERE organization_id = %s AND id = ANY (%s)"
            " ORDER BY id FOR SHARE",
            [organization.pk, list(asked)],
        )
    live = EmergencyAddress.objects.live().filter(organization=organization, pk__in=asked)
    found = {address.pk: address for address in live}
    for key in sorted(asked.keys() - found.keys()):
        raise NoSuchAddress(name=asked[key].name)
    return found


@transaction.atomic(savepoint=False)
def use_address(organization: Organization, address: EmergencyAddress) -> EmergencyAddress:
    """The same of one."""
    return use_addresses(organization, [address])[address.pk]


@transaction.atomic(savepoint=False)
def lock_address(organization: Organization, address: EmergencyAddress) -> EmergencyAddress:
    """The address as it is now, for whoever changes it. Raises NoSuchAddress when it was retired."""
    rows = EmergencyAddress.objects.select_for_update(of=("self",)).filter(organization=organization, pk=address.pk)
    found = rows.live().select_related("current").order_by("pk").first()
    if found is None:
        raise NoSuchAddress(name=address.name)
    return found


def require_disclaimer(organization: Organization, country: str) -> None:
    """Raise DisclaimerMissing unless an organization has accepted what a country's numbers and addresses come with."""
    if missing_disclaimer(organization, country) is not None:
        raise DisclaimerMissing(country=country)


def require_savable(result: Result) -> None:
    """Raise NotValidated unless a result is what its content was validated as."""
    if not result.accepted or result.content_hash != content_hash(result.normalized, result.validator_version):
        raise NotValidated


def may_be_overruled(result: Result) -> bool:
    """Whether an administrator can save a rejected address all the same."""
    errors = [message.code for message in result.messages if message.level == "error"]
    return not result.accepted and bool(errors) and OVERRULED.issuperset(errors)


def check_address_name(text: str) -> str:
    """The name of an address or a place as it is stored. Raises NameProblem."""
    return check_person_name(text, required=True)


def check_place_part(text: str) -> str:
    """A building, a floor or a room as it is stored; B2, -1, M and 13A are fine. Raises NameProblem."""
    return check_person_name(text, 50, room=100)


def new_version(
    *, address: EmergencyAddress, number: int, result: Result, reason: str, member: Member | None
) -> EmergencyAddressVersion:
    """What was validated, as a version of an address that is yet to be written."""
    return EmergencyAddressVersion(
        organization_id=address.organization_id,
        address=address,
        number=number,
        typed=result.typed.as_dict(),
        changes=result.changes,
        fields=result.fields,
        status=EmergencyAddressVersion.Status.VALIDATED_MANUALLY if reason else result.status,
        reason=reason,
        validator_version=result.validator_version,
        content_hash=result.content_hash,
        made_by=member,
        **columns_of(result.normalized),
        **{name: result.parts.get(name, "") for name in PARTS},
    )


@transaction.atomic(savepoint=False)
def write_version(
    *, address: EmergencyAddress, number: int, result: Result, reason: str, member: Member | None
) -> EmergencyAddressVersion:
    """Write down what was validated as a version of an address, and make it the one that counts."""
    version = new_version(address=address, number=number, result=result, reason=reason, member=member)
    version.save()
    address.current = version
    describe(address, version)
    return version


def columns_of(civic: Civic) -> dict[str, Any]:
    """The columns of a version that hold an address as it is saved."""
    fields: dict[str, Any] = civic.as_dict()
    del fields["country"]
    for name in ("latitude", "longitude"):
        fields[name] = Decimal(fields[name]) if fields[name] else None
    return fields


def describe(address: EmergencyAddress, version: EmergencyAddressVersion) -> None:
    """Set in memory what an address is found and sorted by."""
    address.name_key = name_key(address.name)
    address.sort_key = sort_key(address.name, address.organization.language)
    address.search_text = search_text(
        address.name, f"{version.house_number} {version.street}", version.city, version.postal_code
    )


def require_free_name(organization: Organization, name: str, *, but: EmergencyAddress | None = None) -> None:
    """Raise AddressNameTaken when another address goes by a name; the organization is locked."""
    taken = EmergencyAddress.objects.filter(organization=organization).named(name).first()
    if taken is not None and taken != but:
        raise AddressNameTaken(name=name)


def civic_of(address: EmergencyAddress) -> Civic:
    """What a form shows of an address."""
    assert address.current is not None
    return civic_of_version(address.country, address.current)


def civic_of_version(country: str, version: EmergencyAddressVersion) -> Civic:
    """The same of one version of an address in a country."""
    fields: Mapping[str, Any] = {
        "country": country,
        **{
            name: getattr(version, name)
            for name in ("company_name", "house_number", "street", "postal_code", "city", "region")
        },
        "latitude": "" if version.latitude is None else f"{version.latitude.normalize():f}",
        "longitude": "" if version.longitude is None else f"{version.longitude.normalize():f}",
    }
    return Civic.of(fields)


def lines_of(civic: Civic) -> list[str]:
    """An address as it stands on an envelope, in the order of its country as far as that is known."""
    number = [civic.house_number, civic.street]
    if civic.country in NUMBER_LAST:
        number.reverse()
    city = [civic.postal_code, civic.city]
    if civic.country in CITY_FIRST:
        city = [f"{civic.city},", civic.region, civic.postal_code] if civic.region else [civic.city, civic.postal_code]
    return [line for words in ([civic.company_name], number, city) if (line := " ".join(filter(None, words)))]


def line_of(civic: Civic) -> str:
    """The same on one line, without a company."""
    return ", ".join(lines_of(replace(civic, company_name="")))
