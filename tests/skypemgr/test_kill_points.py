import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.skypemgr.processes import ROOT, environment

PASS = "from skypemgr.kill_points import kill_point as k; k('here'); print('past', flush=True)"


def pass_by(folder: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    """A process that comes by the place "here"."""
    return subprocess.run(
        [sys.executable, "-c", f"import django; django.setup(); {PASS}"],
        cwd=ROOT,
        env=environment(folder, PYTHONPATH=str(ROOT), **extra),
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_one_process_dies_at_a_place_that_was_named_and_the_next_passes(tmp_path: Path) -> None:
    (tmp_path / "here").touch()

    first = pass_by(tmp_path / "var", KILL_POINTS=str(tmp_path))
    second = pass_by(tmp_path / "var", KILL_POINTS=str(tmp_path))

    assert (first.returncode, first.stdout) == (-signal.SIGKILL, "")
    assert (second.returncode, second.stdout) == (0, "past\n")


def test_nobody_dies_where_nothing_was_named_or_nobody_tests(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").touch()
    (tmp_path / "here").touch()

    assert pass_by(tmp_path / "var").stdout == "past\n"
    (tmp_path / "here").unlink()
    assert pass_by(tmp_path / "var", KILL_POINTS=str(tmp_path)).stdout == "past\n"


@pytest.mark.parametrize("folder", ["/tmp"])
def test_production_refuses_to_start_with_kill_points(folder: str) -> None:
    production = {
        "SKYPEMGR_ENV": "production",
        "SECRET_KEY": "x" * 64,
        "BASE_URL": "https://skype.example.com",
        "ALLOWED_HOSTS": "skype.example.com",
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "SMTP_URL": "smtp://127.0.0.1:1",
    }

    ended = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=os.environ | production | {"KILL_POINTS": folder},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ended.returncode == 1
    assert "KILL_POINTS is for tests" in ended.stderr
