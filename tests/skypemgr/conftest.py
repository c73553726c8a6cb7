import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.skypemgr.processes import children_of, kill, servers_of


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder as on a new machine; whatever still runs on it afterwards is killed."""
    made = Path(tempfile.mkdtemp(prefix="sk")) / "var"
    yield made
    for process in [*children_of(made), *servers_of(made)]:
        try:
            kill(process)
        except ProcessLookupError:
            continue
    shutil.rmtree(made.parent, ignore_errors=True)
