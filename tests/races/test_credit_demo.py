"""The demo company and its credit, asked for by two at once."""

from functools import partial

import pytest

from credit.demo import add_credit
from credit.models import Order
from members.access import Actor
from members.services.demo import seed_demo

LOCK = r"pg_advisory_lock\(hashtextextended\((%s), 0\)\)"


@pytest.fixture
def adding(transactional_db, settings):
    settings.LOCAL = True
    return partial(add_credit, seed_demo(actor=Actor.system(), members=8))


def test_two_who_add_credit_to_the_demo_company_at_once_add_it_once(race, adding):
    assert race(adding, adding) == [None, None]

    assert Order.objects.count() == 2


def test_control_without_the_lock_the_demo_company_gets_its_credit_twice(race, unguarded, adding):
    # They have both looked whether there is any by the time at which they look who is there.
    looking = 'SELECT "members_member"'
    race(*unguarded(adding, adding, without=LOCK, instead=r"length(\1::text)", before=looking))

    assert Order.objects.count() > 2
