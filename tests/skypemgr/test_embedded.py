import os
import signal
from pathlib import Path

import pytest

from skypemgr.embedded.commands import needs_servers
from skypemgr.embedded.processes import ServerError, check_socket_path, living
from tests.skypemgr.processes import (
    ask,
    first_line_of,
    kill,
    output_of,
    postgres_of,
    servers_of,
    start,
)

WAITS = "print(c.fetchone()[0], flush=True); import time; time.sleep(60)"


def test_twenty_commands_at_once_share_one_server_and_the_last_one_stops_it(folder: Path) -> None:
    commands = [ask("SELECT pg_postmaster_start_time()", folder=folder) for _ in range(20)]

    starts = {output_of(command) for command in commands}

    assert len(starts) == 1
    assert servers_of(folder) == []
    assert "database system is shut down" in (folder / "pg.log").read_text()


def test_a_command_that_ends_takes_no_server_from_another(folder: Path) -> None:
    gate = folder.parent / "gate"
    os.mkfifo(gate)
    again = "c.execute('SELECT pg_postmaster_start_time()'); print(c.fetchone()[0])"
    staying = ask("SELECT 1", folder=folder, then=f"print('here', flush=True); open({str(gate)!r}).read(); {again}")
    assert first_line_of(staying) == "here"
    leaving = output_of(ask("SELECT pg_postmaster_start_time()", folder=folder))

    gate.write_text("go on")

    assert output_of(staying) == leaving
    assert servers_of(folder) == []


def test_servers_whose_starter_was_killed_are_adopted_and_stopped_in_the_end(folder: Path) -> None:
    starter = ask("SELECT pg_postmaster_start_time()", folder=folder, then=WAITS)
    started = first_line_of(starter)
    kill(starter.pid)
    starter.communicate()
    assert len(living("valkey-server", folder / "valkey")) == 1

    assert output_of(ask("SELECT pg_postmaster_start_time()", folder=folder)) == started
    assert servers_of(folder) == []


def test_what_was_committed_outlives_kill_9_of_server_and_command(folder: Path) -> None:
    then = "c.execute('INSERT INTO kept VALUES (7)'); print('kept', flush=True); import time; time.sleep(60)"
    command = ask("CREATE TABLE kept (number int)", folder=folder, then=then)
    assert first_line_of(command) == "kept"
    for process in (postgres_of(folder), *living("valkey-server", folder / "valkey"), command.pid):
        kill(process)
    command.communicate()

    assert output_of(ask("SELECT number FROM kept", folder=folder)) == "7"


def test_the_servers_write_to_disk_what_they_confirm(folder: Path) -> None:
    sql = (
        "SELECT current_setting('fsync') || current_setting('synchronous_commit') || current_setting('data_checksums')"
    )
    then = (
        "print(c.fetchone()[0]); from redis import Redis; from django.conf import settings;"
        "print(Redis.from_url(settings.REDIS_URL).config_get('appendonly'))"
    )

    assert output_of(ask(sql, folder=folder, then=then)).splitlines() == ["ononon", "{'appendonly': 'yes'}"]


def test_a_process_id_that_now_belongs_to_another_does_not_keep_the_server_from_starting(folder: Path) -> None:
    output_of(ask("SELECT 1", folder=folder))
    lines = [str(os.getpid()), str(folder / "pg"), "1", "5432", str(folder / "pg"), "", "1 1", "ready"]
    (folder / "pg" / "postmaster.pid").write_text("\n".join(lines) + "\n")
    (folder / "pg" / ".s.PGSQL.5432.lock").write_text("\n".join(lines) + "\n")

    assert output_of(ask("SELECT 1", folder=folder)) == "1"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_command_that_is_interrupted_stops_the_servers_all_the_same(folder: Path, number: signal.Signals) -> None:
    command = ask("SELECT 1", folder=folder, then=WAITS)
    first_line_of(command)

    command.send_signal(number)

    command.communicate(timeout=60)
    assert command.returncode not in {0, None}
    assert servers_of(folder) == []


def test_nobody_is_superuser_and_nobody_connects_by_network(folder: Path) -> None:
    facts = "SELECT current_user, rolsuper, rolbypassrls, current_setting('listen_addresses') FROM pg_roles"

    row = output_of(ask(f"{facts} WHERE rolname = current_user", folder=folder, then="print(c.fetchone())"))

    assert row == "('app', False, False, '')"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "pg").stat().st_mode & 0o777 == 0o700


def test_a_folder_may_have_any_name(folder: Path) -> None:
    odd = folder.parent / "my data + 100% & é?#"

    asked = start(
        "shell",
        "-v0",
        "-c",
        "from django.db import connection; from skypemgr.celery import app; connection.ensure_connection();"
        "print(app.connection_for_write().ensure_connection(max_retries=1).connected)",
        folder=odd,
    )

    assert output_of(asked) == "True"
    assert servers_of(odd) == []


def test_a_path_too_long_for_a_socket_is_explained() -> None:
    with pytest.raises(ServerError, match="set APP_VAR to a folder with a shorter path"):
        check_socket_path(Path("/" + "x" * 107))


def test_production_never_starts_an_embedded_server(folder: Path) -> None:
    values = {"SECRET_KEY": "x" * 60, "BASE_URL": "https://a.example", "ALLOWED_HOSTS": "a.example"}

    refused = start("migrate", folder=folder, SKYPEMGR_ENV="production", DATABASE_URL="", **values)

    output, _ = refused.communicate(timeout=60)
    assert refused.returncode == 1
    assert output.strip() == "DATABASE_URL must be set when SKYPEMGR_ENV=production."
    assert not folder.exists()


@pytest.mark.parametrize(
    ("line", "needed"),
    [
        ("manage.py migrate", True),
        ("manage.py migrate --help", False),
        ("manage.py", False),
        ("manage.py help up", False),
        ("manage.py up", False),
        ("manage.py collectstatic --no-input", False),
        ("manage.py check", False),
        ("manage.py check --database default", True),
        ("manage.py check_installation", True),
    ],
)
def test_servers_are_started_for_the_commands_that_need_them(line: str, needed: bool) -> None:
    assert needs_servers(line.split()) is needed
