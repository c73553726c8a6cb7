"""Emergency addresses that two change, use or retire at once; and what would happen without each guard."""

from functools import partial

import pytest
from django.db import IntegrityError, transaction

from members.access import Actor
from telephony.address_errors import AddressChangedMeanwhile, AddressInUse, AddressNameTaken, NoSuchAddress
from telephony.address_uses import _FINDERS, UseFinder, add_finder
from telephony.emergency import use_address
from telephony.gateways.address_validators import address_validator
from telephony.models import DisclaimerAcceptance, EmergencyAddress, Place
from telephony.services.disclaimers import accept_disclaimer, publish_disclaimer
from telephony.services.emergency_addresses import (
    add_emergency_address,
    change_emergency_address,
    retire_emergency_address,
)
from telephony.services.places import add_place
from telephony.validation import Civic
from tests.factories import EmergencyAddressFactory, OrganizationFactory

pytestmark = pytest.mark.django_db(transaction=True)

SYSTEM = Actor.system()
SHARE = r" FOR (?:SHARE|(?:NO KEY )?UPDATE(?: OF \"\w+\")?)"


@pytest.fixture
def organization():
    return OrganizationFactory()


def result_of(number):
    fields = {"country": "FR", "street": "rue de Rivoli", "city": "Paris", "postal_code": "75001"}
    return address_validator().validate(Civic.of({**fields, "house_number": number}))


def adding(organization, number, name="Siège"):
    return partial(add_emergency_address, actor=SYSTEM, organization=organization, name=name, result=result_of(number))


def changing(address, number):
    return partial(
        change_emergency_address,
        actor=SYSTEM,
        organization=address.organization,
        address=address,
        name=address.name,
        result=result_of(number),
        version=1,
    )


def retiring(address):
    return partial(retire_emergency_address, actor=SYSTEM, organization=address.organization, address=address)


@pytest.fixture
def using():
    """Uses an address by a place that is called so, which counts as a use."""

    def count(keys):
        used = Place.objects.filter(address__in=keys, name="used").values_list("address", flat=True)
        return dict.fromkeys(used, 1)

    def use(address):
        with transaction.atomic():
            found = use_address(address.organization, address)
            Place.objects.create(organization=found.organization, address=found, name="used", name_key="used")

    add_finder(UseFinder(key="test", list=lambda address, most: [], count=count, count_at=lambda keys: {}))
    yield lambda address: partial(use, address)
    _FINDERS.pop("test")


def test_of_two_addresses_of_one_name_one_is_saved(race, organization):
    outcomes = race(adding(organization, "1"), adding(organization, "2"))

    assert sum(isinstance(outcome, AddressNameTaken) for outcome in outcomes) == 1
    assert EmergencyAddress.objects.count() == 1


def test_control_without_the_lock_the_second_of_a_name_fails_in_the_database(race, unguarded, organization):
    outcomes = race(*unguarded(adding(organization, "1"), adding(organization, "2")))

    assert sum(isinstance(outcome, IntegrityError) for outcome in outcomes) == 1


def test_of_two_changes_of_one_version_one_is_refused(race):
    address = EmergencyAddressFactory()

    outcomes = race(changing(address, "2"), changing(address, "3"))

    assert sum(isinstance(outcome, AddressChangedMeanwhile) for outcome in outcomes) == 1
    assert address.versions.count() == 2


def test_control_without_the_locks_the_second_change_fails_in_the_database(race, unguarded):
    address = EmergencyAddressFactory()

    outcomes = race(*unguarded(changing(address, "2"), changing(address, "3")))

    assert sum(isinstance(outcome, IntegrityError) for outcome in outcomes) == 1


def test_an_address_is_used_or_retired_never_both(race, using):
    address = EmergencyAddressFactory()

    outcomes = race(using(address), retiring(address))

    assert sum(isinstance(outcome, NoSuchAddress | AddressInUse) for outcome in outcomes) == 1
    retired = EmergencyAddress.objects.filter(retired_at__isnull=False).exists()
    assert retired != Place.objects.exists()


def test_control_without_the_locks_a_retired_address_is_used(race, unguarded, using):
    address = EmergencyAddressFactory()

    race(*unguarded(using(address), retiring(address), without=SHARE))

    assert EmergencyAddress.objects.filter(retired_at__isnull=False).exists()
    assert Place.objects.exists()


def test_two_who_add_one_place_at_once_have_the_same(race):
    address = EmergencyAddressFactory()
    adding_it = partial(add_place, actor=SYSTEM, organization=address.organization, address=address, name="3rd floor")

    first, second = race(adding_it, adding_it)

    assert first == second
    assert Place.objects.count() == 1


def test_a_disclaimer_accepted_twice_at_once_is_accepted_once(race, organization):
    accepting = partial(accept_disclaimer, actor=SYSTEM, organization=organization, country="FR")

    first, second = race(accepting, accepting)

    assert first == second
    assert DisclaimerAcceptance.objects.count() == 1


def test_two_versions_published_at_once_have_two_numbers(race):
    texts = {"text_en": "New", "text_fr": "Neuf", "text_sv": "Ny"}
    publishing = partial(publish_disclaimer, actor=SYSTEM, country="FR", **texts)

    outcomes = race(publishing, publishing)

    assert sorted(outcome.version for outcome in outcomes) == [2, 3]


def test_control_without_the_lock_the_second_version_fails_in_the_database(race, unguarded):
    texts = {"text_en": "New", "text_fr": "Neuf", "text_sv": "Ny"}
    publishing = partial(publish_disclaimer, actor=SYSTEM, country="FR", **texts)

    outcomes = race(*unguarded(publishing, publishing))

    assert sum(isinstance(outcome, IntegrityError) for outcome in outcomes) == 1
