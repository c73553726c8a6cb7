"""How much memory one task may take: more, and it fails alone, instead of the machine choosing what it ends."""

import resource
from typing import Any

from celery import signals
from django.conf import settings


def connect() -> None:
    """Limit each process that a worker forks from now on."""
    signals.worker_process_init.connect(limit_memory, weak=False)


def limit_memory(**kwargs: Any) -> None:
    """From now on this process gets MemoryError for more than WORKER_MEMORY_MB of data; with 0 nothing changes."""
    if settings.WORKER_MEMORY_MB:
        _soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        wanted = settings.WORKER_MEMORY_MB * 1024 * 1024
        # What somebody has set lower stays.
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
