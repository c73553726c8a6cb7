"""Telling a server that is busy from one that is silent.

A statement is limited by the server (`statement_timeout`), but a server that is stopped or cut off limits
nothing: without an end of our own, each thread would wait for it as long as the network does.
"""

import contextlib
import time
from collections.abc import Generator, Iterator
from typing import Any

import psycopg
from psycopg import errors
from psycopg.abc import PQGen
from psycopg.pq import Ping

# Seconds without a byte from the server before somebody asks whether it is still there.
PATIENCE = 5.0
# A connection out of the pool that was idle has less to do: it answers at once, or not at all.
CHECK_PATIENCE = 1.0
PROBE_SECONDS = 2


class ServerIsSilentError(psycopg.OperationalError):
    """The server answers neither this connection nor a new one."""


class WatchfulConnection(psycopg.Connection[Any]):
    """A connection that gives up when its server answers nobody any more, and is closed then."""

    patience = PATIENCE

    def wait[Result](self, gen: PQGen[Result], interval: float = 0.1, timeout: float | None = None) -> Result:
        """Consume a generator of the driver. Raises ServerIsSilentError."""
        return super().wait(self._watched(gen), interval, timeout)

    def _watched[Result](self, gen: PQGen[Result]) -> Generator[Any, Any, Result]:
        try:
            wanted = next(gen)
            due = time.monotonic() + self.patience
            while True:
                ready = yield wanted
                if ready:
                    due = time.monotonic() + self.patience
                elif time.monotonic() >= due:
                    if not self._server_answers():
                        self.close()
                        raise ServerIsSilentError("The database server is silent.")
                    due = time.monotonic() + self.patience
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value

    def _server_answers(self) -> bool:
        known = self.info
        try:
            with psycopg.connect(
                known.dsn, password=known.password, connect_timeout=PROBE_SECONDS, autocommit=True
            ) as other:
                return not other.closed
        except errors.ConnectionTimeout:
            return False
        except psycopg.OperationalError:
            # Refused within the time: by a server that is full, or for want of a server. Only the driver's
            # ping can tell, which stops every thread while it waits, so it is asked where it need not wait.
            return self.pgconn.ping(f"{known.dsn} connect_timeout={PROBE_SECONDS}".encode()) != Ping.NO_RESPONSE

    @contextlib.contextmanager
    def hurried(self) -> Iterator[None]:
        """Inside, ask after the server sooner."""
        self.patience = CHECK_PATIENCE
        try:
            yield
        finally:
            self.patience = PATIENCE


def check(connection: WatchfulConnection) -> None:
    """Return if a connection of the pool still works; raises psycopg.OperationalError otherwise."""
    with connection.hurried():
        connection.execute("")
