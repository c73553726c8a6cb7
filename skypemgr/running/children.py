import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.conf import settings

from skypemgr.embedded.interrupts import interrupts_held
from skypemgr.embedded.processes import PR_SET_PDEATHSIG
from skypemgr.running.keeper import GRACE_SECONDS, end_groups

LONGEST_PAUSE = 30.0
SETTLED_SECONDS = 20.0


def end_with_parent() -> None:
    """Inside a new child: ask to end when ``up`` is killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Child:
    """One process, started again whenever it ends."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    due: float = 0.0
    pause: float = 0.0


def commands(listener: int) -> list[Child]:
    """What to run, web first, which answers on the listening socket ``listener``."""
    web = ["-m", "gunicorn", "skypemgr.wsgi", "--config", str(settings.BASE_DIR / "gunicorn.conf.py")]
    # On one machine root is as good as anybody; Celery warns of what it reads, which is JSON alone.
    celery = ["-W", "ignore:You're running the worker", "-m", "celery", "--quiet", "--app", "skypemgr"]
    worker = ["worker", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
    work = [*worker, "--queues", "work", "--concurrency", "2", "--hostname", "work@%h"]
    # A mail server that is slow keeps this one waiting, and nothing else.
    mail = [*worker, "--queues", "mail", "--concurrency", "1", "--hostname", "mail@%h"]
    # No file of beat's process id, which would be in the way after kill -9.
    beat = ["beat", "--loglevel", "WARNING", "--schedule", str(settings.VAR_DIR / "beat-schedule"), "--pidfile", ""]
    return [
        Child("web", [sys.executable, *web, "--bind", f"fd://{listener}"]),
        Child("worker", [sys.executable, *celery, *work]),
        Child("mail", [sys.executable, *celery, *mail]),
        Child("beat", [sys.executable, *celery, *beat]),
    ]


@dataclass
class Children:
    """The processes of one `up`, each with its own process group, and the keeper that outlives them all."""

    environment: dict[str, str]
    inherited: Sequence[int]
    share_fd: int | None
    lock_fd: int
    report: Callable[[str], None]
    children: list[Child] = field(default_factory=list)
    _keeper: subprocess.Popen[bytes] | None = None
    _pipe: int | None = None

    def start(self, children: Sequence[Child]) -> None:
        """Start these, and before the first of all the keeper."""
        if self._keeper is None:
            self._start_keeper()
        for child in children:
            self.children.append(child)
            self._start(child)

    def tend(self) -> None:
        """Start again what has ended, the sooner the longer it had lived."""
        if self._keeper is not None and self._keeper.poll() is not None:
            self.report("keeper has ended and is started again.")
            self._start_keeper()
        for child in self.children:
            if child.process is not None and (code := child.process.poll()) is not None:
                self._bury(child, code)
            if child.process is None and time.monotonic() >= child.due:
                self._start(child)

    def ended(self, name: str) -> bool:
        """Whether a child, just started, has ended again."""
        return any(
            child.name == name and (not child.process or child.process.poll() is not None) for child in self.children
        )

    def stop(self, *, hurry: Callable[[], bool]) -> None:
        """End every process, and the keeper last; at ``hurry`` without waiting for what they do."""
        running = [child.process for child in self.children if child.process is not None]

        def reaped_or_hurried() -> bool:
            for process in running:
                process.poll()  # an ended child counts as alive until somebody asks
            return hurry()

        end_groups([process.pid for process in running], grace=GRACE_SECONDS, hurry=reaped_or_hurried)
        for process in running:
            process.wait()
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None
        if self._keeper is not None:
            self._keeper.wait()

    def _start(self, child: Child) -> None:
        with interrupts_held():
            child.process = subprocess.Popen(
                child.command,
                cwd=settings.BASE_DIR,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                pass_fds=self.inherited,
                process_group=0,
                preexec_fn=end_with_parent,
            )
            child.started = time.monotonic()
            self._tell(child)

    def _bury(self, child: Child, code: int) -> None:
        assert child.process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.process.pid, signal.SIGKILL)  # what it had started in turn
        settled = time.monotonic() - child.started > SETTLED_SECONDS
        child.pause = 0.5 if settled else min(LONGEST_PAUSE, child.pause * 2 or 0.5)
        child.due = time.monotonic() + child.pause
        child.process = None
        how = f"was ended by signal {-code}" if code < 0 else f"has ended with code {code}"
        self.report(f"{child.name} {how} and is started again.")

    def _start_keeper(self) -> None:
        with interrupts_held():
            if self._pipe is not None:
                os.close(self._pipe)
            reading, self._pipe = os.pipe()
            held = [reading, self.lock_fd] + ([] if self.share_fd is None else [self.share_fd])
            share = -1 if self.share_fd is None else self.share_fd
            self._keeper = subprocess.Popen(
                [sys.executable, "-m", "skypemgr.running.keeper", str(reading), str(share)],
                cwd=settings.BASE_DIR,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=held,
                start_new_session=True,
            )
            os.close(reading)
            for child in self.children:
                self._tell(child)

    def _tell(self, child: Child) -> None:
        if child.process is not None and self._pipe is not None:
            with contextlib.suppress(BrokenPipeError):  # the keeper has ended; the next one is told again
                os.write(self._pipe, f"{child.process.pid}\n".encode())
