"""Numbers are held for ten minutes by the database's clock, acquired in that time, or free again."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db.models import F

from members.access import Actor
from members.errors import KeyReused
from members.models import AuditEntry, Member
from skypemgr.clock import database_now
from telephony.errors import (
    AddressNeeded,
    AddressOfOtherCountry,
    NotHeld,
    NothingChosen,
    NothingFree,
    PriceInOtherCurrency,
    QuotaReached,
    ReservationOver,
    TooManyHeld,
    TooManyReservations,
)
from telephony.models import NumberOwnership, PhoneNumber, Reservation
from telephony.quotas import computed_quota, quota_of
from telephony.selectors.reservations import areas_in_stock, list_held
from telephony.services.disclaimers import accept_disclaimer
from telephony.services.numbers import release_numbers
from telephony.services.reservation_work import expire_reservations
from telephony.services.reservations import acquire_numbers, cancel_reservation, reserve_numbers
from tests.factories import EmergencyAddressFactory, MemberFactory, PhoneNumberFactory
from tests.refusals import refused
from tests.telephony.stock import allow, stocked
from tests.telephony.voice import open_voice

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager():
    member = MemberFactory(role=Member.Role.VOICE_MANAGER)
    open_voice(member.organization)
    allow(member.organization, 1_000)
    return member


@pytest.fixture
def other():
    member = MemberFactory(role=Member.Role.VOICE_MANAGER)
    open_voice(member.organization)
    allow(member.organization, 1_000)
    return member


def reserve(member, area, quantity=1, key=None):
    return reserve_numbers(
        actor=Actor.of_member(member),
        organization=member.organization,
        area=area,
        quantity=quantity,
        key=key or uuid4(),
    )


def acquire(member, *reservations, key=None, **facts):
    return acquire_numbers(
        actor=Actor.of_member(member),
        organization=member.organization,
        reservations=reservations,
        key=key or uuid4(),
        **facts,
    )


def cancel(member, reservation):
    return cancel_reservation(actor=Actor.of_member(member), organization=member.organization, reservation=reservation)


def release(member, *numbers):
    return release_numbers(actor=Actor.of_member(member), organization=member.organization, numbers=numbers)


def numbers_of(reservation):
    return sorted(PhoneNumber.objects.filter(reservation=reservation).values_list("number", flat=True))


def pass_time(seconds):
    """Let so much time have passed since everything that is held was held."""
    past = timedelta(seconds=seconds)
    Reservation.objects.update(made_at=F("made_at") - past, expires_at=F("expires_at") - past)
    for number in PhoneNumber.objects.filter(reservation__isnull=False):
        number.held_at = [moment - past for moment in number.held_at]
        number.reserved_until -= past
        number.save(update_fields=["held_at", "reserved_until"])


def test_a_reservation_holds_numbers_for_ten_minutes_by_the_clock_of_the_database(manager):
    area = stocked(5)
    before = database_now()

    reservation = reserve(manager, area, 3)

    assert before + timedelta(seconds=600) <= reservation.expires_at <= database_now() + timedelta(seconds=600)
    assert (reservation.asked, reservation.got) == (3, 3)
    assert len(numbers_of(reservation)) == 3
    assert {number.reserved_until for number in reservation.numbers.all()} == {reservation.expires_at}
    assert AuditEntry.objects.filter(action="numbers.reserved").count() == 1


def test_a_held_number_cannot_be_reserved_again(manager, other):
    area = stocked(3)
    first = reserve(manager, area, 3)

    with pytest.raises(NothingFree):
        reserve(other, area, 1)

    assert len(numbers_of(first)) == 3


def test_whoever_asks_for_more_than_there_are_gets_what_there_is(manager):
    area = stocked(2)

    reservation = reserve(manager, area, 5)

    assert (reservation.asked, reservation.got) == (5, 2)


@pytest.mark.parametrize(("seconds", "free"), [(599, False), (601, True)])
def test_numbers_are_free_after_600_seconds_with_nobody_at_work(manager, other, seconds, free):
    area = stocked(1)
    reserve(manager, area)
    pass_time(seconds)

    if free:
        assert reserve(other, area).got == 1
    else:
        with pytest.raises(NothingFree):
            reserve(other, area)


def test_nothing_is_acquired_after_the_end_of_its_reservation(manager):
    reservation = reserve(manager, stocked(2), 2)
    pass_time(601)

    with pytest.raises(ReservationOver):
        acquire(manager, reservation)

    assert not PhoneNumber.objects.of(manager.organization).exists()
    reservation.refresh_from_db()
    assert reservation.ended == "expired"


def test_one_reservation_that_is_over_keeps_all_others_from_being_acquired_with_it(manager):
    area = stocked(4)
    over = reserve(manager, area, 2)
    pass_time(601)
    live = reserve(manager, area, 2)

    with pytest.raises(ReservationOver):
        acquire(manager, over, live)

    assert not PhoneNumber.objects.of(manager.organization).exists()
    assert acquire(manager, live)


def test_a_clock_set_back_revives_nothing_that_a_request_has_seen_expired(manager, other):
    area = stocked(2)
    reservation = reserve(manager, area, 2)
    pass_time(601)
    with pytest.raises(ReservationOver):
        acquire(manager, reservation)

    pass_time(-300)

    with pytest.raises(ReservationOver):
        acquire(manager, reservation)
    assert reserve(other, area, 2).got == 2


def test_a_clock_set_back_revives_nothing_of_a_reservation_of_which_another_has_taken_a_part(manager, other):
    area = stocked(3)
    reservation = reserve(manager, area, 3)
    pass_time(601)
    taken = reserve(other, area, 1)

    pass_time(-300)

    reservation.refresh_from_db()
    assert reservation.ended == "expired"
    assert reserve(other, area, 2).got == 2
    assert len(numbers_of(taken)) == 1
    with pytest.raises(ReservationOver):
        acquire(manager, reservation)


def test_expired_reservations_are_said_to_be_by_whoever_tidies_up(manager):
    area = stocked(2)
    over = reserve(manager, area, 1)
    pass_time(601)
    reserve(manager, area, 1)
    Reservation.objects.filter(pk=over.pk).update(ended="", ended_at=None)

    assert expire_reservations() == 1
    assert expire_reservations() == 0
    assert Reservation.objects.filter(ended="expired").count() == 1


def test_the_same_key_reserves_once(manager):
    area, key = stocked(5), uuid4()

    first, second = reserve(manager, area, 2, key), reserve(manager, area, 2, key)

    assert first == second
    assert PhoneNumber.objects.filter(reservation__isnull=False).count() == 2
    with pytest.raises(KeyReused):
        reserve(manager, area, 3, key)


def test_the_same_number_is_held_three_times_an_hour_at_the_most(manager, other):
    area = stocked(1)
    for _time in range(3):
        cancel(manager, reserve(manager, area))

    with pytest.raises(NothingFree):
        reserve(manager, area)
    assert reserve(other, area).got == 1


def test_the_same_number_can_be_held_again_when_the_hour_is_over(manager):
    area = stocked(1)
    for _time in range(3):
        reservation = reserve(manager, area)
        pass_time(1_210)
    del reservation

    assert reserve(manager, area).got == 1


def test_there_are_ten_reservations_at_the_most(manager):
    area = stocked(11)
    for _time in range(10):
        reserve(manager, area)

    with pytest.raises(TooManyReservations):
        reserve(manager, area)

    pass_time(601)
    assert reserve(manager, area).got == 1


def test_200_numbers_are_held_at_the_most(manager):
    area = stocked(205)
    reserve(manager, area, 150)

    with pytest.raises(TooManyHeld):
        reserve(manager, area, 51)
    assert reserve(manager, area, 50).got == 50


def test_what_is_held_counts_against_the_quota(manager):
    area = stocked(20)
    allow(manager.organization, 7)
    reserve(manager, area, 4)

    with pytest.raises(QuotaReached) as refusal:
        reserve(manager, area, 4)

    assert refusal.value.left == 3
    assert reserve(manager, area, 3).got == 3


def test_numbers_for_services_count_against_no_quota_of_people(manager):
    allow(manager.organization, 0)

    assert reserve(manager, stocked(2, type="service"), 2).got == 2
    with pytest.raises(QuotaReached):
        reserve(manager, stocked(2), 1)


def test_ported_numbers_do_not_count_against_the_quota(manager):
    allow(manager.organization, 1)
    PhoneNumberFactory.create_batch(3, organization=manager.organization, source="ported")

    assert quota_of(manager.organization).can_acquire == 1
    assert reserve(manager, stocked(1)).got == 1


@pytest.mark.parametrize(
    ("licenses", "numbers"),
    [(0, 0), (1, 11), (9, 19), (10, 21), (15, 26), (50, 65), (99, 118), (100, 120), (101, 121), (105, 125)],
)
def test_the_quota_is_licenses_and_a_tenth_and_ten(licenses, numbers):
    assert computed_quota(licenses) == numbers


def test_ticked_numbers_are_acquired_and_the_rest_is_free_at_once(manager, other):
    area = stocked(4)
    reservation = reserve(manager, area, 4)
    ticked = numbers_of(reservation)[:3]

    acquired = acquire(manager, reservation, numbers=ticked)

    assert [number.number for number in acquired] == ticked
    assert PhoneNumber.objects.of(manager.organization).count() == 3
    assert NumberOwnership.objects.filter(organization=manager.organization, until=None).count() == 3
    assert AuditEntry.objects.filter(action="number.acquired").count() == 3
    assert reserve(other, area, 4).got == 1
    reservation.refresh_from_db()
    assert reservation.ended == "acquired"


def test_several_reservations_are_acquired_together(manager):
    redmond, seattle = stocked(2), stocked(2, city="Seattle")
    reservations = [reserve(manager, redmond, 2), reserve(manager, seattle, 2)]

    assert len(acquire(manager, *reservations)) == 4


def test_the_same_key_acquires_once(manager):
    reservation, key = reserve(manager, stocked(2), 2), uuid4()

    first, second = acquire(manager, reservation, key=key), acquire(manager, reservation, key=key)

    assert first == second
    assert AuditEntry.objects.filter(action="number.acquired").count() == 2


def test_only_what_is_held_can_be_acquired(manager, other):
    area = stocked(3)
    mine, foreign = reserve(manager, area, 1), reserve(other, area, 1)

    with pytest.raises(NotHeld):
        acquire(manager, mine, numbers=numbers_of(foreign))
    with pytest.raises(NothingChosen):
        acquire(manager, mine, numbers=[])
    with pytest.raises(PermissionDenied):
        acquire(manager, foreign)
    assert not PhoneNumber.objects.filter(organization__isnull=False).exists()


def test_a_quota_that_fell_meanwhile_holds_when_numbers_are_acquired(manager):
    reservation = reserve(manager, stocked(4), 4)
    allow(manager.organization, 3)

    with pytest.raises(QuotaReached):
        acquire(manager, reservation)
    assert len(acquire(manager, reservation, numbers=numbers_of(reservation)[:3])) == 3


def test_what_is_let_go_is_free_at_once(manager, other):
    area = stocked(2)
    reservation = reserve(manager, area, 2)

    assert cancel(manager, reservation).ended == "canceled"

    assert cancel(manager, reservation).ended == "canceled"
    assert reserve(other, area, 2).got == 2
    with pytest.raises(ReservationOver):
        acquire(manager, reservation)


def test_a_reservation_of_another_is_nobody_elses_to_let_go(manager, other):
    reservation = reserve(manager, stocked(1))

    with pytest.raises(PermissionDenied):
        cancel(other, reservation)
    assert len(numbers_of(reservation)) == 1


def test_outside_the_us_a_number_comes_with_an_address_of_its_country(manager):
    reservation = reserve(manager, stocked(1, country="FR", region="Occitanie", city="Toulouse"))
    accept_disclaimer(actor=Actor.system(), organization=manager.organization, country="FR")

    with pytest.raises(AddressNeeded):
        acquire(manager, reservation)
    elsewhere = EmergencyAddressFactory(organization=manager.organization, country="GB")
    with pytest.raises(AddressOfOtherCountry):
        acquire(manager, reservation, addresses=[elsewhere])
    with pytest.raises(PermissionDenied):
        acquire(manager, reservation, addresses=[EmergencyAddressFactory()])
    address = EmergencyAddressFactory(organization=manager.organization)
    [number] = acquire(manager, reservation, addresses=[address])

    assert number.emergency_address == address


def test_what_is_charged_in_another_currency_is_not_acquired(manager):
    area = stocked(1)
    PhoneNumber.objects.update(monthly_price=2, currency="JPY")
    reservation = reserve(manager, area)

    with pytest.raises(PriceInOtherCurrency):
        acquire(manager, reservation)


def test_who_was_given_back_a_number_can_have_it_again_before_others(manager, other):
    area = stocked(1)
    [number] = acquire(manager, reserve(manager, area))
    release(manager, number)

    with pytest.raises(NothingFree):
        reserve(other, area)
    again = reserve(manager, area)
    assert numbers_of(again) == [number.number]
    cancel(manager, again)
    with pytest.raises(NothingFree):
        reserve(other, area)
    assert [one.number for one in acquire(manager, reserve(manager, area))] == [number.number]


def test_after_90_days_a_number_that_was_given_back_is_anybodys(manager, other):
    area = stocked(1)
    [number] = acquire(manager, reserve(manager, area))
    release(manager, number)
    past = database_now() - timedelta(seconds=1)
    PhoneNumber.objects.filter(pk=number.pk).update(kept_until=past, reserved_until=past)

    [taken] = acquire(other, reserve(other, area))

    assert taken == number
    ownerships = NumberOwnership.objects.filter(number=number).order_by("pk")
    assert [(one.organization, one.until is None) for one in ownerships] == [
        (manager.organization, False),
        (other.organization, True),
    ]


def test_a_number_of_another_is_not_released(manager, other):
    number = PhoneNumberFactory(organization=manager.organization)

    with pytest.raises(PermissionDenied):
        release(other, number)
    with pytest.raises(PermissionDenied):
        release(other)
    assert PhoneNumber.objects.of(manager.organization).exists()


def test_numbers_of_a_city_are_offered_with_how_many_are_free(manager):
    area, other = stocked(3), stocked(2, city="Seattle")
    reserve(manager, area, 2)

    offered = {one.area: one.free.number for one in areas_in_stock("US", "user")}

    assert offered == {area: 1, other: 2}


def test_what_is_held_is_listed_with_the_seconds_that_are_left(manager):
    area = stocked(3)
    reserve(manager, area, 2)
    pass_time(300)
    reserve(manager, area, 1)

    first, second = list_held(manager.organization)

    assert 298 <= first.left <= 300
    assert 598 <= second.left <= 600
    assert (len(first.numbers), len(second.numbers)) == (2, 1)


# What the database refuses, whoever asks


def test_the_database_refuses_a_second_holder_and_a_second_owner(manager, other):
    area = stocked(2)
    mine, theirs = reserve(manager, area), reserve(other, area)
    held = PhoneNumber.objects.filter(reservation=mine)

    refused(lambda: held.update(reservation=theirs))
    refused(lambda: held.update(organization=other.organization, acquired_at=database_now(), reservation=None))
    acquire(manager, mine)
    owned = PhoneNumber.objects.of(manager.organization)
    refused(lambda: owned.update(organization=other.organization))
    refused(lambda: owned.update(reservation=theirs))


def test_the_database_refuses_to_acquire_what_is_over(manager):
    reservation = reserve(manager, stocked(1))
    pass_time(601)
    facts = {"organization": manager.organization, "acquired_at": database_now(), "reservation": None}

    refused(lambda: PhoneNumber.objects.filter(reservation=reservation).update(**facts))
