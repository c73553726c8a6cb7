import logging
import time

from django.db import transaction
from kombu.exceptions import OperationalError

from skypemgr.celery import app

logger = logging.getLogger(__name__)

# A request waits at most this long for a broker that is away or silent, and only once in a while:
# the work is a row in the database, which a tick finds seconds later (decision 3).
PATIENCE = 0.5
SILENCE = 10.0
_silent_until = 0.0


def wake(task: str, *args: object) -> None:
    """After commit, tell a worker that there is work for ``task``. A hint: it may be lost, and never fails."""
    transaction.on_commit(lambda: _publish(task, args), robust=True)


def _publish(task: str, args: tuple[object, ...]) -> None:
    global _silent_until
    if time.monotonic() < _silent_until:
        return
    options = {
        **app.conf.broker_transport_options,
        "socket_timeout": PATIENCE,
        "socket_connect_timeout": PATIENCE,
        "max_retries": 0,
    }
    try:
        with app.connection_for_write(transport_options=options) as connection:
            connection.ensure_connection(max_retries=1, timeout=1)
            app.send_task(task, args, connection=connection, retry=False, ignore_result=True, expires=60)
    except (OperationalError, OSError) as error:
        _silent_until = time.monotonic() + SILENCE
        logger.warning("The broker did not answer; the work waits for the next tick. %s", type(error).__name__)
