"""Named places at which a test has a process die, as a crash would (decision 16)."""

import os
import signal
from pathlib import Path

from django.conf import settings


def kill_point(name: str) -> None:
    """Die here, without a last word, if a test has put a file of this name into the folder KILL_POINTS.

    The file goes first, so that one process dies of it and no other. Without that setting, as everywhere but in the
    tests, nothing happens.
    """
    if not settings.KILL_POINTS:
        return
    try:
        (Path(settings.KILL_POINTS) / name).unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
