"""A restore that is carried out, and compared with what was saved (`manage.py restore_drill`)."""

import contextlib
import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from skypemgr.fingerprints import Fingerprint, differences, fingerprint
from skypemgr.invariants import find_violations

PARAMETERS = ("host", "port", "user", "password", "dbname", "sslmode", "sslrootcert", "sslcert", "sslkey", "passfile")
PATIENT = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET transaction_timeout = 0"


class DrillError(Exception):
    """The drill could not be carried out, which proves nothing. The message says what to do."""


@dataclass
class Outcome:
    """What the drill found. Everything is well if ``differences`` and ``violations`` are empty."""

    tables: int
    rows: int
    seconds: dict[str, float]
    differences: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)


def drill(*, into: str = "", dump: Path | None = None) -> Outcome:
    """Dump the configured database (or take the file ``dump``), restore it, compare, and drop the copy.

    The copy is made on the same server, or on that of the URL ``into``. A dump of our own is compared with the
    very moment it shows; a file with the database as it is now. Raises DrillError.
    """
    here = {name: value for name, value in connection.get_connection_params().items() if name in PARAMETERS}
    there = {**conninfo_to_dict(into)} if into else here
    clock = Stopwatch()
    with psycopg.connect(**here) as source:
        programs = find_programs(source.info.server_version)
        source.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        be_patient(source)
        saved = fingerprint(source)
        clock.note("read")
        with scratch_database(there) as copy_parameters:
            if dump is None:
                moment = source.execute("SELECT pg_export_snapshot()").fetchone()
                assert moment is not None
                copy_directly(programs, here, copy_parameters, snapshot=moment[0])
            else:
                restore_file(programs, dump, copy_parameters)
            clock.note("restore")
            outcome = compare(saved, copy_parameters)
            clock.note("compare")
    outcome.seconds = clock.seconds
    return outcome


def compare(saved: Fingerprint, copy_parameters: dict[str, Any]) -> Outcome:
    """Hold a copy against what was saved, and ask it whether its data are true."""
    with psycopg.connect(**copy_parameters) as copy:
        be_patient(copy)
        found = differences(saved, fingerprint(copy))
    with working_on(copy_parameters):
        violations = [f"{violation.invariant}: {violation.message}" for violation in find_violations()]
    return Outcome(len(saved.tables), saved.rows, {}, found, violations)


class Stopwatch:
    """How long each part took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._began = time.monotonic()

    def note(self, part: str) -> None:
        """End one part; the next begins."""
        now = time.monotonic()
        self.seconds[part], self._began = round(now - self._began, 2), now


def be_patient(one: psycopg.Connection) -> None:
    """Let statements of this connection take as long as the tables are large."""
    for statement in PATIENT.split("; "):
        if "transaction_timeout = 0" in statement and "idle" not in statement and one.info.server_version < 170_000:
            continue
        one.execute(statement.encode())


@dataclass(frozen=True)
class Programs:
    """pg_dump and pg_restore, as new as the server."""

    dump: str
    restore: str


def find_programs(server: int) -> Programs:
    """The first programs on the path that know a server of version ``server`` (180006). Raises DrillError."""
    return Programs(find_program("pg_dump", server // 10_000), find_program("pg_restore", server // 10_000))


def find_program(name: str, version: int) -> str:
    """The first ``name`` on the path, or where Debian keeps it, that is of ``version`` or later. Raises DrillError."""
    newest = 0
    folders = [*os.environ.get("PATH", os.defpath).split(os.pathsep), f"/usr/lib/postgresql/{version}/bin"]
    for folder in folders:
        if found := shutil.which(name, path=folder):
            said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
            known = int((re.search(r"(\d+)", said) or ["0", "0"])[1])
            if known >= version:
                return found
            newest = max(newest, known)
    there = f"{name} is of version {newest}" if newest else f"{name} was not found"
    raise DrillError(f"{there}: install the client programs of PostgreSQL {version} (postgresql-client-{version}).")


@contextlib.contextmanager
def scratch_database(parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A new empty database, dropped afterwards whatever happens."""
    name = f"drill_{secrets.token_hex(6)}"
    with psycopg.connect(**parameters, autocommit=True) as server:
        be_patient(server)
        try:
            server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        except psycopg.errors.InsufficientPrivilege as error:
            raise DrillError(
                "The database role may not create a database for the copy: name another server with --into, "
                "or allow it (ALTER ROLE … CREATEDB)."
            ) from error
        try:
            yield {**parameters, "dbname": name}
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def copy_directly(programs: Programs, source: dict[str, Any], copy: dict[str, Any], *, snapshot: str) -> None:
    """Restore what pg_dump writes while it writes it; nothing of it ever lies in a file. Raises DrillError."""
    dump = [programs.dump, "--format=custom", "--compress=0", "--no-password", f"--snapshot={snapshot}"]
    with subprocess.Popen(
        [*dump, "--dbname", public_part(source)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment_of(source),
    ) as writing:
        restored = run_restore(programs, copy, stdin=writing.stdout)
        assert writing.stdout is not None and writing.stderr is not None
        writing.stdout.close()
        said = writing.stderr.read()
    if writing.returncode:
        raise DrillError(f"pg_dump has failed: {last_line(said)}")
    if restored.returncode:
        raise DrillError(f"pg_restore has failed: {last_line(restored.stderr)}")


def restore_file(programs: Programs, dump: Path, copy: dict[str, Any]) -> None:
    """Restore a file in pg_dump's custom format. Raises DrillError."""
    try:
        with dump.open("rb") as file:
            restored = run_restore(programs, copy, stdin=file)
    except OSError as error:
        raise DrillError(f"{dump} can't be read: {error.strerror}.") from error
    if restored.returncode:
        raise DrillError(f"pg_restore has failed: {last_line(restored.stderr)}")


def run_restore(programs: Programs, copy: dict[str, Any], *, stdin: Any) -> subprocess.CompletedProcess[bytes]:
    """Run pg_restore into ``copy``, up to the first mistake."""
    words = [programs.restore, "--exit-on-error", "--no-owner", "--no-privileges", "--no-password"]
    return subprocess.run(
        [*words, "--dbname", public_part(copy)], stdin=stdin, capture_output=True, env=environment_of(copy)
    )


def public_part(parameters: dict[str, Any]) -> str:
    """A connection string without its password, which every user of the machine could read in a command line."""
    return make_conninfo(**{name: value for name, value in parameters.items() if name != "password"})


def environment_of(parameters: dict[str, Any]) -> dict[str, str]:
    """Our environment, with the password and without what else would change where PostgreSQL connects."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    password = parameters.get("password")
    return kept | ({"PGPASSWORD": str(password)} if password else {})


def last_line(said: bytes) -> str:
    """What a program said last. It names tables and rules; rows it may quote stay out."""
    lines = [line for line in said.decode(errors="replace").splitlines() if line and "DETAIL" not in line]
    return lines[0] if lines else "it said nothing"


@contextlib.contextmanager
def working_on(parameters: dict[str, Any]) -> Iterator[None]:
    """Inside, our queries go to another database."""
    before = connection.settings_dict
    options = {name: value for name, value in before["OPTIONS"].items() if name not in PARAMETERS}
    options |= {name: parameters[name] for name in PARAMETERS[5:] if name in parameters}
    connection.close()
    connection.settings_dict = {
        **before,
        "NAME": parameters["dbname"],
        "HOST": parameters.get("host", ""),
        "PORT": parameters.get("port", ""),
        "USER": parameters.get("user", ""),
        "PASSWORD": parameters.get("password", ""),
        "OPTIONS": options,
    }
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = before
