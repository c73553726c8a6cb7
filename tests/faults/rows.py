"""The rows of the fault matrix: what breaks, for how long, and what may then be told to people.

A fault is a generator: up to its first ``yield`` it strikes, after it heals. ``chance`` is its only source of choice,
so that a seed plays the same fault again.
"""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

import psycopg

from skypemgr.embedded.processes import living, wait_until
from skypemgr.management.commands.migrate import LOCK_SECONDS
from tests.faults.stack import Stack

type Fault = Callable[[Stack, Random], Iterator[None]]

PAGES = ("invite", "add", "move", "allocate", "reset", "resend", "accept", "block")
LETTERS = ("invite", "reset", "add", "resend")


@dataclass(frozen=True)
class Row:
    """One row. ``breaks`` says that answers of 503, or none, are right while it lasts; ``duplicates`` how many letters
    may arrive twice: one for each sender that died, or was hung up on, between the server's yes and our note."""

    number: str
    fault: Fault
    deeds: Sequence[str] = PAGES
    lasts: float = 2.0
    breaks: bool = False
    duplicates: int = 0
    # Seconds after which web works again: more where a process has to be started for that, on a busy machine.
    back: float = 10
    quick: bool = False


def send_all(pids: Iterable[int], what: signal.Signals) -> None:
    """Send a signal to processes, some of which may end by themselves meanwhile."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, what)


def web_worker_dies(stack: Stack, chance: Random) -> Iterator[None]:
    """F1: the process that holds some of the requests."""
    for _death in range(2):
        victims = stack.children("web")
        if victims:
            send_all([chance.choice(victims)], signal.SIGKILL)
        time.sleep(0.7)
    yield


def web_dies(stack: Stack, chance: Random) -> Iterator[None]:
    """F2: all of web."""
    time.sleep(chance.uniform(0, 0.5))
    stack.kill("web")
    yield
    stack.tend()


def web_dies_between_commit_and_answer(stack: Stack, chance: Random) -> Iterator[None]:
    """F3: the work is done, and nobody is told."""
    for point in chance.sample(["web.before_response", "wake.after_commit", "web.before_response"], 3):
        armed = stack.arm(point)
        wait_until(lambda armed=armed: not armed.exists(), seconds=8, step=0.02)
        armed.unlink(missing_ok=True)
        time.sleep(0.3)
    yield


def worker_dies_in_an_import(stack: Stack, chance: Random) -> Iterator[None]:
    """F13: before a chunk is committed, after it, or while the file is read."""
    points = ["imports.before_chunk_commit", "imports.after_chunk", "imports.before_rows_commit", "imports.after_rows"]
    armed = [stack.arm(point) for point in chance.sample(points, 3)]
    yield
    wait_until(lambda: not any(file.exists() for file in armed), seconds=6, step=0.1)
    for file in armed:
        file.unlink(missing_ok=True)


def sender_dies(stack: Stack, chance: Random) -> Iterator[None]:
    """F17: between the mail server's yes and our note of it, and at other moments."""
    for point in ["letters.after_send", chance.choice(["letters.after_begin", "letters.after_claim"])]:
        armed = stack.arm(point)
        wait_until(lambda armed=armed: not armed.exists(), seconds=12, step=0.02)
        armed.unlink(missing_ok=True)
    yield
    stack.end_leases()


def mail_is(*modes: str) -> Fault:
    """F18: a mail server that is down, slow, busy or rude, one of ``modes``."""

    def strike(stack: Stack, chance: Random) -> Iterator[None]:
        mode = chance.choice(modes)
        if mode in {"refuse", "hang", "half"}:
            stack.mail.become(mode)
        else:
            stack.sink.mode = mode
            stack.sink_refused = mode == "5xx"
        yield
        stack.mail.become("pass")
        stack.sink.mode = "take"

    return strike


def database_dies(stack: Stack, chance: Random) -> Iterator[None]:
    """F20: kill -9 of PostgreSQL; somebody starts it again."""
    send_all(living("postgres", stack.folder / "pg"), signal.SIGKILL)
    time.sleep(chance.uniform(0.5, 2))
    stack.postgres.ensure()
    yield


def database_stops(stack: Stack, chance: Random) -> Iterator[None]:
    """F21: it answers nobody, and lives."""
    stopped = living("postgres", stack.folder / "pg")
    send_all(stopped, signal.SIGSTOP)
    yield
    send_all(stopped, signal.SIGCONT)


def database_is_cut_off(*modes: str) -> Fault:
    """F22: connections reset, or silent in one direction or both."""

    def strike(stack: Stack, chance: Random) -> Iterator[None]:
        for mode in chance.sample(modes, len(modes)):
            if mode == "cut":
                stack.database.cut()
                time.sleep(0.4)
            else:
                stack.database.become(mode)
        yield
        stack.database.become("pass")

    return strike


