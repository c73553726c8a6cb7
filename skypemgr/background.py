"""Telling workers that there is work, and doing the most urgent of it here while nobody can be told."""

import logging
import threading
import time
from collections.abc import Mapping

from django.db import Error, connections, transaction
from kombu.exceptions import OperationalError

from skypemgr import logs
from skypemgr.celery import app
from skypemgr.kill_points import kill_point

logger = logging.getLogger(__name__)

type Hint = tuple[str, tuple[object, ...]]

# A command waits at most this long for a broker that is away or silent, and only once in a while:
# the work is a row in the database, which a tick finds seconds later (decision 3).
PATIENCE = 0.5
SILENCE = 10.0
# What a web process does itself while the broker is away: somebody waits for their letter.
RELAYED = frozenset({"members.send_letters"})
RELAY_PAUSE = 5.0

_silent_until = 0.0
_herald: "Herald | None" = None


def wake(task: str, *args: object) -> None:
    """After commit, tell a worker that there is work for ``task``. A hint: it may be lost, and never fails."""
    transaction.on_commit(lambda: _publish((task, args)), robust=True)


def start_herald() -> None:
    """From now on a thread of this process, which lasts, talks to the broker: no request waits for it."""
    global _herald
    # Web knows no task by itself, and would have nothing to do in the place of a worker.
    app.loader.import_default_modules()
    _herald = Herald()
    _herald.start()


def _publish(hint: Hint) -> None:
    global _silent_until
    kill_point("wake.after_commit")
    request_id = logs.bound("request_id")
    if _herald is not None:
        _herald.tell({hint: request_id})
        return
    if time.monotonic() < _silent_until:
        return
    try:
        _send(hint, request_id)
    except (OperationalError, OSError) as error:
        _silent_until = time.monotonic() + SILENCE
        logger.warning("The broker did not answer; the work waits for the next tick. %s", type(error).__name__)


def _send(hint: Hint, request_id: str | None) -> None:
    task, args = hint
    headers = {"request_id": request_id} if request_id else None
    options = {
        **app.conf.broker_transport_options,
        "socket_timeout": PATIENCE,
        "socket_connect_timeout": PATIENCE,
        "max_retries": 0,
    }
    with app.connection_for_write(transport_options=options) as connection:
        connection.ensure_connection(max_retries=1, timeout=1)
        app.send_task(task, args, connection=connection, retry=False, ignore_result=True, expires=60, headers=headers)


class Herald(threading.Thread):
    """Passes hints on to the broker; while it is away, does what can't wait, and tries again."""

    def __init__(self) -> None:
        super().__init__(name="herald", daemon=True)
        self._hints: dict[Hint, str | None] = {}
        self._changed = threading.Condition()

    def tell(self, hints: Mapping[Hint, str | None]) -> None:
        """Take hints to be passed on, with the ids of the requests they come from; the same one twice is one."""
        with self._changed:
            self._hints.update(hints)
            self._changed.notify()

    def run(self) -> None:
        """Go on until the process ends."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._hints)
                hints, self._hints = self._hints, {}
            if not self._pass_on(hints):
                for task in sorted({task for task, _args in hints} & RELAYED):
                    self._do_here(task)
                time.sleep(RELAY_PAUSE)

    def _pass_on(self, hints: dict[Hint, str | None]) -> bool:
        for hint in list(hints):
            try:
                _send(hint, hints[hint])
            except (OperationalError, OSError) as error:
                logger.warning("The broker did not answer; the work is found by a tick. %s", type(error).__name__)
                self.tell(hints)
                return False
            del hints[hint]
        return True

    def _do_here(self, task: str) -> None:
        # By the connection that the pool has beyond those of the requests.
        try:
            app.tasks[task].run()
        except Error as error:
            logger.warning("The database did not answer either. %s", type(error).__name__)
        except Exception:
            logger.exception("What was to be done here in the place of a worker failed.")
        finally:
            connections.close_all()
