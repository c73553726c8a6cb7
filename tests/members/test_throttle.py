from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from members.models import Throttle
from members.throttle import SIGN_IN_PLACE, Ladder, Limit, climb, count_try, forget_tries, take_back_try

pytestmark = pytest.mark.django_db

SIGN_IN = Limit("tries", 10, 15)
LADDER = Ladder("ladder")


def test_tries_are_counted_for_each_key_and_scope_until_the_limit():
    assert [count_try(SIGN_IN, "hanna") for _number in range(12)] == [True] * 10 + [False] * 2
    assert count_try(SIGN_IN, "bo")
    assert count_try(SIGN_IN_PLACE, "hanna")


def test_counting_begins_anew_when_the_time_is_over():
    for _number in range(11):
        count_try(SIGN_IN, "hanna")
    Throttle.objects.update(began_at=timezone.now() - timedelta(minutes=15, seconds=1))

    assert count_try(SIGN_IN, "hanna")
    assert Throttle.objects.get().count == 1


def test_tries_can_be_forgotten_or_taken_back():
    for _number in range(10):
        count_try(SIGN_IN, "hanna")
    take_back_try(SIGN_IN, "hanna")
    assert [count_try(SIGN_IN, "hanna") for _number in range(2)] == [True, False]

    forget_tries(SIGN_IN, "hanna")
    assert count_try(SIGN_IN, "hanna")


def test_nobody_can_read_whom_the_tries_were_about():
    count_try(SIGN_IN, "hanna.berg 10.1.2.3")

    assert "hanna" not in Throttle.objects.get().key


@pytest.mark.django_db(transaction=True)
def test_tries_at_the_same_moment_are_all_counted(race):
    outcomes = race(*[partial(count_try, SIGN_IN, "hanna")] * 20)

    assert outcomes.count(True) == 10
    assert outcomes.count(False) == 10


# Failures in a row


def waits(number: int, key: str = "hanna") -> list[int]:
    """How many seconds each of some tries had to wait, 0 for none."""
    return [wait.seconds if (wait := climb(LADDER, key)) else 0 for _number in range(number)]


def pass_time(**elapsed: float) -> None:
    for tries in Throttle.objects.filter(scope=LADDER.scope):
        tries.began_at -= timedelta(**elapsed)
        tries.save()


def test_ten_failures_may_be_made_at_once_and_then_a_wait_begins_that_trying_does_not_prolong():
    assert waits(10) == [0] * 10
    first, second = waits(2)
    assert 890 <= second <= first <= 900
    assert waits(1, "bo") == [0]

    pass_time(minutes=15)
    assert waits(11)[:10] == [0] * 10


def test_each_further_ten_failures_double_the_wait_up_to_a_day():
    minutes = []
    for _round in range(9):
        waits(10)
        [seconds] = waits(1)
        minutes.append(round(seconds / 60))
        pass_time(days=1)

    assert minutes == [15, 30, 60, 120, 240, 480, 960, 1440, 1440]


def test_after_a_hundred_failures_in_a_row_waiting_does_not_help():
    for _round in range(10):
        assert waits(10) == [0] * 10
        pass_time(days=1)

    wait = climb(LADDER, "hanna")

    assert wait is not None
    assert wait.for_good
    forget_tries(LADDER, "hanna")
    assert climb(LADDER, "hanna") is None


@pytest.mark.django_db(transaction=True)
def test_failures_at_the_same_moment_are_all_counted(race):
    outcomes = race(*[partial(climb, LADDER, "hanna")] * 20)

    assert outcomes.count(None) == 10
