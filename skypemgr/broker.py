"""Kombu's transport for Valkey and Redis, for workers that go on after their broker was silent."""

import logging

from kombu.transport import redis, virtual

logger = logging.getLogger(__name__)


class ForgettingQoS(redis.QoS):
    """What a worker has in hand, without what it could not acknowledge.

    When the broker can't be told that a message is done with, kombu says so in the log and goes on holding the
    message for ever. A worker takes no more than it may hold: one that holds as much of this asks the broker for
    nothing, so it doesn't even notice that its connection is gone, and does nothing until somebody restarts it
    (celery/celery#2415). The broker gives such a message to a worker again after the visibility timeout, which finds
    that there is nothing left to do.
    """

    def ack(self, delivery_tag: str) -> None:
        """Be done with a message, also when the broker can't be told."""
        try:
            super().ack(delivery_tag)
        except Exception as error:
            self._forget(delivery_tag, error)
            raise

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Give a message back or drop it, also when the broker can't be told."""
        try:
            super().reject(delivery_tag, requeue=requeue)
        except Exception as error:
            self._forget(delivery_tag, error)
            raise

    def _forget(self, delivery_tag: str, error: Exception) -> None:
        # Celery's own line is not written, since it could quote what a task was given (skypemgr/logs.py).
        logger.warning("The broker could not be told what became of a message: %s", type(error).__name__)
        virtual.QoS.ack(self, delivery_tag)


def install() -> None:
    """Called once, before anything connects."""
    redis.Channel.QoS = ForgettingQoS
