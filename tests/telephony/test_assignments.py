"""Who has which number, and where they are found when they call for help."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from members.access import Actor
from members.errors import KeyReused
from members.letter_texts import compose
from members.models import AuditEntry, Letter, Member, User
from skypemgr.clock import database_now
from skypemgr.invariants import find_violations
from telephony.address_errors import AddressInUse, DisclaimerMissing
from telephony.assigning import Pairing
from telephony.assignment_errors import (
    AddressElsewhere,
    HasNumber,
    NoAddress,
    NoPhoneSystem,
    NotForPeople,
    NumberCoolsOff,
    NumberTaken,
    PersonalAccount,
    TwiceNamed,
    WithoutNumber,
    WrongState,
)
from telephony.models import EmergencyAddress, License, NumberAssignment, PhoneNumber
from telephony.services.assignments import assign_numbers, change_number, move_to_address, unassign_numbers
from telephony.services.disclaimers import accept_disclaimer
from telephony.services.emergency_addresses import retire_emergency_address
from tests.factories import (
    EmergencyAddressFactory,
    LicenseFactory,
    MemberFactory,
    NumberAreaFactory,
    OrganizationFactory,
    PhoneNumberFactory,
    PlaceFactory,
    SeatFactory,
)
from tests.letters import written

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    organization = OrganizationFactory(name="Architectes", slug="architectes", country="FR")
    accept(organization, "FR")
    return organization


@pytest.fixture
def paris():
    return NumberAreaFactory(country="FR", region="Île-de-France", city="Paris")


@pytest.fixture
def site(organization):
    return EmergencyAddressFactory(organization=organization, name="Siège")


@pytest.fixture
def seats(organization):
    return LicenseFactory(organization=organization, quantity=50)


def accept(organization, country):
    accept_disclaimer(actor=Actor.system(), organization=organization, country=country)


def somebody(seats, **facts):
    """A member with a seat of Phone System."""
    return SeatFactory(license=seats, member=MemberFactory(organization=seats.organization, **facts)).member


def number_of(organization, area, **facts):
    return PhoneNumberFactory(organization=organization, area=area, **facts)


def assign(*pairings, key=None, notify=True):
    organization = pairings[0].member.organization
    return assign_numbers(
        actor=Actor.system(), organization=organization, pairings=pairings, key=key or uuid4(), notify=notify
    )


def change(pairing, **options):
    organization, key = pairing.member.organization, options.pop("key", None) or uuid4()
    return change_number(actor=Actor.system(), organization=organization, pairing=pairing, key=key, **options)


def unassign(*members, **options):
    organization = members[0].organization
    return unassign_numbers(actor=Actor.system(), organization=organization, members=members, **options)


def has(member):
    """The number somebody has, where they are found, and where exactly."""
    row = NumberAssignment.objects.filter(member=member, until=None).first()
    return row and (row.number.number, row.emergency_address.name, row.place and row.place.name)


def test_somebody_gets_a_number_and_is_found_at_an_address(organization, paris, site, seats):
    member, number = somebody(seats), number_of(organization, paris, number="+33140000001")
    place = PlaceFactory(organization=organization, address=site, name="3e étage")

    [given] = assign(Pairing(member, number, site, place))

    assert has(member) == ("+33140000001", "Siège", "3e étage")
    assert (given.member, given.number) == (member, number)
    entry = AuditEntry.objects.get(action="number.assigned")
    assert entry.after == {"number": "+33140000001", "emergency_address": "Siège", "place": "3e étage"}


def test_a_number_brings_its_own_address(organization, paris, site, seats):
    member, number = somebody(seats), number_of(organization, paris, emergency_address=site)

    assign(Pairing(member, number))

    assert has(member) == (number.number, "Siège", None)


def test_the_letter_names_the_number_and_where_help_is_sent(organization, paris, site, seats):
    member, number = somebody(seats), number_of(organization, paris, number="+33140000001")
    place = PlaceFactory(organization=organization, address=site, name="3e étage")

    assign(Pairing(member, number, site, place))

    letter = Letter.objects.get(kind="number_assigned")
    message = written(letter)
    assert (letter.email, message.subject) == (member.user.email, "Your phone number is +33 1 40 00 00 01")
    for told in ("1 rue de Rivoli, 75001 Paris", "3e étage"):
        assert told in message.body
        assert told in message.alternatives[0].content


def test_no_letter_leaves_once_the_number_is_taken_back(organization, paris, site, seats):
    member, number = somebody(seats), number_of(organization, paris)
    assign(Pairing(member, number, site))

    unassign(member)

    assert compose(Letter.objects.get(kind="number_assigned")) is None


def test_nobody_is_told_who_is_not_to_be(organization, paris, site, seats):
    assign(Pairing(somebody(seats), number_of(organization, paris), site), notify=False)

    assert not Letter.objects.filter(kind="number_assigned").exists()


def test_all_of_them_get_one_or_nobody(organization, paris, site, seats):
    first, second = somebody(seats), MemberFactory(organization=organization)

    with pytest.raises(NoPhoneSystem):
        assign(
            Pairing(first, number_of(organization, paris), site), Pairing(second, number_of(organization, paris), site)
        )

    assert not NumberAssignment.objects.exists()
    assert not Letter.objects.filter(kind="number_assigned").exists()


def test_the_same_key_gives_the_first_answer(organization, paris, site, seats):
    pairing, key = Pairing(somebody(seats), number_of(organization, paris), site), uuid4()

    first, second = assign(pairing, key=key), assign(pairing, key=key)

    assert [one.pk for one in first] == [one.pk for one in second]
    assert Letter.objects.filter(kind="number_assigned").count() == 1
    with pytest.raises(KeyReused):
        assign(Pairing(somebody(seats), number_of(organization, paris), site), key=key)


def test_who_can_be_given_no_number(organization, paris, site, seats):
    number = number_of(organization, paris)
    personal = somebody(seats, user__kind=User.Kind.PERSONAL, user__owner=None)
    blocked = somebody(seats, state=Member.State.BLOCKED)
    without = MemberFactory(organization=organization)
    holder = somebody(seats)
    assign(Pairing(holder, number_of(organization, paris), site))

    for member, refusal in (
        (personal, PersonalAccount),
        (blocked, WrongState),
        (without, NoPhoneSystem),
        (holder, HasNumber),
    ):
        with pytest.raises(refusal):
            assign(Pairing(member, number, site))
    with pytest.raises(TwiceNamed):
        assign(*[Pairing(somebody(seats), number, site)] * 2)


def test_a_seat_that_sleeps_gives_no_right_to_a_number(organization, paris, site, seats):
    member = somebody(seats)
    License.objects.filter(pk=seats.pk).update(grace_since=database_now(), asleep_since=database_now())

    with pytest.raises(NoPhoneSystem):
        assign(Pairing(member, number_of(organization, paris), site))


def test_enterprise_e5_includes_the_right_to_a_number(organization, paris, site):
    member = somebody(LicenseFactory(organization=organization, code="e5"))

    assign(Pairing(member, number_of(organization, paris), site))

    assert has(member)


def test_which_number_nobody_can_be_given(organization, paris, site, seats):
    service = number_of(organization, NumberAreaFactory(country="FR", type="service"))
    taken, cooling, bare = (number_of(organization, paris) for _number in range(3))
    assign(Pairing(somebody(seats), taken, site))
    PhoneNumber.objects.filter(pk=cooling.pk).update(assignable_from=database_now() + timedelta(days=1))
    member = somebody(seats)

    for number, address, refusal in (
        (service, site, NotForPeople),
        (taken, site, NumberTaken),
        (cooling, site, NumberCoolsOff),
        (bare, None, NoAddress),
    ):
        with pytest.raises(refusal):
            assign(Pairing(member, number, address))


def test_an_address_is_in_the_country_of_the_number(organization, seats, site):
    accept(organization, "US")
    number = number_of(organization, NumberAreaFactory(country="US", city="Redmond"))

    with pytest.raises(AddressElsewhere):
        assign(Pairing(somebody(seats), number, site))


def test_nobody_is_found_at_an_address_that_was_retired(organization, seats, paris, site):
    retire_emergency_address(actor=Actor.system(), organization=organization, address=site)
    site.refresh_from_db()

    with pytest.raises(AddressElsewhere):
        assign(Pairing(somebody(seats), number_of(organization, paris), site))


def test_the_disclaimer_of_the_country_comes_first(paris):
    organization = OrganizationFactory()
    seats = LicenseFactory(organization=organization)
    site = EmergencyAddressFactory(organization=organization)

    with pytest.raises(DisclaimerMissing):
        assign(Pairing(somebody(seats), number_of(organization, paris), site))


def test_nothing_of_another_organization_is_given(organization, paris, site, seats):
    other = LicenseFactory()
    theirs = number_of(other.organization, paris)

    with pytest.raises(PermissionDenied):
        assign(Pairing(somebody(seats), theirs, site))
    with pytest.raises(PermissionDenied):
        assign_numbers(
            actor=Actor.system(),
            organization=organization,
            pairings=[Pairing(somebody(other), number_of(organization, paris), site)],
            key=uuid4(),
        )
    place = PlaceFactory(organization=organization, address=EmergencyAddressFactory(organization=organization))
    with pytest.raises(PermissionDenied):
        assign(Pairing(somebody(seats), number_of(organization, paris), site, place))


def test_a_number_that_somebody_has_is_not_given_back_to_the_stock(organization, paris, site, seats):
    number = number_of(organization, paris)
    assign(Pairing(somebody(seats), number, site))

    with pytest.raises(IntegrityError), transaction.atomic():
        PhoneNumber.objects.filter(pk=number.pk).update(organization=None, acquired_at=None)


def test_a_number_that_somebody_has_is_not_released_by_its_page(client, organization, paris, site, seats):
    number = number_of(organization, paris, number="+33140000001")
    assign(Pairing(somebody(seats, user__first_name="Ines", user__last_name="Even"), number, site))
    client.force_login(MemberFactory(organization=organization, admin=True).user)

    page = client.post("/architectes/voice/numbers/release/", {"number": number.pk, "count": 1, "reason": ""})

    assert page.status_code == 422
    assert "Ines Even has +33 1 40 00 00 01. Take it back before you give it to the stock." in page.text
    assert PhoneNumber.objects.get(pk=number.pk).organization == organization


def test_the_list_says_who_has_a_number(client, organization, paris, site, seats, django_assert_max_num_queries):
    for name in ("Ines", "Ali"):
        member = somebody(seats, user__first_name=name, user__last_name="Even")
        assign(Pairing(member, number_of(organization, paris), site))
    free = number_of(organization, paris)
    client.force_login(MemberFactory(organization=organization, admin=True).user)

    with django_assert_max_num_queries(45):
        page = client.get("/architectes/voice/numbers/").text
    assigned = client.get("/architectes/voice/numbers/?state=assigned").text
    unassigned = client.get("/architectes/voice/numbers/?state=unassigned").text

    assert "Ines Even" in page
    assert "Ali Even" in page
    assert f"/voice/numbers/{free.digits}/" not in assigned
    assert f"/voice/numbers/{free.digits}/" in unassigned
    assert "Ines Even" not in unassigned


def test_the_page_of_a_number_says_who_has_had_it(client, organization, paris, site, seats):
    number = number_of(organization, paris, number="+33140000001")
    first, second = (somebody(seats, user__first_name=name, user__last_name="Even") for name in ("Ines", "Ali"))
    assign(Pairing(first, number, site))
    unassign(first)
    assign(Pairing(second, number, site))
    client.force_login(MemberFactory(organization=organization, admin=True).user)

    page = client.get("/architectes/voice/numbers/33140000001/").text

    assert page.index("Ali Even") < page.index("Ines Even")


def test_an_address_where_people_are_found_stays(organization, paris, site, seats):
    member = somebody(seats)
    assign(Pairing(member, number_of(organization, paris), site))

    with pytest.raises(AddressInUse):
        retire_emergency_address(actor=Actor.system(), organization=organization, address=site)
    unassign(member)
    retire_emergency_address(actor=Actor.system(), organization=organization, address=site)

    assert EmergencyAddress.objects.get(pk=site.pk).retired_at


def test_a_number_that_was_taken_back_cools_off(organization, paris, site, seats):
    first, second, number = somebody(seats), somebody(seats), number_of(organization, paris)
    assign(Pairing(first, number, site))

    assert unassign(first, cooling_days=30) == [number.number]
    assert unassign(first, cooling_days=30) == []

    with pytest.raises(NumberCoolsOff):
        assign(Pairing(second, number, site))
    assert [has(first), has(second)] == [None, None]


def test_a_number_is_changed_in_one_step_at_the_same_address(organization, paris, site, seats):
    member = somebody(seats)
    place = PlaceFactory(organization=organization, address=site, name="3e étage")
    old, new = number_of(organization, paris), number_of(organization, paris)
    assign(Pairing(member, old, site, place))
    key = uuid4()

    first, second = change(Pairing(member, new), key=key), change(Pairing(member, new), key=key)

    assert first.pk == second.pk
    assert has(member) == (new.number, "Siège", "3e étage")
    assert NumberAssignment.objects.get(number=old).until == first.since
    with pytest.raises(WithoutNumber):
        change(Pairing(somebody(seats), old, site))


def test_somebody_keeps_the_number_when_the_new_one_can_not_be_theirs(organization, paris, site, seats):
    member, other = somebody(seats), somebody(seats)
    old, taken = number_of(organization, paris), number_of(organization, paris)
    assign(Pairing(member, old, site), Pairing(other, taken, site))

    with pytest.raises(NumberTaken):
        change(Pairing(member, taken))

    assert has(member) == (old.number, "Siège", None)


def test_somebody_moves_to_another_address(organization, paris, site, seats):
    member = somebody(seats)
    assign(Pairing(member, number_of(organization, paris, number="+33140000001"), site))
    elsewhere = EmergencyAddressFactory(organization=organization, name="Atelier")

    for _time in range(2):
        move_to_address(actor=Actor.system(), organization=organization, member=member, address=elsewhere)

    assert has(member) == ("+33140000001", "Atelier", None)
    entry = AuditEntry.objects.get(action="number.moved")
    assert (entry.before["emergency_address"], entry.after["emergency_address"]) == ("Siège", "Atelier")


def wrong_countries():
    return [one for one in find_violations() if one.invariant == "telephony.numbers_are_used_in_their_country"]


def test_the_invariant_finds_somebody_who_can_not_be_found_by_their_number(organization, paris, site, seats):
    member = somebody(seats)
    assign(Pairing(member, number_of(organization, paris), site))
    assert not wrong_countries()

    abroad = EmergencyAddressFactory(organization=organization, country="SE")
    NumberAssignment.objects.filter(member=member).update(emergency_address=abroad)

    assert wrong_countries()
    NumberAssignment.objects.filter(member=member).update(emergency_address=site)


def test_history_is_not_rewritten(organization, paris, site, seats):
    member = somebody(seats)
    assign(Pairing(member, number_of(organization, paris), site))
    unassign(member)

    for change_it in (
        lambda rows: rows.update(until=None),
        lambda rows: rows.update(member=somebody(seats)),
        lambda rows: rows.delete(),
    ):
        with pytest.raises(Exception, match="Cannot"), transaction.atomic():
            change_it(NumberAssignment.objects.all())


def test_a_hundred_cost_little_more_than_one(organization, paris, site):
    seats = LicenseFactory(organization=organization, quantity=200)
    pairings = [Pairing(somebody(seats), number_of(organization, paris), site) for _person in range(101)]
    assign(pairings.pop())

    with CaptureQueriesContext(connection) as queries:
        assign(*pairings)

    assert NumberAssignment.objects.count() == 101
    assert len(queries) < 40
