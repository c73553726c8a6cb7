"""A task that wants too much memory gets an error of its own."""

import subprocess
import sys

import pytest

from tests.skypemgr.processes import ROOT, environment

WORKER = """
import skypemgr.celery
from celery import signals
signals.worker_process_init.send(sender=None)
try:
    bytearray(400_000_000)
    print("given")
except MemoryError:
    print("refused")
"""


@pytest.mark.parametrize(("limit", "answer"), [("300", "refused"), ("600", "given"), ("0", "given")])
def test_a_process_of_a_worker_gets_so_much_memory_and_no_more(tmp_path, limit, answer):
    done = subprocess.run(
        [sys.executable, "-c", WORKER],
        cwd=ROOT,
        env=environment(tmp_path, WORKER_MEMORY_MB=limit),
        timeout=60,
        check=True,
        capture_output=True,
        text=True,
    )

    assert done.stdout.strip() == answer
