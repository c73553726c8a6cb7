"""What happens when numbers become an organization's: who provides them, at which address, and since when."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction

from members.access import Actor
from members.audit import Action, Fact, record_many
from members.models import Organization
from skypemgr.many_rows import insert_rows
from telephony.areas import Match, countries_that, lies_outside
from telephony.countries import rule_of
from telephony.emergency import use_address
from telephony.errors import (
    AddressNeeded,
    AddressOfOtherCountry,
    AddressOutsideArea,
    PriceInOtherCurrency,
    ReservationOver,
)
from telephony.gateways.numbers import Outcome, provider_of
from telephony.models import EmergencyAddress, NumberAcquisition, NumberArea, NumberOwnership, PhoneNumber


def addresses_for(
    organization: Organization, numbers: Sequence[PhoneNumber], addresses: Sequence[EmergencyAddress]
) -> dict[str, EmergencyAddress]:
    """The emergency address that the numbers of each country get, of those that were chosen.

    Raises AddressNeeded where the rule of a country wants one and there is none, AddressOfOtherCountry when one is of
    none of their countries, AddressOutsideArea where a rule refuses one outside the area of a number, NoSuchAddress
    when it was retired.
    """
    if any(address.organization_id != organization.pk for address in addresses):
        raise PermissionDenied
    given = {address.country: address for address in addresses}
    countries = {number.area.country for number in numbers}
    if set(given) - countries:
        raise AddressOfOtherCountry
    for country in sorted(countries - set(given)):
        if rule_of(country).address_first:
            raise AddressNeeded(country=country)
    strict = countries_that(Match.REFUSE, countries)
    for number in numbers:
        address = given.get(number.area.country)
        if address is not None and number.area.country in strict and lies_outside(number.area, address):
            raise AddressOutsideArea(city=number.area.city, address=address.name)
    return {country: use_address(organization, address) for country, address in sorted(given.items())}


def check_prices(organization: Organization, numbers: Sequence[PhoneNumber]) -> None:
    """Raise PriceInOtherCurrency when a number is charged in a currency that the wallet doesn't hold."""
    for number in numbers:
        if number.currency not in ("", organization.currency):
            raise PriceInOtherCurrency(number=number.number, currency=number.currency, own=organization.currency)


@transaction.atomic(savepoint=False)
def take(
    *,
    actor: Actor,
    organization: Organization,
    numbers: Sequence[PhoneNumber],
    reference: UUID,
    moment: datetime,
    allowed: int,
    addresses: Mapping[str, EmergencyAddress],
) -> None:
    """Make locked numbers that an organization holds its own, with their addresses and their history.

    Raises ReservationOver when its time for one of them is over by now.
    """
    provider = provider_of(numbers[0])
    acquisition = NumberAcquisition.objects.create(
        organization=organization,
        reference=reference,
        provider=provider.name,
        state=NumberAcquisition.State.COMPLETED,
        quantity=len(numbers),
        allowed=allowed if any(number.area.type == NumberArea.Type.USER for number in numbers) else None,
        made_by=actor.member,
        made_at=moment,
        settled_at=moment,
    )
    if provider.acquire(acquisition, numbers) != Outcome.COMPLETED:
        raise ReservationOver(place=str(numbers[0].area))
    for country, address in addresses.items():
        keys = [number.pk for number in numbers if number.area.country == country]
        PhoneNumber.objects.of(organization).filter(pk__in=keys).update(emergency_address=address)
    insert_rows(
        [
            NumberOwnership(
                organization=organization,
                number=number,
                source=PhoneNumber.Source.STOCK,
                acquisition=acquisition,
                since=moment,
                acquired_by=actor.member,
            )
            for number in numbers
        ]
    )
    record_many(
        organization=organization,
        actor=actor,
        facts=[
            Fact(
                action=Action.NUMBER_ACQUIRED,
                subject=number,
                after={"number": number.number, "place": str(number.area)},
            )
            for number in numbers
        ],
    )
