"""How web runs, in production and under `manage.py up` alike; gunicorn reads this from the folder it starts in."""

import os
import tempfile
from pathlib import Path

# In memory, where there is such a folder: on a disk that is full, writing what was counted ends a process (SIGBUS).
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
# Before anything of ours: what counts decides at import whether it shares with other processes.
if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="skypemgr-metrics-", dir=MEMORY)

Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).mkdir(parents=True, exist_ok=True)

from skypemgr import logs, metrics  # noqa: E402
from skypemgr.loopback import is_loopback  # noqa: E402

workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
worker_class = "skypemgr.web_worker.WebWorker"
bind = os.environ.get("WEB_BIND", "127.0.0.1:8000")
timeout = 60
graceful_timeout = 30
keepalive = 5
max_requests = 2_000
max_requests_jitter = 200
loglevel = "warning"
logconfig_dict = logs.configuration(
    machine=os.environ.get("SKYPEMGR_ENV", "local") != "local", level=os.environ.get("LOG_LEVEL", "INFO")
)
control_socket_disable = True
# A worker's sign of life is a file; on a slow disk, writing it could look like death.
worker_tmp_dir = MEMORY

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skypemgr.settings")
# Each thread has a connection, and one is left for what runs beside them.
os.environ.setdefault("DATABASE_POOL_SIZE", str(threads + 1))
if int(os.environ["DATABASE_POOL_SIZE"]) < threads:
    raise SystemExit(f"DATABASE_POOL_SIZE must be {threads} (WEB_THREADS) or more: each thread needs a connection.")
# The proxy stops waiting after 75 seconds; nobody reads what a longer transaction would answer.
os.environ.setdefault("DATABASE_TRANSACTION_TIMEOUT", "30000")


def post_worker_init(worker):
    """Talk to the broker in a thread, and let letters leave from here while it is away."""
    from skypemgr import background  # noqa: PLC0415  (only a worker has set up Django)

    background.start_herald()


def on_starting(server):
    """Refuse to serve a local installation, with its demo people and its readable letters, to a network."""
    if os.environ.get("SKYPEMGR_ENV", "local") != "local":
        return
    for address in server.cfg.address:
        if isinstance(address, tuple) and not is_loopback(address[0]):
            raise SystemExit(f"Local mode listens on 127.0.0.1 alone, not on {address[0]}: see docs/settings.md.")


def child_exit(server, worker):
    """Keep what an ended process has counted."""
    metrics.retire(worker.pid)


def on_exit(server):
    """Leave nothing behind."""
    metrics.forget()
