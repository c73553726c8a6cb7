"""Numbers in several hands at once have one holder, and the quota holds; and what would happen without each guard."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, connections

from members.access import Actor
from members.models import Member
from skypemgr.invariants import all_invariants, find_violations
from telephony.errors import NothingFree, ReservationOver
from telephony.models import FeatureSetting, NumberTag, PhoneNumber, Reservation
from telephony.quotas import quota_of
from telephony.services.feature_settings import set_feature
from telephony.services.numbers import release_numbers, tag_numbers
from telephony.services.reservation_work import expire_some
from telephony.services.reservations import acquire_numbers, cancel_reservation, reserve_numbers
from telephony.services.stock import load_numbers
from telephony.stock_file import StockRow
from tests.factories import LicenseFactory, MemberFactory, PhoneNumberFactory, SeatFactory
from tests.telephony.stock import allow, stocked
from tests.telephony.test_reservations import pass_time
from tests.telephony.voice import open_voice

pytestmark = pytest.mark.django_db(transaction=True)

HOLD = "WITH kept"
# That of an organization alone.
WHOLE = r" FOR NO KEY UPDATE(?! SKIP)"
NOT_OURS = frozenset(name for name in all_invariants() if not name.startswith("telephony."))


def manager_of(organization=None, quota=1_000):
    facts = {"organization": organization} if organization else {}
    member = MemberFactory(role=Member.Role.VOICE_MANAGER, user__password="", **facts)
    if organization is None:
        open_voice(member.organization)
        allow(member.organization, quota)
    return member


def reserving(member, area, quantity=1):
    return partial(
        reserve_numbers,
        actor=Actor.of_member(member),
        organization=member.organization,
        area=area,
        quantity=quantity,
        key=uuid4(),
    )


def acquiring(member, *reservations):
    return partial(
        acquire_numbers,
        actor=Actor.of_member(member),
        organization=member.organization,
        reservations=reservations,
        key=uuid4(),
    )


def canceling(member, reservation):
    return partial(
        cancel_reservation, actor=Actor.of_member(member), organization=member.organization, reservation=reservation
    )


def releasing(member, *numbers):
    return partial(release_numbers, actor=Actor.of_member(member), organization=member.organization, numbers=numbers)


def impatient(call):
    """What comes of a call that waits for no lock longer than a second."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '1s'")
        return call()
    except Exception as error:  # noqa: BLE001
        return error
    finally:
        connections.close_all()


def kinds(outcomes):
    return sorted({type(outcome).__name__ for outcome in outcomes})


@pytest.mark.parametrize(
    ("clients", "at_once"), [(200, 24), pytest.param(200, 120, marks=pytest.mark.slow)], ids=["some", "many"]
)
def test_of_200_clients_on_the_last_numbers_of_a_city_each_number_has_one_holder(clients, at_once):
    area = stocked(30)
    members = [manager_of() for _organization in range(25)]
    calls = [reserving(members[place % len(members)], area) for place in range(clients)]

    with ThreadPoolExecutor(at_once) as pool:
        outcomes = list(pool.map(impatient, calls))

    granted = [outcome for outcome in outcomes if isinstance(outcome, Reservation)]
    assert kinds(outcomes) == ["NothingFree", "Reservation"]
    assert len(granted) == sum(reservation.got for reservation in granted) == 30
    assert PhoneNumber.objects.filter(reservation__in=granted).count() == 30
    assert find_violations(without=NOT_OURS) == []


def test_a_number_that_somebody_is_taking_is_left_out_and_not_waited_for(meanwhile):
    area = stocked(2)

    held = meanwhile(reserving(manager_of(), area), reserving(manager_of(), area), at=HOLD)

    assert not held.waited
    assert (held.first.got, held.second.got) == (1, 1)
    assert held.first.numbers.get() != held.second.numbers.get()


def test_the_last_number_that_somebody_is_taking_is_not_free(meanwhile):
    area = stocked(1)

    held = meanwhile(reserving(manager_of(), area), reserving(manager_of(), area), at=HOLD)

    assert isinstance(held.second, NothingFree)


def test_control_without_the_lock_the_second_holder_fails_in_the_database(meanwhile):
    area = stocked(1)

    held = meanwhile(reserving(manager_of(), area), reserving(manager_of(), area), at=HOLD, unlocked=True)

    assert held.waited
    assert isinstance(held.second, DatabaseError)
    assert held.first.numbers.count() == 1


def test_twenty_administrators_acquire_no_more_than_the_quota(race):
    area = stocked(60)
    first = manager_of(quota=12)
    members = [first, *(manager_of(first.organization) for _member in range(19))]

    def reserve_and_acquire(member):
        reservation = reserving(member, area, 2)()
        return len(acquiring(member, reservation)())

    outcomes = race(*[partial(reserve_and_acquire, member) for member in members])

    assert sum(outcome for outcome in outcomes if isinstance(outcome, int)) == 12
    assert kinds(outcomes) == ["QuotaReached", "int"]
    assert PhoneNumber.objects.of(first.organization).count() == 12
    assert find_violations(without=NOT_OURS) == []


def test_of_two_who_reserve_what_the_quota_allows_once_one_is_refused(race):
    area, first = stocked(10), manager_of(quota=3)
    second = manager_of(first.organization)

    outcomes = race(reserving(first, area, 2), reserving(second, area, 2))

    assert kinds(outcomes) == ["QuotaReached", "Reservation"]


