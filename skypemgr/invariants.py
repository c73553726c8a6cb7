"""What must be true of the data at every moment, whatever has crashed: `manage.py invariants` asks, and an hourly job.

An app adds its own in its module ``invariants``. Each is a few statements over whole tables.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db import connection, transaction

type Findings = Iterable[str]


@dataclass(frozen=True)
class Violation:
    """Something that must never be: the name of the invariant, and a sentence with figures and no personal data."""

    invariant: str
    message: str


class InvariantBroken(Exception):
    """The data contradict themselves: a mistake of ours, or somebody has changed the database by hand."""


_invariants: dict[str, Callable[[], Findings]] = {}


def invariant(function: Callable[[], Findings]) -> Callable[[], Findings]:
    """Register a function that yields a sentence for each way in which the data contradict it."""
    name = f"{function.__module__.partition('.')[0]}.{function.__name__}"
    if _invariants.setdefault(name, function) is not function:
        raise ValueError(f"There are two invariants named {name}.")
    return function


def all_invariants() -> dict[str, Callable[[], Findings]]:
    """Every invariant by its name, ``app.function``."""
    return dict(sorted(_invariants.items()))


def find_violations(*, without: frozenset[str] = frozenset()) -> list[Violation]:
    """Everything that contradicts an invariant, except those named in ``without``.

    What could not be asked is a violation too.
    """
    found: list[Violation] = []
    for name, function in all_invariants().items():
        if name not in without:
            try:
                found += [Violation(name, message) for message in _ask(function)]
            except Exception as error:  # noqa: BLE001
                found.append(Violation(name, f"This could not be asked: {type(error).__name__}: {error}"))
    return found


@transaction.atomic(savepoint=False)
def _ask(function: Callable[[], Findings]) -> list[str]:
    with connection.cursor() as cursor:
        # Whole tables are read.
        cursor.execute("SET LOCAL statement_timeout = '60s'")
    return list(function())


def check_invariants() -> None:
    """Raise InvariantBroken, naming what is wrong, unless every invariant holds."""
    found = find_violations()
    if found:
        raise InvariantBroken("; ".join(f"{violation.invariant}: {violation.message}" for violation in found))


def count(sql: str) -> int:
    """The number that a statement gives."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]
