"""A number that two people are given at once, or that is given while it, its address or its holder goes."""

from functools import partial
from io import BytesIO
from uuid import uuid4

import pytest
from django.db import IntegrityError

from members.access import Actor
from members.models import Member
from members.services.members import block_members
from telephony.address_errors import AddressInUse
from telephony.assigning import Pairing
from telephony.assignment_errors import HasNumber, NumberTaken, WrongState
from telephony.assignment_file import check_assignments
from telephony.models import EmergencyAddress, NumberAssignment
from telephony.services.assignments import assign_numbers, change_number, move_to_address, unassign_numbers
from telephony.services.disclaimers import accept_disclaimer
from telephony.services.emergency_addresses import retire_emergency_address
from tests.factories import (
    EmergencyAddressFactory,
    LicenseFactory,
    MemberFactory,
    NumberAreaFactory,
    PhoneNumberFactory,
    SeatFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)

# It was seen not to be retired.
USED = r'^SELECT .*"telephony_emergencyaddress"."retired_at" IS NULL'
# The locks of rows, and that of an address by whoever begins to use it.
EVERY_LOCK = r" FOR (?:NO KEY )?UPDATE(?: OF \"\w+\"(?:, \"\w+\")*)?| FOR SHARE"
LOOKED = r'FROM "telephony_numberassignment" .*"telephony_phonenumber"'


@pytest.fixture
def seats():
    seats = LicenseFactory(organization__country="FR")
    accept_disclaimer(actor=Actor.system(), organization=seats.organization, country="FR")
    return seats


@pytest.fixture
def site(seats):
    return EmergencyAddressFactory(organization=seats.organization)


@pytest.fixture
def area():
    return NumberAreaFactory(country="FR", region="Île-de-France", city="Paris")


def somebody(seats):
    return SeatFactory(license=seats, member=MemberFactory(organization=seats.organization)).member


def doing(verb, seats, **facts):
    if verb in (assign_numbers, change_number):
        facts["key"] = uuid4()
    return partial(verb, actor=Actor.system(), organization=seats.organization, **facts)


def giving(seats, *pairing):
    return doing(assign_numbers, seats, pairings=[Pairing(*pairing)])


def test_two_who_are_given_one_number_at_once_are_one(seats, site, area, race, rounds):
    for _round in range(rounds):
        number = PhoneNumberFactory(organization=seats.organization, area=area)
        people = [somebody(seats) for _person in range(2)]

        outcomes = race(*[giving(seats, person, number, site) for person in people])

        assert sorted(type(one).__name__ for one in outcomes) == [NumberTaken.__name__, "list"]
        assert NumberAssignment.objects.filter(number=number, until=None).count() == 1
        doing(unassign_numbers, seats, members=people)()
        seats.seats.filter(ended_at=None).update(ended_at="2027-01-01T00:00Z", ending="unassigned")


def test_a_file_and_a_single_assignment_of_one_of_its_numbers_are_one(seats, site, area, race, rounds):
    for _round in range(rounds):
        people = [somebody(seats) for _person in range(3)]
        numbers = [PhoneNumberFactory(organization=seats.organization, area=area) for _number in range(2)]
        lines = [
            f"{one.user.skype_name},{number.number},{site.name}" for one, number in zip(people, numbers, strict=False)
        ]
        file = "\n".join(["person,number,address", *lines]).encode()
        pairings = check_assignments(seats.organization, BytesIO(file)).pairings

        outcomes = race(doing(assign_numbers, seats, pairings=pairings), giving(seats, people[2], numbers[1], site))

        assert sorted(type(one).__name__ for one in outcomes) == [NumberTaken.__name__, "list"]
        holders = NumberAssignment.objects.filter(number__in=numbers, until=None)
        assert set(holders.values_list("member", flat=True)) in ({people[0].pk, people[1].pk}, {people[2].pk})
        doing(unassign_numbers, seats, members=people)()
        seats.seats.filter(ended_at=None).update(ended_at="2027-01-01T00:00Z", ending="unassigned")


def test_control_without_the_locks_the_database_refuses_the_second(seats, site, area, race, unguarded):
    number = PhoneNumberFactory(organization=seats.organization, area=area)

    outcomes = race(*unguarded(*[giving(seats, somebody(seats), number, site) for _person in range(2)]))

    assert sorted(type(one).__name__ for one in outcomes) == [IntegrityError.__name__, "list"]


def test_somebody_who_is_given_two_numbers_at_once_has_one(seats, site, area, race):
    member = somebody(seats)
    numbers = PhoneNumberFactory.create_batch(2, organization=seats.organization, area=area)

    outcomes = race(*[giving(seats, member, number, site) for number in numbers])

    assert sorted(type(one).__name__ for one in outcomes) == [HasNumber.__name__, "list"]


def test_an_address_stays_that_somebody_begins_to_use(seats, site, area, meanwhile):
    number = PhoneNumberFactory(organization=seats.organization, area=area)

    held = meanwhile(
        giving(seats, somebody(seats), number, site), doing(retire_emergency_address, seats, address=site), at=USED
    )

    assert held.waited
    assert [type(one) for one in held[:2]] == [list, AddressInUse]


def test_control_without_the_lock_somebody_is_found_at_an_address_that_is_gone(seats, site, area, meanwhile):
    number = PhoneNumberFactory(organization=seats.organization, area=area)

    meanwhile(
        giving(seats, somebody(seats), number, site),
        doing(retire_emergency_address, seats, address=site),
        at=USED,
        unlocked=True,
        without=EVERY_LOCK,
    )

    assert EmergencyAddress.objects.get(pk=site.pk).retired_at
    assert NumberAssignment.objects.get().emergency_address == site


def test_whoever_is_blocked_meanwhile_has_the_number_already(seats, site, area, meanwhile):
    number, member = PhoneNumberFactory(organization=seats.organization, area=area), somebody(seats)
    blocking = doing(block_members, seats, members=Member.objects.filter(pk=member.pk))

    held = meanwhile(giving(seats, member, number, site), blocking, at=LOOKED)

    assert held.waited
    assert isinstance(held.first, list)
    with pytest.raises(WrongState):
        giving(seats, member, number, site)()


def test_a_number_is_taken_back_while_it_is_changed_and_somebody_has_one_or_none(seats, site, area, race):
    member = somebody(seats)
    old, new = PhoneNumberFactory.create_batch(2, organization=seats.organization, area=area)
    giving(seats, member, old, site)()
    elsewhere = EmergencyAddressFactory(organization=seats.organization)

    race(
        doing(change_number, seats, pairing=Pairing(member, new)),
        doing(unassign_numbers, seats, members=[member]),
        doing(move_to_address, seats, member=member, address=elsewhere),
    )

    assert NumberAssignment.objects.filter(until=None).count() <= 1
    assert not NumberAssignment.objects.filter(number=old, until=None).exists()
