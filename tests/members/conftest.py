import subprocess
import sys

import pytest

from tests.members.large_imports import WORK, its_environment
from tests.members.post_office import AnyPort, PostOffice
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


@pytest.fixture
def post_office(settings):
    office = PostOffice()
    controller = AnyPort(office, hostname="127.0.0.1", port=0, ready_timeout=10)
    controller.start()
    settings.MAILERS = {
        "default": {
            "BACKEND": "members.gateways.mail.MailServer",
            "OPTIONS": {"host": "127.0.0.1", "port": controller.port, "timeout": 5},
        }
    }
    yield office
    controller.stop()
