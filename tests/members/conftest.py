import subprocess
import sys

import pytest

from tests.members.large_imports import WORK, its_environment
from tests.skypemgr.processes import ROOT


@pytest.fixture
def worker(tmp_path):
    """Starts processes that do one turn of a worker's task, on the database of the tests."""
    started = []

    def start(*words, die_at=""):
        if die_at:
            (tmp_path / die_at).touch()
        process = subprocess.Popen(
            [sys.executable, *(words or ["-c", WORK])], cwd=ROOT, env=its_environment(tmp_path), stdout=subprocess.PIPE
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()
