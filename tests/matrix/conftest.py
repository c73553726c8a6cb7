import logging
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import override_settings

from skypemgr import settings as everywhere
from tests.matrix.asking import Asker, rolled_back
from tests.matrix.world import World, build_world
from tests.stripe_fake.account import API_KEY, SECRET
from tests.stripe_fake.server import FakeStripe


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[World]:
    """Two companies and everybody who may ask, made once; what a test changes, it changes inside ``rolled_back``."""
    # Everybody has just shown who they are, however long the table takes on a busy machine.
    patient = override_settings(
        MAILERS=everywhere.MAILERS, PROOF_MINUTES=600, SESSION_IDLE_MINUTES=600, CREDIT_INACTIVE_DAYS=180
    )
    with FakeStripe().running_in_background() as stripe, django_db_blocker.unblock(), patient, rolled_back():
        cards = override_settings(STRIPE_API_KEY=API_KEY, STRIPE_WEBHOOK_SECRET=SECRET, STRIPE_API_BASE=stripe.url)
        with connection.cursor() as cursor:
            # One transaction for all: longer than any of the product may be.
            cursor.execute("SET LOCAL transaction_timeout = 0")
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        with cards:
            yield build_world()


@pytest.fixture(scope="module")
def asker() -> Asker:
    return Asker()


@pytest.fixture
def db(world: World) -> None:
    """The database of the module's own transaction, instead of one for each test."""


@pytest.fixture(scope="module")
def quiet() -> Iterator[None]:
    """Thousands of refusals are no news."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    yield
    logging.disable(before)
