import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection, connections
from django.db.backends.postgresql.operations import DatabaseOperations
from django.test import Client
from django.test.utils import CaptureQueriesContext

from members.models import User
from members.sessions import PROVED
from telephony.country_seeds import plant
from telephony.models import CountryRule, Disclaimer
from tests.factories import AuthenticatorAppFactory, UserFactory
from tests.skypemgr.processes import ROOT, environment
from tests.stripe_fake.account import API_KEY, SECRET
from tests.stripe_fake.server import FakeStripe

type Race = Callable[..., list[object]]
NEVER_EMPTIED = ["credit_ledgeraccount", "credit_ledgerseal", "credit_transfer"]
# What came with the migrations: loading it again after each test would take too long.
STAYS_LOADED = {
    "telephony_plancoverage",
    "telephony_postcode",
    "telephony_product",
    "telephony_product_includes",
    "telephony_product_requires",
    "telephony_productprice",
}
type LocksBeforeWrites = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def operator(db: None, client: Client) -> User:
    """Somebody who runs the installation, signed in with a second factor and just proved."""
    person = UserFactory.create(is_operator=True)
    AuthenticatorAppFactory(user=person)
    client.force_login(person)
    session = client.session
    session[PROVED] = time.time()
    session.save()
    return person


@pytest.fixture(scope="session", autouse=True)
def tables_can_be_emptied() -> Iterator[None]:
    """Let the database be emptied between tests, tables that are never emptied included, while services run."""
    plain, execute = DatabaseOperations.sql_flush, DatabaseOperations.execute_sql_flush

    def sql_flush(self: DatabaseOperations, style: Any, tables: list[str], **options: Any) -> list[str]:
        return [
            *(f"ALTER TABLE {table} DISABLE TRIGGER never_emptied" for table in NEVER_EMPTIED),
            *plain(self, style, [table for table in tables if table not in STAYS_LOADED], **options),
            *(f"ALTER TABLE {table} ENABLE TRIGGER never_emptied" for table in NEVER_EMPTIED),
        ]

    def execute_sql_flush(self: DatabaseOperations, statements: list[str]) -> None:
        # A worker or beat of the same database takes its locks in another order: one of the two has to give way.
        for _ in range(9):
            with suppress(OperationalError):
                execute(self, statements)
                break
        else:
            execute(self, statements)
        plant(CountryRule, Disclaimer)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
        patch.setattr(DatabaseOperations, "execute_sql_flush", execute_sql_flush)
        yield


@pytest.fixture
def stripe(settings: Any) -> Iterator[FakeStripe]:
    """An account at a Stripe of our own, which the installation uses."""
    with FakeStripe().running_in_background() as fake:
        settings.STRIPE_API_KEY, settings.STRIPE_WEBHOOK_SECRET, settings.STRIPE_API_BASE = API_KEY, SECRET, fake.url
        yield fake


@pytest.fixture
def locks_before_writes(db: None) -> LocksBeforeWrites:
    """Assert that a block takes an ordered row lock before its first UPDATE."""

    @contextmanager
    def check() -> Iterator[None]:
        with CaptureQueriesContext(connection) as captured:
            yield
        statements = [query["sql"] for query in captured]
        locks = [place for place, sql in enumerate(statements) if " FOR " in sql and "ORDER BY" in sql]
        writes = [place for place, sql in enumerate(statements) if sql.startswith("UPDATE")]
        assert locks, f"no ordered lock among {statements}"
        assert writes, f"no UPDATE among {statements}"
        assert locks[0] < writes[0]

    return check


@pytest.fixture
def race(transactional_db: None) -> Race:
    """Run callables at the same instant on their own connections; return results and errors, in their order."""

    def run(*callables: Callable[[], object]) -> list[object]:
        barrier = threading.Barrier(len(callables))
        outcomes: list[object] = [None] * len(callables)

        def runner(index: int, call: Callable[[], object]) -> None:
            try:
                # Connected before the start, so that all of them reach their first statement together.
                connection.ensure_connection()
                barrier.wait(timeout=30)
                outcomes[index] = call()
            except Exception as error:  # noqa: BLE001
                outcomes[index] = error
            finally:
                connections.close_all()

        threads = [threading.Thread(target=runner, args=item) for item in enumerate(callables)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        assert not any(thread.is_alive() for thread in threads), "a racer is still waiting"
        return outcomes

    return run


@pytest.fixture
def apart(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs Python on the database of the test, in a process that may have to die at a point; gives how that ended."""

    def run(*words: str, die_at: str = "") -> subprocess.CompletedProcess[str]:
        if die_at:
            (tmp_path / die_at).touch()
        surroundings = environment(
            tmp_path / "var",
            DATABASE_URL=os.environ["DATABASE_URL"].replace("/app?", f"/{connection.settings_dict['NAME']}?"),
            REDIS_URL="redis://127.0.0.1:1/0",
            KILL_POINTS=str(tmp_path),
            PYTHONPATH=str(ROOT),
        )
        command = [sys.executable, *words]
        return subprocess.run(
            command, cwd=ROOT, env=surroundings, timeout=120, check=False, stdout=subprocess.PIPE, text=True
        )

    return run
