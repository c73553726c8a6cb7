from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from members.models import Throttle
from members.throttle import SIGN_IN, SIGN_IN_PLACE, count_try, forget_tries, take_back_try

pytestmark = pytest.mark.django_db


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
