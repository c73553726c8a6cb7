"""A whole installation of real processes, with a proxy for trouble in front of each server it depends on."""

import contextlib
import datetime as dt
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler
from django.test import override_settings
from pytest_django.plugin import DjangoDbBlocker

from credit.funding import fund
from members.access import Actor
from members.models import Heartbeat, Letter, Organization
from members.services.demo import seed_demo
from members.services.letters import LEASE
from skypemgr import settings as everywhere
from skypemgr.clock import DatabaseClock
from skypemgr.embedded.postgres import Postgres
from skypemgr.embedded.processes import wait_until
from skypemgr.embedded.valkey import Valkey
from tests.faults.chaos import ChaosProxy
from tests.faults.sink import AnyPort, MailSink
from tests.skypemgr.processes import ROOT, environment
from tests.stripe_fake.account import API_KEY, SECRET
from tests.stripe_fake.server import FakeStripe

CELERY = [sys.executable, "-W", "ignore", "-m", "celery", "--quiet", "--app", "skypemgr"]
WORKER = ["worker", "--loglevel", "INFO", "--without-gossip", "--without-mingle"]
MEMBERS = 90


@dataclass
class Part:
    """One process of the installation, started again when it has ended, as a supervisor would."""

    name: str
    command: list[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None


@dataclass
class Stack:
    """PostgreSQL, Valkey, a mail server, each behind its proxy; web, two workers and beat in front of them, and a
    Stripe of our own beside."""

    folder: Path
    static_files: Path
    blocker: DjangoDbBlocker
    sink: MailSink = field(default_factory=MailSink)
    parts: dict[str, Part] = field(default_factory=dict)
    stripe: FakeStripe = field(default_factory=FakeStripe)
    closing: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    # Whether the mail server has refused letters for good, so that giving them up is right.
    sink_refused: bool = False

    def start(self) -> None:
        """Start everything, with a demo company in it."""
        self.kill_points = self.folder / "kill"
        self.kill_points.mkdir()
        self.postgres = Postgres(self.folder / "pg", self.folder / "pg.log")
        self.valkey = Valkey(self.folder / "vk", self.folder / "vk.sock", self.folder / "vk.log")
        self.postgres.ensure()
        self.valkey.ensure()
        self.closing.enter_context(self.stripe.running_in_background())
        self.controller = AnyPort(self.sink, hostname="127.0.0.1", port=0, ready_timeout=10)
        self.controller.start()
        self.database = ChaosProxy(self.folder / "pg" / ".s.PGSQL.5432")
        self.broker = ChaosProxy(self.folder / "vk.sock")
        self.mail = ChaosProxy(("127.0.0.1", self.controller.port))
        for proxy in (self.database, self.broker, self.mail):
            proxy.start()
        with self.connected(), override_settings(PASSWORD_HASHERS=everywhere.PASSWORD_HASHERS):
            call_command("migrate", verbosity=0)
            seed_demo(actor=Actor.system(), members=MEMBERS)
            company = Organization.objects.get(slug="architectes")
            fund(organization=company, actor=Actor.system(), amount=Decimal(100_000), key=uuid4())
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.stripe.tell = f"{self.url}/payments/stripe/"
        web = [sys.executable, "-m", "gunicorn", "skypemgr.wsgi", "--config", "gunicorn.conf.py", "--log-level", "info"]
        beat = ["beat", "--loglevel", "WARNING", "--pidfile", "", "--schedule"]
        self.add("web", web)
        self.add("work", [*CELERY, *WORKER, "--queues", "work", "--concurrency", "2", "--hostname", "work@%h"])
        self.add("mail", [*CELERY, *WORKER, "--queues", "mail", "--concurrency", "1", "--hostname", "mail@%h"])
        self.add("beat", [*CELERY, *beat, str(self.folder / "schedule")])
        for part in list(self.parts.values()):
            self.run(part.name)
        assert wait_until(self.is_up, seconds=120, step=0.2), self.logs()

    def stop(self) -> None:
        """End everything that was started here, and nothing else."""
        for part in self.parts.values():
            if part.process is not None and part.process.poll() is None:
                os.killpg(part.process.pid, signal.SIGKILL)
                part.process.wait()
        for proxy in (self.database, self.broker, self.mail):
            proxy.stop()
        self.controller.stop()
        self.stripe.tell = ""
        self.closing.close()
        for server in (self.valkey, self.postgres):
            server.stop()
            server.is_running()  # asks after the end of its process

    def add(self, name: str, command: list[str]) -> None:
        """Know one more process."""
        self.parts[name] = Part(name, command, self.folder / f"{name}.log")

    def environment(self) -> dict[str, str]:
        """What every process of the installation is told."""
        return environment(
            self.folder,
            DATABASE_URL=f"postgresql://app@127.0.0.1:{self.database.port}/app?sslmode=disable",
            REDIS_URL=f"redis://127.0.0.1:{self.broker.port}/0",
            SMTP_URL=f"smtp://127.0.0.1:{self.mail.port}",
            SECRET_KEY=settings.SECRET_KEY,
            STATIC_ROOT=str(self.static_files),
            BASE_URL=self.url,
            WEB_BIND=f"127.0.0.1:{self.port}",
            WEB_WORKERS="2",
            KILL_POINTS=str(self.kill_points),
            STRIPE_API_BASE=self.stripe.url,
            STRIPE_API_KEY=API_KEY,
            STRIPE_WEBHOOK_SECRET=SECRET,
        )

    def run(self, name: str) -> None:
        """Start a process, or start it again."""
        part = self.parts[name]
        with part.log.open("ab") as log:
            part.process = subprocess.Popen(
                part.command,
                cwd=ROOT,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )

    def tend(self) -> None:
        """Start again what has ended, servers included."""
        for part in self.parts.values():
            if part.process is not None and part.process.poll() is not None:
                self.run(part.name)

    def pid(self, name: str) -> int:
        """The main process of a part."""
        process = self.parts[name].process
        assert process is not None
        return process.pid

    def kill(self, name: str) -> None:
        """Kill a part and all it has forked, as a machine does that loses its power."""
        os.killpg(self.pid(name), signal.SIGKILL)

    def children(self, name: str) -> list[int]:
        """What a part has forked."""
        return [pid for pid in pids() if parent_of(pid) == self.pid(name)]

    def arm(self, point: str) -> Path:
        """Have the next process that comes by this place die there; gives the file that goes when it has."""
        armed = self.kill_points / point
        armed.touch()
        return armed

    def is_up(self) -> bool:
        """Whether every process says that it works."""
        self.tend()
        with self.connected():
            return self.answers() and Heartbeat.objects.count() == 2

    def answers(self) -> bool:
        """Whether web can work now."""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=5) as caller:
            caller.sendall(f"GET /readyz HTTP/1.0\r\nHost: 127.0.0.1:{self.port}\r\n\r\n".encode())
            return b" 200 " in caller.recv(20)
        return False

    def log_of(self, name: str) -> str:
        """What a part has written."""
        log = self.parts[name].log
        return log.read_text(errors="replace") if log.exists() else ""

    def finished(self) -> dict[str, int]:
        """How many tasks each worker has finished."""
        return {name: self.log_of(name).count("outcome=success") for name in ("work", "mail")}

    def have_worked(self, since: dict[str, int]) -> bool:
        """Whether each worker has finished something beyond what it had."""
        now = self.finished()
        return all(now[name] > since[name] for name in since)

    def logs(self) -> str:
        """The end of what every part has written."""
        return "\n".join(f"--- {name}\n{self.log_of(name)[-2_000:]}" for name in self.parts)

    def end_leases(self) -> None:
        """Let the leases of senders that have died run out, as if the rest of their time had passed."""
        with self.connected():
            old = DatabaseClock() + LEASE - dt.timedelta(seconds=1.5)
            Letter.objects.filter(leased_until__lt=old).update(leased_until=DatabaseClock())

    def let_time_pass(self) -> None:
        """Make every letter due that waits for its next try."""
        with self.connected():
            Letter.objects.filter(state=Letter.State.WAITING, leased_until=None).update(due_at=DatabaseClock())

    @contextlib.contextmanager
    def connected(self) -> Iterator[BaseDatabaseWrapper]:
        """Inside, models of this process and thread speak to the database of the stack, past the proxy."""
        before = connections["default"]
        facts = before.settings_dict | {"NAME": "app", "HOST": str(self.folder / "pg"), "PORT": "5432"}
        facts["OPTIONS"] = {"options": "-c statement_timeout=60000"}
        connections["default"] = ConnectionHandler({"default": facts})["default"]
        with self.blocker.unblock():
            try:
                yield connections["default"]
            finally:
                connections["default"].close()
                connections["default"] = before


def pids() -> list[int]:
    """Every process of this machine."""
    return [int(entry.name) for entry in Path("/proc").glob("[0-9]*")]


def parent_of(pid: int) -> int | None:
    """Who started a process; None when it has ended."""
    try:
        return int((Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def settle(seconds: float) -> None:
    """Let the fault last."""
    time.sleep(seconds)
