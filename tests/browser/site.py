"""The site as people meet it: web and worker as they run everywhere, on the database and the broker of the tests."""

import email
import email.policy
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import override_settings

from skypemgr import settings as everywhere
from skypemgr.embedded.processes import wait_until
from tests.skypemgr.processes import Service, environment, serving

WEB = [sys.executable, "-m", "gunicorn", "skypemgr.wsgi", "--config", "gunicorn.conf.py", "--log-level", "info"]
WORKER = ["worker", "--concurrency", "1", "--loglevel", "INFO", "--without-gossip", "--without-mingle"]
CELERY = [sys.executable, "-W", "ignore:You're running the worker", "-m", "celery", "--quiet", "--app", "skypemgr"]
METRICS_TOKEN = "of-those-who-watch"


@dataclass(frozen=True)
class Site:
    """A web process; ``url`` has no slash at its end."""

    url: str
    web: Service

    def log(self) -> str:
        """What it has written so far."""
        return self.web.log.read_text()


def site_environment(static_files: Path, **extra: str) -> dict[str, str]:
    """The environment of a process that shares database, broker and secret with the tests, and nothing else."""
    database = connection.settings_dict
    return environment(
        settings.VAR_DIR,
        DATABASE_URL=f"postgresql://{database['USER']}@/{database['NAME']}?host={database['OPTIONS']['host']}",
        REDIS_URL=settings.REDIS_URL,
        STATIC_ROOT=str(static_files),
        WEB_BIND="127.0.0.1:0",
        WEB_WORKERS="1",
        METRICS_TOKEN=METRICS_TOKEN,
        CREDIT_INACTIVE_DAYS="180",
        SECURITY_CONTACT="mailto:security@skypemgr.example",
        **{"PROOF_MINUTES": "600", **extra},
    )


def collect_static_files(folder: Path) -> Path:
    """Put hashed and compressed static files into ``folder``, as every installation has them."""
    with override_settings(STORAGES=everywhere.STORAGES, STATIC_ROOT=folder):
        call_command("collectstatic", interactive=False, verbosity=0)
    return folder


@contextmanager
def running_site(static_files: Path, **extra: str) -> Iterator[Site]:
    """A web process on a port of its own."""
    with serving(WEB, environment=site_environment(static_files, **extra)) as web:
        yield Site(web.read_until(r"Listening at: (http://\S+)"), web)


@contextmanager
def running_worker(static_files: Path, **extra: str) -> Iterator[Service]:
    """A worker that is ready."""
    with serving(CELERY + WORKER, environment=site_environment(static_files, **extra)) as worker:
        worker.read_until(r"(\S+ ready\.)")
        yield worker


def wait_until_the_site_rests(*, seconds: float = 20) -> None:
    """Wait until no other process works on the database, so that it can be emptied."""
    in_a_row = 0

    def rests() -> bool:
        nonlocal in_a_row
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'"
            )
            busy = cursor.fetchone()[0]
        in_a_row = 0 if busy else in_a_row + 1
        return in_a_row == 3

    assert wait_until(rests, seconds=seconds, step=0.03), "another process still works on the database"


@dataclass(frozen=True)
class Delivered:
    """A letter as it came over SMTP."""

    address: str
    content: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.content["Subject"])

    def body(self, kind: str) -> str:
        part = self.content.get_body((kind,))
        assert part is not None, f"the letter has no {kind} part"
        return part.get_content().replace("\r\n", "\n")

    def link(self) -> str:
        """The one link of the letter; its text and its HTML have the same."""
        [link] = set(re.findall(r"https?://\S+", self.body("plain")))
        assert f'href="{link}"' in self.body("html")
        return link


@dataclass
class MailServer:
    """Takes every letter, over a real SMTP conversation."""

    delivered: list[Delivered] = field(default_factory=list)
    _arrival: threading.Condition = field(default_factory=threading.Condition)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        content = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(content, EmailMessage)
        with self._arrival:
            self.delivered += [Delivered(address, content) for address in envelope.rcpt_tos]
            self._arrival.notify_all()
        return "250 OK"

    def wait_for(self, address: str, *, seconds: float = 40) -> Delivered:
        """The newest letter to ``address``, once there is one."""
        ends = time.monotonic() + seconds
        with self._arrival:
            while not (found := [letter for letter in self.delivered if letter.address == address]):
                left = ends - time.monotonic()
                assert left > 0, f"no letter came to {address}"
                self._arrival.wait(left)
        return found[-1]


class _AnyPort(Controller):
    """Listens on a port that is free, and knows which one it got."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def running_mail_server() -> Iterator[tuple[MailServer, str]]:
    """A mail server, and its address as SMTP_URL has it."""
    office = MailServer()
    controller = _AnyPort(office, hostname="127.0.0.1", port=0, ready_timeout=20)
    controller.start()
    try:
        yield office, f"smtp://127.0.0.1:{controller.port}"
    finally:
        controller.stop()
