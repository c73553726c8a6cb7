"""A pytest plugin, loaded before Django: PostgreSQL and Valkey for the tests alone, quick and forgetful.

The settings are read from an environment of the tests' own, so that nothing a developer has configured
is ever touched. Each parallel worker gets its own data folder and its own database of the broker; the
database server they share, since pytest-django makes a database for each.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from skypemgr.embedded.postgres import Postgres
from skypemgr.embedded.valkey import Valkey
from skypemgr.environment import setting_names

FOLDER = "SKYPEMGR_TEST_FOLDER"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Iterator[None]:
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="sk")
    for name in setting_names():
        os.environ.pop(name, None)
    folder = Path(os.environ[FOLDER])
    os.environ["DATABASE_URL"] = f"postgresql://app@/app?host={folder / 'pg'}"
    os.environ["REDIS_URL"] = f"unix://{folder / 'valkey.sock'}?db={int(worker[2:]) + 1 if worker else 0}"
    os.environ["APP_VAR"] = str(folder / (worker or "main"))
    return (yield)


class Servers:
    """Runs both servers from the start of the session until after its last worker has ended."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = Postgres(folder / "pg", folder / "pg.log", durable=False)
        self.broker = Valkey(folder / "valkey", folder / "valkey.sock", folder / "valkey.log", durable=False)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        self.database.ensure()
        self.broker.ensure()

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        self.broker.stop()
        self.database.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def pytest_configure(config: pytest.Config) -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        config.pluginmanager.register(Servers(Path(os.environ[FOLDER])), "skypemgr-servers")