def test_control_without_the_lock_of_the_organization_the_quota_is_passed(race, unguarded):
    area, first = stocked(10), manager_of(quota=3)
    second = manager_of(first.organization)

    outcomes = race(*unguarded(reserving(first, area, 2), reserving(second, area, 2), without=WHOLE))

    assert kinds(outcomes) == ["Reservation"]
    assert quota_of(first.organization).taken == 4


def test_numbers_acquired_twice_at_once_are_acquired_once(race):
    area, first = stocked(2), manager_of()
    reservation = reserving(first, area, 2)()

    outcomes = race(acquiring(first, reservation), acquiring(first, reservation))

    assert kinds(outcomes) == ["ReservationOver", "list"]
    assert find_violations(without=NOT_OURS) == []


def test_acquired_while_it_is_let_go_is_one_of_both(race):
    area, first = stocked(2), manager_of()
    reservation = reserving(first, area, 2)()

    acquired, canceled = race(acquiring(first, reservation), canceling(first, reservation))

    owned = PhoneNumber.objects.of(first.organization).count()
    assert (owned, canceled.ended) in [(2, "acquired"), (0, "canceled")]
    assert isinstance(acquired, ReservationOver) == (owned == 0)


def test_numbers_taken_by_another_at_the_end_of_their_reservation_are_not_acquired(meanwhile):
    """Whoever acquires waits for the one who takes them, and finds that they are another's."""
    area, first, second = stocked(2), manager_of(), manager_of()
    over = reserving(first, area, 2)()
    pass_time(601)

    held = meanwhile(reserving(second, area, 2), acquiring(first, over), at=HOLD)

    assert held.waited
    assert held.first.got == 2
    assert isinstance(held.second, ReservationOver)
    assert not PhoneNumber.objects.of(first.organization).exists()
    over.refresh_from_db()
    assert over.ended == "expired"


def test_numbers_that_somebody_acquires_are_left_out_by_whoever_finds_them_over(meanwhile):
    """As at the very end: one has seen that they are still held, the other that they are not."""
    area, first, second = stocked(1), manager_of(), manager_of()
    reservation = reserving(first, area)()

    def too_late():
        PhoneNumber.objects.filter(pk=0).update(retired_at=None)
        return reserving(second, area)()

    held = meanwhile(acquiring(first, reservation), too_late, at='INSERT INTO "telephony_numberownership"')

    assert not held.waited
    assert isinstance(held.second, NothingFree)
    assert PhoneNumber.objects.of(first.organization).count() == 1


def test_a_reservation_that_is_let_go_while_its_end_is_seen_has_expired(meanwhile):
    area, first = stocked(2), manager_of()
    over = reserving(first, area, 2)()
    pass_time(601)

    held = meanwhile(partial(expire_some, organization=None), canceling(first, over), at="WITH over")

    assert held.waited
    assert held.second.ended == "expired"


def test_control_without_the_lock_a_reservation_ends_twice(meanwhile):
    area, first = stocked(2), manager_of()
    over = reserving(first, area, 2)()
    pass_time(601)

    held = meanwhile(canceling(first, over), partial(expire_some, organization=None), at="SELECT", unlocked=True)

    assert held.second == 1


def test_a_number_given_back_twice_at_once_is_given_back_once(race):
    first = manager_of()
    number = PhoneNumberFactory(organization=first.organization)

    outcomes = race(releasing(first, number), releasing(first, number))

    assert kinds(outcomes) == ["PermissionDenied", "int"]
    assert find_violations(without=NOT_OURS) == []


def test_a_number_tagged_while_it_is_given_back_keeps_no_tag(race):
    first = manager_of()
    number = PhoneNumberFactory(organization=first.organization)
    tagging = partial(
        tag_numbers,
        actor=Actor.of_member(first),
        organization=first.organization,
        numbers=[number],
        tag="Reception",
    )

    race(tagging, releasing(first, number))

    assert not NumberTag.objects.exists()


def test_numbers_loaded_by_two_at_once_are_there_once(race):
    rows = [StockRow(row, f"+1425555{row:04}", "US", "Washington", "Redmond", "user", None, "") for row in range(200)]
    loading = partial(load_numbers, actor=Actor.system(), rows=rows)

    outcomes = race(loading, partial(load_numbers, actor=Actor.system(), rows=rows[::-1]))

    assert sum(loaded.added for loaded in outcomes) == 200
    assert PhoneNumber.objects.count() == 200


def showing(member, number):
    """Somebody has this number shown to whoever they call."""
    who = SeatFactory(license=LicenseFactory(organization=member.organization), member__user__password="").member
    return partial(
        set_feature,
        actor=Actor.of_member(member),
        organization=member.organization,
        member=who,
        kind="caller_id",
        values={"number": number.number},
    )


OWN = r'phonenumber"\."number" = '


def test_a_number_that_is_given_back_while_somebody_shows_it_is_shown_no_more(meanwhile):
    first = manager_of()
    number = PhoneNumberFactory(organization=first.organization)

    held = meanwhile(showing(first, number), releasing(first, number), at=OWN)

    assert (held.first, held.second, held.waited) == (True, 1, True)
    assert not FeatureSetting.objects.exists()


def test_control_without_the_lock_a_number_is_shown_that_was_given_back(meanwhile):
    first = manager_of()
    number = PhoneNumberFactory(organization=first.organization)

    meanwhile(showing(first, number), releasing(first, number), at=OWN, unlocked=True)

    assert FeatureSetting.objects.get().number == number.number
