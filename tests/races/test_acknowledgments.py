"""That somebody has read how emergency calls work, while they say it again or are found elsewhere."""

from functools import partial

import pytest

from members.access import Actor
from members.models import AuditEntry
from telephony.assignment_errors import NotWhatWasRead
from telephony.models import EmergencyAcknowledgment, NumberAssignment
from telephony.selectors.acknowledgments import acknowledged, standings_of
from telephony.services.acknowledgments import acknowledge_emergency_calls
from telephony.services.assignments import move_to_address
from telephony.services.disclaimers import accept_disclaimer
from tests.factories import EmergencyAddressFactory, MemberFactory, NumberAreaFactory, PhoneNumberFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def member():
    """Somebody with a number."""
    member = MemberFactory()
    accept_disclaimer(actor=Actor.system(), organization=member.organization, country="FR")
    area = NumberAreaFactory(country="FR", region="Île-de-France", city="Paris")
    NumberAssignment.objects.create(
        organization=member.organization,
        number=PhoneNumberFactory(organization=member.organization, area=area),
        member=member,
        emergency_address=EmergencyAddressFactory(organization=member.organization),
        since=member.created_at,
    )
    return member


def saying(member):
    [standing] = standings_of(member.organization, [member])
    facts = {"actor": Actor.of_person(member.user), "organization": member.organization, "stamp": standing.stamp}
    return partial(acknowledge_emergency_calls, **facts)


def test_two_clicks_at_once_say_once_that_it_was_read(member, race):
    race(*[saying(member)] * 2)

    assert EmergencyAcknowledgment.objects.count() == 1
    assert AuditEntry.objects.filter(action="emergency_calls.read").count() == 1


def test_control_without_the_lock_two_clicks_say_it_twice(member, race, unguarded):
    race(*unguarded(*[saying(member)] * 2))

    assert EmergencyAcknowledgment.objects.count() == 2


def test_what_was_read_of_one_address_is_not_said_of_another(member, race, rounds):
    for _round in range(rounds):
        elsewhere = EmergencyAddressFactory(organization=member.organization)
        move = partial(
            move_to_address,
            actor=Actor.system(),
            organization=member.organization,
            member=member,
            address=elsewhere,
        )

        said, _moved = race(saying(member), move)

        assert isinstance(said, NotWhatWasRead) or said.read_at is not None
        assert acknowledged(member.organization, [member]) == set()
