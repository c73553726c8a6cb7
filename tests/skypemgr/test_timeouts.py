"""Every limit of the database, read back from the running server for each kind of process."""

import os
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from skypemgr.database.silence import WatchfulConnection
from tests.skypemgr.processes import ROOT

READ = """
import django
django.setup()
from django.db import connection
with connection.cursor() as cursor:
    for name in {names!r}:
        cursor.execute("SHOW " + name)
        print(name, cursor.fetchone()[0])
"""
EVERYWHERE = {
    "lock_timeout": "3s",
    "idle_in_transaction_session_timeout": "15s",
    "client_connection_check_interval": "5s",
    "timezone": "UTC",
}
COMMAND = ["manage.py", "shell", "--verbosity", "0", "--command"]
LIMITS = {
    "web": {"statement_timeout": "5s", "transaction_timeout": "30s"},
    "worker": {"statement_timeout": "5s", "transaction_timeout": "100s"},
    "command": {"statement_timeout": "0", "transaction_timeout": "0"},
}


def environment_of(kind: str) -> dict[str, str]:
    """What a process of this kind finds in its environment."""
    base = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_")}
    name, host = connection.settings_dict["NAME"], connection.settings_dict["OPTIONS"]["host"]
    base |= {
        "DATABASE_URL": f"postgresql://app@/{name}?host={host}",
        "DJANGO_SETTINGS_MODULE": "skypemgr.settings",
        "PYTHONPATH": str(ROOT),
    }
    before = dict(os.environ)
    try:
        os.environ.clear()
        os.environ.update(base)
        if kind == "web":
            runpy.run_path(str(ROOT / "gunicorn.conf.py"))
        return dict(os.environ)
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", LIMITS)
def test_every_process_has_its_limits(kind: str) -> None:
    wanted = EVERYWHERE | LIMITS[kind]

    read = subprocess.run(
        [sys.executable, *(COMMAND if kind == "command" else ["-c"]), READ.format(names=list(wanted))],
        cwd=ROOT,
        env=environment_of(kind),
        capture_output=True,
        text=True,
        timeout=240,
    )

    assert read.returncode == 0, read.stderr
    assert dict(line.split(maxsplit=1) for line in read.stdout.splitlines()) == wanted


@pytest.mark.django_db
def test_the_kernel_notices_a_server_that_is_gone() -> None:
    options = connection.get_connection_params()

    assert options["connect_timeout"] == 3
    assert options["tcp_user_timeout"] == 10_000
    assert (options["keepalives_idle"], options["keepalives_interval"], options["keepalives_count"]) == (10, 5, 3)


def test_each_thread_of_web_has_a_connection_and_fewer_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WEB_THREADS", "6")
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    monkeypatch.delenv("DATABASE_POOL_SIZE", raising=False)
    monkeypatch.delenv("DATABASE_TRANSACTION_TIMEOUT", raising=False)
    web = runpy.run_path(str(ROOT / "gunicorn.conf.py"))

    assert int(os.environ["DATABASE_POOL_SIZE"]) > web["threads"]

    monkeypatch.setenv("DATABASE_POOL_SIZE", "5")
    with pytest.raises(SystemExit, match="DATABASE_POOL_SIZE must be 6"):
        runpy.run_path(str(ROOT / "gunicorn.conf.py"))


@pytest.fixture
def watchful(db: None) -> Iterator[WatchfulConnection]:
    connection.ensure_connection()
    opened = WatchfulConnection.connect(connection.connection.info.dsn, autocommit=True)
    yield opened
    opened.close()


def test_a_server_that_is_busy_is_not_taken_for_silent(watchful: WatchfulConnection) -> None:
    watchful.patience = 0.2

    assert watchful.execute("SELECT 1 FROM pg_sleep(0.7)").fetchone() == (1,)
