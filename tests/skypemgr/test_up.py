import os
import signal
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from skypemgr.embedded.processes import living, wait_until
from tests.skypemgr.processes import (
    Service,
    ask,
    children_of,
    environment,
    kill,
    nothing_is_left_in,
    output_of,
    postgres_of,
    serving,
    start,
)

ENDS = {
    "web": "gunicorn",
    "worker": " --queues work ",
    "mail": " --queues mail ",
    "beat": " beat ",
    "keeper": "skypemgr.running.keeper",
}


@contextmanager
def running(folder: Path, *options: str) -> Iterator[tuple[Service, str]]:
    """`up` on any free port, and its address, as soon as it says that it runs."""
    command = [sys.executable, "manage.py", "up", "--port", "0", *options]
    with serving(command, environment=environment(folder)) as up:
        yield up, up.read_until(r"runs at (http://127\.0\.0\.1:\d+)/")


def status_of(url: str) -> int | None:
    """The status of an answer, None when nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def leader_of(name: str, folder: Path) -> int | None:
    """The process id of web, worker, beat or keeper itself, not of what it has forked."""
    leaders = [pid for pid, line in children_of(folder).items() if ENDS[name] in line and is_leader(pid)]
    return leaders[0] if leaders else None


def is_leader(pid: int) -> bool:
    try:
        return os.getpgid(pid) == pid
    except ProcessLookupError:
        return False


def test_it_serves_until_it_is_told_to_stop_and_leaves_nothing_behind(folder: Path) -> None:
    with running(folder) as (up, address):
        assert status_of(f"{address}/readyz") == 200
        assert "administrator" in up.read_until(r"Sign in as\n(.+\n.+)\n")
        assert wait_until(lambda: all(leader_of(name, folder) for name in ENDS), seconds=20, step=0.1)

        second = start("up", "--no-demo", folder=folder)
        output, _ = second.communicate(timeout=60)
        assert f"Already running at {address} (process {up.process.pid})." in output
        assert second.returncode == 1

        output_of(start("check_installation", folder=folder))

        assert up.end(signal.SIGTERM) == 0

    assert nothing_is_left_in(folder)


def test_whatever_is_killed_is_started_again(folder: Path) -> None:
    with running(folder, "--no-demo") as (up, address):
        output_of(ask("CREATE TABLE kept AS SELECT 7 AS number", folder=folder, then="c.connection.commit()"))
        assert wait_until(lambda: all(leader_of(name, folder) for name in ENDS), seconds=20, step=0.1)
        before = {name: leader_of(name, folder) for name in ENDS}
        servers = [postgres_of(folder), *living("valkey-server", folder / "valkey")]

        for process in [*before.values(), *servers]:
            assert process is not None
            kill(process)

        def all_are_others() -> bool:
            after = {name: leader_of(name, folder) for name in ENDS}
            return all(after[name] not in {None, before[name]} for name in ENDS)

        assert wait_until(all_are_others, seconds=30, step=0.2)
        assert wait_until(lambda: status_of(f"{address}/readyz") == 200, seconds=30, step=0.2)
        assert output_of(ask("SELECT number FROM kept", folder=folder)) == "7"

        up.process.send_signal(signal.SIGINT)
        assert up.end(signal.SIGINT) == 0

    assert nothing_is_left_in(folder)


def test_killing_it_stops_the_rest_and_loses_nothing(folder: Path) -> None:
    with running(folder, "--no-demo") as (up, address):
        output_of(ask("CREATE TABLE kept AS SELECT 7 AS number", folder=folder, then="c.connection.commit()"))
        kill(up.process.pid)

        # At once, while what the first one had started is still ending.
        with running(folder, "--no-demo") as (again, address):
            assert status_of(f"{address}/healthz") == 200
            assert output_of(ask("SELECT number FROM kept", folder=folder)) == "7"
            kill(again.process.pid)

            assert nothing_is_left_in(folder)


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("Starting PostgreSQL", signal.SIGTERM),
        ("Preparing the database", signal.SIGINT),
        ("Starting web", signal.SIGHUP),
    ],
)
def test_it_can_be_stopped_while_it_starts(folder: Path, moment: str, number: signal.Signals) -> None:
    command = [sys.executable, "manage.py", "up", "--port", "0", "--no-demo"]
    with serving(command, environment=environment(folder)) as up:
        up.read_until(f"({moment})")

        assert up.end(number) == 0, up.log.read_text()

    assert nothing_is_left_in(folder)


def test_a_port_in_use_is_explained(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        up = start("up", "--port", str(port), folder=folder)
        output, _ = up.communicate(timeout=60)

    assert up.returncode == 1
    assert f"Port {port} can't be used" in output
    assert "make run PORT=8001" in output


def test_it_is_for_local_mode_alone(folder: Path) -> None:
    production = {
        "SKYPEMGR_ENV": "production",
        "SECRET_KEY": "x" * 60,
        "BASE_URL": "https://skypemgr.example",
        "ALLOWED_HOSTS": "skypemgr.example",
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "SMTP_URL": "smtp://127.0.0.1:1",
    }

    up = start("up", folder=folder, **production)

    output, _ = up.communicate(timeout=60)
    assert up.returncode == 1
    assert "in production use `docker compose up`" in output
