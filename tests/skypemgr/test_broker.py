"""A message that could not be acknowledged, on a connection to a broker that went away in between."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from kombu import Consumer, Message, Queue

from skypemgr.celery import app
from tests.faults.chaos import ChaosProxy

type Finish = Callable[[Message, tuple[type[Exception], ...]], None]

logger = logging.getLogger(__name__)


@pytest.fixture
def proxy() -> Iterator[ChaosProxy]:
    proxy = ChaosProxy(Path(urlsplit(os.environ["REDIS_URL"]).path))
    proxy.start()
    yield proxy
    proxy.stop()


@pytest.mark.parametrize(
    "finish",
    [
        lambda message, errors: message.ack_log_error(logger, errors),
        lambda message, errors: message.reject_log_error(logger, errors),
        lambda message, errors: message.reject_log_error(logger, errors, requeue=True),
    ],
    ids=["acknowledged", "dropped", "given back"],
)
def test_a_worker_takes_the_next_message_after_the_broker_could_not_be_told_of_the_last(
    proxy: ChaosProxy, finish: Finish, caplog: pytest.LogCaptureFixture
) -> None:
    options = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5, "max_retries": 0}
    url = f"redis://127.0.0.1:{proxy.port}/15"
    queue = Queue(f"acknowledged-{proxy.port}")
    taken: list[Message] = []
    with app.connection_for_read(url, transport_options=options) as connection:
        with connection.Producer() as producer:
            for number in range(2):
                producer.publish({"number": number}, routing_key=queue.name, declare=[queue])
        consumer = Consumer(connection, [queue], on_message=taken.append)
        consumer.qos(prefetch_count=1)
        consumer.consume()
        connection.drain_events(timeout=5)
        assert len(taken) == 1
        assert not consumer.channel.qos.can_consume()

        proxy.become("hang")
        finish(taken[0], connection.connection_errors)
        proxy.become("pass")

        assert "The broker could not be told what became of a message: TimeoutError" in caplog.text
        assert consumer.channel.qos.can_consume()
        with suppress(*connection.connection_errors):
            connection.drain_events(timeout=5)
        assert len(taken) == 2
