"""Real processes of ours, started in a data folder of their own and never on the servers of the tests."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from skypemgr.embedded.processes import living, wait_until
from skypemgr.environment import setting_names

ROOT = Path(__file__).parent.parent.parent
ASK = "from django.db import connection; c = connection.cursor(); c.execute({sql!r}); {then}"


def environment(folder: Path, **extra: str) -> dict[str, str]:
    """The environment of somebody who has configured nothing, with the data in ``folder``."""
    kept = {name: value for name, value in os.environ.items() if name not in setting_names()}
    return kept | {"APP_VAR": str(folder), "DJANGO_SETTINGS_MODULE": "skypemgr.settings"} | extra


def start(*words: str, folder: Path, **extra: str) -> subprocess.Popen[str]:
    """``manage.py`` with these words, its output in one pipe, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=environment(folder, **extra),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )


@dataclass
class Service:
    """A process that goes on running, and what it has written so far."""

    process: subprocess.Popen[bytes]
    log: Path

    def read_until(self, pattern: str, *, seconds: float = 90) -> str:
        """The first group of ``pattern`` once it has been written; fails if the process ends before, or is late."""
        found: re.Match[str] | None = None

        def is_written() -> bool:
            nonlocal found
            has_ended = self.process.poll() is not None
            found = re.search(pattern, self.log.read_text())
            return found is not None or has_ended

        wait_until(is_written, seconds=seconds, step=0.05)
        assert found, self.log.read_text()
        return found.group(1)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask the process to end, and return its exit code; after 40 seconds it is killed, which is its code then."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            return self.process.wait()


@contextmanager
def serving(command: list[str], *, environment: dict[str, str]) -> Iterator[Service]:
    """A process in a process group of its own, ended afterwards. What it writes goes to a file: a pipe fills up."""
    with tempfile.NamedTemporaryFile(prefix="sk", suffix=".log") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        service = Service(process, Path(log.name))
        try:
            yield service
        finally:
            service.end()


def ask(sql: str, *, folder: Path, then: str = "print(c.fetchone()[0])") -> subprocess.Popen[str]:
    """A command that runs one statement and then some Python, with the cursor ``c``."""
    return start("shell", "-v0", "-c", ASK.format(sql=sql, then=then), folder=folder)


def output_of(process: subprocess.Popen[str]) -> str:
    """What a process wrote until it ended by itself, in order."""
    try:
        output, _ = process.communicate(timeout=300)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
    assert process.returncode == 0, output
    return output.strip()


def first_line_of(process: subprocess.Popen[str]) -> str:
    """The first line of a process that goes on running."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def postgres_of(folder: Path) -> int:
    """The main process of the PostgreSQL in ``folder``."""
    return int((folder / "pg" / "postmaster.pid").read_text().split()[0])


def servers_of(folder: Path) -> list[int]:
    """Every process of the servers in ``folder``."""
    return living("postgres", folder / "pg") + living("valkey-server", folder / "valkey")


def children_of(folder: Path) -> dict[int, str]:
    """Command lines of every process that has ``folder`` as its data folder, by process id."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"APP_VAR={folder}".encode() in (process / "environ").read_bytes().split(b"\0"):
                found[int(process.name)] = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
    return found


def nothing_is_left_in(folder: Path) -> bool:
    """Whether every process of this data folder ends within seconds."""
    return wait_until(lambda: not servers_of(folder) and not children_of(folder), seconds=40, step=0.1)


def kill(process: int) -> None:
    """As the kernel does when memory runs out: no last word."""
    os.kill(process, signal.SIGKILL)