def database_is_full(stack: Stack, chance: Random) -> Iterator[None]:
    """F23: others have taken every connection that it gives."""
    taken = []
    try:
        while len(taken) < 300:
            taken.append(psycopg.connect(f"host={stack.folder / 'pg'} dbname=app user=app"))
    except psycopg.OperationalError:
        pass
    stack.database.cut()
    yield
    for connection in taken:
        connection.close()


def tables_change(stack: Stack, chance: Random) -> Iterator[None]:
    """F41: a migration that wants a table which somebody reads for long."""
    where = f"host={stack.folder / 'pg'} dbname=app user=app"
    with psycopg.connect(where) as reader, psycopg.connect(where, autocommit=True) as changer:
        reader.execute("SELECT count(*) FROM members_member")
        changer.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'")
        for _try in range(2):
            with contextlib.suppress(psycopg.errors.LockNotAvailable):
                changer.execute("ALTER TABLE members_member ADD COLUMN later integer")
            time.sleep(0.5)
        reader.rollback()
        changer.execute("ALTER TABLE members_member ADD COLUMN later integer DEFAULT 0")
        yield
        changer.execute("ALTER TABLE members_member DROP COLUMN later")


def broker_dies_and_forgets(stack: Stack, chance: Random) -> Iterator[None]:
    """F24: kill -9 of Valkey, empty when it is back."""
    send_all(living("valkey-server", stack.folder / "vk"), signal.SIGKILL)
    time.sleep(chance.uniform(0.5, 1.5))
    for file in (stack.folder / "vk").rglob("*.aof*"):
        file.unlink(missing_ok=True)
    yield
    stack.valkey.ensure()


def broker_is(mode: str) -> Fault:
    """F25: away, or accepting and silent."""

    def strike(stack: Stack, chance: Random) -> Iterator[None]:
        stack.broker.become(mode)
        yield
        stack.broker.become("pass")

    return strike


def broker_stops(stack: Stack, chance: Random) -> Iterator[None]:
    """F26: SIGSTOP of Valkey."""
    stopped = living("valkey-server", stack.folder / "vk")
    send_all(stopped, signal.SIGSTOP)
    yield
    send_all(stopped, signal.SIGCONT)


def workers_die(stack: Stack, chance: Random) -> Iterator[None]:
    """Every process of both workers, at a random moment."""
    time.sleep(chance.uniform(0, 1))
    stack.kill("work")
    stack.kill("mail")
    yield
    stack.tend()
    stack.end_leases()


def beats(number: int) -> Fault:
    """F27: none, or several at once."""

    def strike(stack: Stack, chance: Random) -> Iterator[None]:
        stack.kill("beat")
        more = [f"beat{extra}" for extra in range(number)]
        for name in more:
            command = [*stack.parts["beat"].command[:-1], str(stack.folder / name)]
            stack.add(name, command)
            stack.run(name)
        yield
        for name in more:
            stack.kill(name)
            process = stack.parts.pop(name).process
            assert process is not None
            process.wait()
        stack.tend()

    return strike


ROWS = [
    Row("F1", web_worker_dies, breaks=True, back=30, quick=True),
    Row("F2", web_dies, breaks=True, back=30),
    Row("F3", web_dies_between_commit_and_answer, breaks=True, back=30, quick=True),
    Row("F13", worker_dies_in_an_import, deeds=("import_file",), lasts=3, breaks=True, back=30, quick=True),
    Row("F17", sender_dies, deeds=LETTERS, duplicates=1, quick=True),
    # A server that goes down may have taken a letter and not said so.
    Row("F18", mail_is("refuse", "4xx", "421"), deeds=LETTERS, lasts=3, duplicates=3, quick=True),
    Row("F18-slow", mail_is("slow"), deeds=LETTERS, lasts=20),
    Row("F18-hang", mail_is("hang", "half"), deeds=LETTERS, lasts=25, duplicates=3),
    Row("F18-lost", mail_is("lost"), deeds=LETTERS, lasts=3, duplicates=1_000),
    Row("F18-5xx", mail_is("5xx"), deeds=LETTERS, lasts=3),
    Row("F20", database_dies, breaks=True, duplicates=2, quick=True),
    Row("F21", database_stops, lasts=30, breaks=True, duplicates=2),
    Row("F22", database_is_cut_off("cut"), breaks=True, duplicates=2, quick=True),
    Row("F22-hang", database_is_cut_off("hang"), lasts=15, breaks=True, duplicates=2),
    Row("F22-half", database_is_cut_off("half"), lasts=15, breaks=True, duplicates=2),
    Row("F23", database_is_full, lasts=3, breaks=True),
    Row("F41", tables_change),
    Row("F24", broker_dies_and_forgets, quick=True),
    Row("F25", broker_is("refuse"), lasts=10),
    Row("F25-silent", broker_is("hang"), lasts=20),
    Row("F26", broker_stops, lasts=60),
    Row("workers", workers_die, deeds=("import_file", "invite", "reset"), breaks=True, duplicates=2),
    Row("F27-none", beats(0), lasts=12),
    Row("F27-three", beats(3), lasts=12),
]
