"""Lines about tasks, and the id of the request that caused them, which travels in the headers of the message."""

import logging
import logging.config
import os
import time
from typing import Any

from celery import signals
from celery.app.task import Task
from django.conf import settings

from skypemgr import logs, metrics

logger = logging.getLogger(__name__)


def connect() -> None:
    """Begin to listen to Celery."""
    signals.setup_logging.connect(_set_up_logging, weak=False)
    signals.task_prerun.connect(_begin, weak=False)
    signals.task_failure.connect(_tell_failure, weak=False)
    signals.task_postrun.connect(_end, weak=False)
    signals.worker_ready.connect(_serve_metrics, weak=False)
    signals.worker_process_shutdown.connect(_retire, weak=False)
    signals.worker_shutdown.connect(_forget_metrics, weak=False)


def _set_up_logging(loglevel: int | None = None, **kwargs: Any) -> None:
    logging.config.dictConfig(settings.LOGGING)
    if loglevel:
        logging.getLogger("celery").setLevel(loglevel)


def _begin(task_id: str, task: Task, **kwargs: Any) -> None:
    fields = {"task": task.name, "task_id": task_id}
    if request_id := getattr(task.request, "request_id", None):
        fields["request_id"] = request_id
    logs.bind(**fields)
    task.request.began = time.perf_counter()  # type: ignore[attr-defined]


def _tell_failure(exception: BaseException | None = None, **kwargs: Any) -> None:
    logger.error("A task has failed.", exc_info=exception)


def _end(task: Task, state: str | None = None, **kwargs: Any) -> None:
    began = getattr(task.request, "began", None)
    seconds = 0.0 if began is None else time.perf_counter() - began
    outcome = (state or "unknown").lower()
    logger.info("task", extra={"outcome": outcome, "seconds": round(seconds, 4)})
    metrics.TASKS.labels(task.name, outcome).inc()
    metrics.TASK_SECONDS.labels(task.name).observe(seconds)
    logs.unbind()


def _serve_metrics(**kwargs: Any) -> None:
    if settings.METRICS_BIND:
        metrics.serve(settings.METRICS_BIND)


def _retire(pid: int | None = None, **kwargs: Any) -> None:
    metrics.retire(pid or os.getpid())


def _forget_metrics(**kwargs: Any) -> None:
    if settings.METRICS_BIND:
        metrics.forget()
