"""What takes a guard away, to show what it is for, and what holds one racer where the other would do harm."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

type Call = Callable[[], object]
type Unguarded = Callable[..., list[Call]]
type Statements = Callable[[Call], list[str]]
type Meanwhile = Callable[..., "Held"]

LOCK = r" FOR (?:NO KEY )?UPDATE(?: OF \"\w+\"(?:, \"\w+\")*)?(?: SKIP LOCKED)?"
WRITES = ("INSERT", "UPDATE", "DELETE")
WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND wait_event_type = 'Lock'
"""
PATIENCE = 20


class Held(NamedTuple):
    """What came of the one who was held and of the one who came meanwhile, and whether that one had to wait."""

    first: object
    second: object
    waited: bool


@pytest.fixture
def unguarded() -> Unguarded:
    """Racers whose statements lack a guard, and who meet before they write: each has read before another changes it.

    Without ``predicate`` the guard is what ``without`` finds in a statement, which says ``instead`` instead: every
    row lock, unless another is named. ``at_the_guard`` they meet right behind it, where other locks would let one of
    them through alone; ``before`` says how the statement begins that none of them may reach before they have met.
    With ``predicate`` it is that condition of an UPDATE, which holds always instead; they then meet right before it.
    """

    def take_away(
        *calls: Call,
        predicate: str = "",
        always: str = "TRUE",
        without: str = LOCK,
        instead: str = "",
        at_the_guard: bool = False,
        before: str | tuple[str, ...] = WRITES,
    ) -> list[Call]:
        met = threading.Barrier(len(calls))
        return [partial(_run, call, met, predicate, always, without, instead, at_the_guard, before) for call in calls]

    return take_away


def _run(
    call: Call,
    met: threading.Barrier,
    predicate: str,
    always: str,
    without: str,
    instead: str,
    at_the_guard: bool,
    before: str | tuple[str, ...],
) -> object:
    has_met = has_looked = False

    def meet() -> None:
        nonlocal has_met
        if not has_met:
            has_met = True
            met.wait(timeout=10)

    def unguard(execute, sql, params, many, context):
        nonlocal has_looked
        if not predicate:
            bare = re.sub(without, instead, sql)
            has_looked = has_looked or bare != sql
            if has_looked and sql.startswith(before):
                meet()
            answer = execute(bare, params, many, context)
            if at_the_guard and has_looked:
                meet()
            return answer
        if sql.startswith("UPDATE") and predicate in sql:
            meet()
            sql = sql.replace(predicate, always)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(unguard):
        answer = call()
    if not has_met:
        met.abort()
        pytest.fail(f"one came to its end without a meeting: {answer!r}")
    return answer


@pytest.fixture
def meanwhile(transactional_db: None) -> Meanwhile:
    """Hold ``first`` right after its statement that ``at`` finds, and let ``second`` begin; then both go on.

    ``second`` has ended by then, or waits for a lock that ``first`` has. ``unlocked`` takes the row locks away from
    both, or what ``without`` finds in their statements, which say ``instead`` instead: the control.
    """

    def run(
        first: Call, second: Call, *, at: str, unlocked: bool = False, without: str = LOCK, instead: str = ""
    ) -> Held:
        reached, released = threading.Event(), threading.Event()
        outcomes: list[object] = [None, None]

        def hold(execute, sql, params, many, context):
            answer = execute(sql, params, many, context)
            if re.search(at, sql) and not reached.is_set():
                reached.set()
                released.wait(timeout=PATIENCE)
            return answer

        def unlock(execute, sql, params, many, context):
            return execute(re.sub(without, instead, sql), params, many, context)

        def runner(place: int, call: Call, *wrappers: Callable[..., object]) -> None:
            try:
                with _wrapped(*wrappers):
                    outcomes[place] = call()
            except Exception as error:  # noqa: BLE001
                outcomes[place] = error
            finally:
                connections.close_all()

        always = [unlock] if unlocked else []
        threads = [
            threading.Thread(target=runner, args=(0, first, *always, hold)),
            threading.Thread(target=runner, args=(1, second, *always)),
        ]
        threads[0].start()
        assert reached.wait(timeout=PATIENCE), f"{at} was never reached: {outcomes[0]!r}"
        threads[1].start()
        waited = _waits(threads[1])
        released.set()
        for thread in threads:
            thread.join(timeout=2 * PATIENCE)
            assert not thread.is_alive(), "a racer is still waiting"
        return Held(*outcomes, waited)

    return run


@contextmanager
def _wrapped(*wrappers: Callable[..., object]) -> Iterator[None]:
    connection.ensure_connection()
    for wrapper in wrappers:
        connection.execute_wrappers.append(wrapper)
    yield


def _waits(thread: threading.Thread) -> bool:
    """Whether somebody waits for a lock before the thread ends."""
    end = time.monotonic() + PATIENCE
    while thread.is_alive() and time.monotonic() < end:
        with connection.cursor() as cursor:
            cursor.execute(WAITING)
            if cursor.fetchone()[0]:
                return True
        thread.join(timeout=0.02)
    return False


@pytest.fixture
def statements(transactional_db: None) -> Statements:
    """The statements of a call, in their order."""

    def capture(call: Call) -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            call()
        return [query["sql"] for query in captured]

    return capture


@pytest.fixture(params=[6, pytest.param(200, marks=pytest.mark.slow)])
def rounds(request: pytest.FixtureRequest) -> int:
    """How often a race is run: a few times on every change, often enough for a rare order in ``make slow``."""
    return int(request.param)
