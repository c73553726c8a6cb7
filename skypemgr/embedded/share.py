import fcntl
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from skypemgr.embedded.interrupts import interrupts_held


class Server(Protocol):
    """What a share needs to know of a server."""

    def ensure(self) -> None: ...
    def is_running(self) -> bool: ...
    def stop(self) -> None: ...


class Share:
    """One process's share of the servers in ``folder``: while anybody holds one, none of them stops.

    Every holder has ``users.lock`` locked in common, and the kernel lets go of it however the holder ends.
    Whoever starts or stops a server has ``start.lock`` locked for itself. A process that inherits the file
    descriptor `fd` holds the share too.
    """

    def __init__(self, folder: Path, servers: Sequence[Server]) -> None:
        self.folder = folder
        self.servers = servers
        self.fd: int | None = None
        self._holder = 0

    def join(self) -> None:
        """Take the share, starting what does not run. Raises ServerError."""
        self._prepare_folder()
        with self._starting(), interrupts_held():
            self.fd = os.open(self.folder / "users.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._holder = os.getpid()
            fcntl.flock(self.fd, fcntl.LOCK_SH)
            try:
                self._ensure()
            except BaseException:
                self._let_go()
                raise

    def adopt(self, fd: int) -> None:
        """Hold the share whose file descriptor this process inherited."""
        os.set_inheritable(fd, False)
        self.fd = fd
        self._holder = os.getpid()

    def repair(self) -> bool:
        """Start again what has ended under us; True if there was any. Raises ServerError."""
        if all(server.is_running() for server in self.servers):
            return False
        with self._starting(), interrupts_held():
            self._ensure()
        return True

    def leave(self) -> None:
        """Give the share back, and stop the servers if nobody else holds one. Does nothing the second time."""
        if self.fd is None or self._holder != os.getpid():
            return
        with interrupts_held(), self._starting():
            self._let_go()

    def _prepare_folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = self.folder.stat()
        # What holds letters and databases is for its owner's eyes; a shared folder such as /tmp stays as it is.
        if status.st_uid == os.geteuid() and not status.st_mode & stat.S_ISVTX:
            self.folder.chmod(0o700)

    @contextmanager
    def _starting(self) -> Iterator[None]:
        fd = os.open(self.folder / "start.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def _ensure(self) -> None:
        for server in self.servers:
            server.ensure()

    def _let_go(self) -> None:
        assert self.fd is not None
        # Closed, not unlocked: a child that inherited the descriptor still holds the share.
        os.close(self.fd)
        self.fd = None
        if self._is_unused():
            for server in reversed(self.servers):
                server.stop()

    def _is_unused(self) -> bool:
        fd = os.open(self.folder / "users.lock", os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(fd)
        return True
