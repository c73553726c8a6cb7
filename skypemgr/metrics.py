"""What monitoring reads: counters of all processes of one service, and facts of the database.

Labels are names of ours (routes, tasks, limits) and nothing that a request could choose.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

# Before the import: the library decides there whether processes share what they count. Web does in gunicorn.conf.py.
# In memory, where there is such a folder: on a disk that is full, counting ends a process (SIGBUS).
if os.environ.get("METRICS_BIND") and "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="skypemgr-metrics-", dir=MEMORY)

from django.db import Error, connection
from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
    start_http_server,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.registry import Collector

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

REQUESTS = Counter("skypemgr_requests", "Answers of web.", ["method", "route", "status"])
REQUEST_SECONDS = Histogram("skypemgr_request_seconds", "How long answers took.", ["route"], buckets=SECONDS)
TASKS = Counter("skypemgr_tasks", "Tasks that ended.", ["task", "outcome"])
TASK_SECONDS = Histogram("skypemgr_task_seconds", "How long tasks took.", ["task"], buckets=(*SECONDS, 60, 120))
SIGN_INS = Counter("skypemgr_sign_ins", "Sign-ins that were tried.", ["outcome"])
THROTTLED = Counter("skypemgr_throttled_tries", "Tries beyond a limit.", ["scope"])
POOL = Gauge(
    "skypemgr_database_pool", "Connections of web, and requests that wait.", ["state"], multiprocess_mode="livesum"
)


@dataclass(frozen=True)
class Fact:
    """A number that the database knows. ``ask`` gives a value for each value of ``label``; it must be cheap."""

    name: str
    meaning: str
    label: str
    ask: Callable[[], Iterable[tuple[str, float]]]


_facts: dict[str, Fact] = {}


def add(*facts: Fact) -> None:
    """Register facts, which are asked for whenever web's metrics are read."""
    for fact in facts:
        _facts[fact.name] = fact


class FactsOfTheDatabase(Collector):
    """The registered facts, and whether the database could tell them."""

    def collect(self) -> Iterator[Metric]:
        told, answers = [], True
        try:
            for fact in _facts.values():
                family = GaugeMetricFamily(fact.name, fact.meaning, labels=[fact.label])
                for value, number in fact.ask():
                    family.add_metric([value], number)
                told.append(family)
        except Error:
            told, answers = [], False
        yield GaugeMetricFamily("skypemgr_database_up", "Whether the database answers.", value=answers)
        yield from told


def _counted() -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def exposition() -> bytes:
    """Everything web knows, in the text format of Prometheus."""
    facts = CollectorRegistry()
    facts.register(FactsOfTheDatabase())
    return generate_latest(_counted()) + generate_latest(facts)


def measure_pool() -> None:
    """Note how the connections of this process are used."""
    pool = getattr(connection, "pool", None)
    if pool is not None:
        stats = pool.get_stats()
        idle = stats.get("pool_available", 0)
        POOL.labels("idle").set(idle)
        POOL.labels("used").set(stats.get("pool_size", 0) - idle)
        POOL.labels("waiting").set(stats.get("requests_waiting", 0))


def serve(address: str) -> None:
    """Answer at ``address`` (host:port) with what this service has counted, in a thread."""
    host, _, port = address.rpartition(":")
    start_http_server(int(port), addr=host.strip("[]"), registry=_counted())


def retire(process: int) -> None:
    """Add what an ended process has counted to what all earlier ones have, so that its files don't pile up."""
    if not (place := os.environ.get("PROMETHEUS_MULTIPROC_DIR")):
        return
    folder = Path(place)
    multiprocess.mark_process_dead(process, place)  # type: ignore[no-untyped-call]
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for kind in ("counter", "histogram"):
            own = folder / f"{kind}_{process}.db"
            if own.exists():
                _merge(own, folder / f"{kind}_0.db")


def _merge(own: Path, all_earlier: Path) -> None:
    counted = list(MmapedDict.read_all_values_from_file(str(own)))  # type: ignore[no-untyped-call]
    own.unlink()
    total = MmapedDict(str(all_earlier))  # type: ignore[no-untyped-call]
    for key, value, *_ in counted:
        before, _when = total.read_value(key)  # type: ignore[no-untyped-call]
        total.write_value(key, before + value, 0.0)  # type: ignore[no-untyped-call]
    total.close()  # type: ignore[no-untyped-call]


def forget() -> None:
    """Remove what this service has counted; it is ending."""
    if place := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        shutil.rmtree(place, ignore_errors=True)
