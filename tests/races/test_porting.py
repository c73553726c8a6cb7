"""Numbers that two companies order at once, and an order that is completed twice, or canceled meanwhile."""

from functools import partial
from uuid import uuid4

import pytest

from members.access import Actor
from telephony.models import NumberOwnership, PhoneNumber, PortOrder
from telephony.port_errors import NumberNotPortable
from telephony.porting import Letter, PortRequest
from telephony.services.porting import cancel_port_order, complete_port_order, order_port
from tests.factories import EmergencyAddressFactory, OrganizationFactory, PortOrderFactory
from tests.telephony.voice import open_voice

pytestmark = pytest.mark.django_db(transaction=True)


def ordering(number):
    address = EmergencyAddressFactory()
    open_voice(address.organization)
    request = PortRequest(
        name="Lyon",
        numbers=[number],
        country="FR",
        type="user",
        carrier="Rhône",
        account_number="4711",
        authorized_by="Zoé",
        emergency_address=address,
        letter=Letter("letter.pdf", b"%PDF-1.7"),
    )
    return partial(order_port, actor=Actor.system(), organization=address.organization, request=request, key=uuid4())


def doing(verb, order):
    return partial(verb, actor=Actor.system(), organization=order.organization, order=order)


def test_one_number_ordered_by_two_companies_at_once_has_one_order(race, rounds):
    for round_ in range(rounds):
        outcomes = race(*[ordering(f"+3347800{round_:04}") for _company in range(2)])

        assert sorted(type(one).__name__ for one in outcomes) == [NumberNotPortable.__name__, PortOrder.__name__]


def test_numbers_brought_in_twice_at_once_come_in_once(race, rounds):
    organization = OrganizationFactory()
    for _round in range(rounds):
        order = PortOrderFactory(organization=organization, state="approved", transfer_on="2027-01-01")

        outcomes = race(*[doing(complete_port_order, order) for _operator in range(2)])

        assert [len(one) for one in outcomes] == [1, 1]
        [number] = PhoneNumber.objects.filter(number=order.numbers.get().number)
        assert NumberOwnership.objects.filter(number=number).count() == 1


def test_an_order_canceled_while_it_is_completed_is_one_of_both(race, rounds):
    organization = OrganizationFactory()
    for _round in range(rounds):
        order = PortOrderFactory(organization=organization, state="approved", transfer_on="2099-01-01")

        race(doing(complete_port_order, order), doing(cancel_port_order, order))

        order.refresh_from_db()
        brought = PhoneNumber.objects.filter(number=order.numbers.get().number).exists()
        assert brought == (order.state == "completed")
        assert order.state in ("completed", "canceled")
