"""What takes a guard away, to show what it is for."""

import re
import threading
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

type Call = Callable[[], object]
type Unguarded = Callable[..., list[Call]]
type Statements = Callable[[Call], list[str]]

LOCK = re.compile(r" FOR (?:NO KEY )?UPDATE(?: OF \"\w+\"(?:, \"\w+\")*)?(?: SKIP LOCKED)?")


@pytest.fixture
def unguarded() -> Unguarded:
    """Racers whose statements lack a guard, and who meet where it stood: each has read before another writes.

    Without ``predicate`` the guard is every row lock. With it, it is that condition of an UPDATE, which holds always
    instead; they then meet right before it.
    """

    def take_away(*calls: Call, predicate: str = "", always: str = "TRUE") -> list[Call]:
        met = threading.Barrier(len(calls))
        return [partial(_run, call, met, predicate, always) for call in calls]

    return take_away


def _run(call: Call, met: threading.Barrier, predicate: str, always: str) -> object:
    has_met = False

    def meet() -> None:
        nonlocal has_met
        if not has_met:
            has_met = True
            met.wait(timeout=10)

    def without(execute, sql, params, many, context):
        if not predicate:
            bare = LOCK.sub("", sql)
            answer = execute(bare, params, many, context)
            if bare != sql:
                meet()
            return answer
        if sql.startswith("UPDATE") and predicate in sql:
            meet()
            sql = sql.replace(predicate, always)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(without):
        return call()


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
