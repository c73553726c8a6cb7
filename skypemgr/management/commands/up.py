import contextlib
import fcntl
import http.client
import io
import json
import os
import signal
import socket
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TextIO

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from skypemgr.embedded import ServerError
from skypemgr.embedded.commands import share_of_servers
from skypemgr.embedded.interrupts import ENDING
from skypemgr.running import preparation
from skypemgr.running.children import Children, commands

HOST = "127.0.0.1"
START_SECONDS = 90.0
TICK_SECONDS = 0.5


class Ended(KeyboardInterrupt):
    """Somebody asked `up` to end; to the database driver it is Ctrl-C, for which it cancels what is under way."""


class Command(BaseCommand):
    help = (
        "Run everything on this machine: servers, migrations, a demo company, web, worker and beat. "
        "Ctrl-C or SIGTERM ends all of it."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="of the web pages (8000; 0 for any that is free)")
        parser.add_argument("--no-demo", action="store_true", help="add no demo company to an empty installation")

    def handle(self, *, port: int, no_demo: bool, **options: object) -> None:
        if not settings.LOCAL:
            raise CommandError("`up` is for one machine in local mode; in production use `docker compose up`.")
        self.ending = False
        self.hurried = False
        self.told_to_end = False
        for number in ENDING:
            signal.signal(number, self._on_signal)
        try:
            with contextlib.ExitStack() as stack:
                self._run(stack, port=port, no_demo=no_demo)
        except Ended:
            self._report("Stopped.")
        except Exception as error:
            # What is interrupted in the middle may fail on its way out.
            if self.told_to_end:
                self._report("Stopped.")
            elif isinstance(error, ServerError):
                raise CommandError(str(error)) from error
            else:
                raise

    def _run(self, stack: contextlib.ExitStack, *, port: int, no_demo: bool) -> None:
        settings.VAR_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = stack.enter_context(only_one_here())
        listener = stack.enter_context(listen(port))
        address = f"http://{HOST}:{listener.getsockname()[1]}"
        lock.write(json.dumps({"pid": os.getpid(), "address": address}))
        lock.flush()
        environment = os.environ | {"BASE_URL": os.environ.get("BASE_URL") or address}
        environment.pop("DATABASE_STATEMENT_TIMEOUT", None)  # endless is for commands alone
        environment.setdefault("LOG_LEVEL", "WARNING")  # a line for each request would hide how to sign in

        share = share_of_servers()
        stack.callback(share.leave)
        if share.servers:
            self._report("Starting PostgreSQL and Valkey.")
            share.join()
        try:
            call_command("compile_translations", verbosity=0, stdout=io.StringIO())
        except CommandError as error:
            self._report(f"Translations stay as they are: {error}")
        preparation.migrate_database(self._report)
        preparation.collect_static_files()
        if not no_demo:
            preparation.seed_demo(environment, self._report)
        connections.close_all()

        inherited = [listener.fileno()] + ([] if share.fd is None else [share.fd])
        children = Children(
            environment=environment,
            inherited=inherited,
            share_fd=share.fd,
            lock_fd=lock.fileno(),
            report=self._report,
        )
        stack.callback(children.stop, hurry=lambda: self.hurried)
        stack.callback(self._stop_listening_to_failures)
        # Web first and alone: the machine may be small, and somebody is waiting for it.
        web, *others = commands(listener.fileno())
        children.start([web])
        self._wait_for_web(children, listener.getsockname()[1])
        children.start(others)
        self._welcome(address)
        while not self.ending:
            time.sleep(TICK_SECONDS)
            if share.repair():
                self._report("A server had ended and is started again.")
            children.tend()
        raise Ended

    def _wait_for_web(self, children: Children, port: int) -> None:
        self._report("Starting web, worker and beat.")
        end = time.monotonic() + START_SECONDS
        while not answers(port):
            if children.ended("web"):
                raise CommandError("Web could not start; the reason stands above.")
            if self.ending:
                raise Ended
            if time.monotonic() > end:
                raise CommandError(f"Web has not answered for {START_SECONDS:.0f} seconds.")
            time.sleep(0.1)

    def _welcome(self, address: str) -> None:
        lines = ["", f"Skype Manager runs at {address}/", ""]
        sign_ins = preparation.demo_sign_ins()
        if sign_ins:
            width = max(len(entry["skype_name"]) for entry in sign_ins)
            lines += ["Sign in as"]
            lines += [f"  {e['skype_name']:{width}}  {e['password']}  {e['role']}" for e in sign_ins]
        else:
            lines += [f"Set up a company at {address}/setup/"]
        if not os.environ.get("SMTP_URL"):
            lines += ["", f"Letters are not sent; read them at {address}/outbox/"]
        lines += ["", "Ctrl-C stops everything.", ""]
        self._report("\n".join(lines))

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        # The first signal unwinds the stack, which stops everything; the next ones only make that quicker.
        if self.ending:
            self.hurried = True
            return
        self.ending = self.told_to_end = True
        self._report("Stopping.")
        raise Ended

    def _stop_listening_to_failures(self) -> None:
        # From here on everything is being stopped, whatever the reason was.
        self.ending = True

    def _report(self, text: str) -> None:
        # Nobody may be reading any more: the terminal was closed, or a pipe.
        with contextlib.suppress(OSError, RuntimeError):
            self.stdout.write(text)
            self.stdout.flush()


@contextlib.contextmanager
def only_one_here() -> Iterator[TextIO]:
    """Hold `up.lock`, or raise CommandError saying where the other one runs."""
    file = (settings.VAR_DIR / "up.lock").open("a+")
    with file:
        end = time.monotonic() + 40
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                refuse_if_running(file)
            # It was killed, and its keeper is ending what it had started.
            if time.monotonic() > end:
                raise CommandError("What was started here before does not end; see the processes of this folder.")
            time.sleep(0.1)
        file.truncate(0)
        try:
            yield file
        finally:
            file.truncate(0)


def refuse_if_running(file: TextIO) -> None:
    """Raise CommandError if the `up` that wrote this file still lives."""
    file.seek(0)
    try:
        running = json.load(file)
        # One that was killed keeps its process id until whoever started it has asked for its end.
        status = Path(f"/proc/{running['pid']}/stat").read_text()
    except (ValueError, OSError):
        return
    if status.rpartition(")")[2].split()[0] == "Z":
        return
    raise CommandError(f"Already running at {running['address']} (process {running['pid']}).")


def listen(port: int) -> socket.socket:
    """A socket of web, bound now so that nobody else takes the port. Raises CommandError if somebody has."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise CommandError(
            f"Port {port} can't be used: {error}. Choose another: make run PORT=8001, or manage.py up --port 8001."
        ) from error
    listener.listen(128)
    return listener


def answers(port: int) -> bool:
    """Whether web gives any answer at all."""
    caller = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        caller.request("GET", "/healthz", headers={"Host": f"{HOST}:{port}"})
        return caller.getresponse().status > 0
    except (OSError, http.client.HTTPException):
        return False
    finally:
        caller.close()
