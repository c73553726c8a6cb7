"""`python -m skypemgr.running.keeper PIPE SHARE` ends what `manage.py up` leaves behind when it is killed.

It reads the process groups that `up` has started from PIPE, which ends when `up` does, and holds the
share of the embedded servers whose file descriptor is SHARE (-1 for none) until all of them have ended.
"""

import os
import signal
import sys
from collections.abc import Callable

from skypemgr.embedded.commands import share_of_servers
from skypemgr.embedded.interrupts import ENDING
from skypemgr.embedded.processes import wait_until

GRACE_SECONDS = 12.0


def is_alive(group: int) -> bool:
    """Whether a process group has a member left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def end_groups(groups: list[int], *, grace: float, hurry: Callable[[], bool] = lambda: False) -> None:
    """Ask every process of these groups to end, and kill those that have not after ``grace`` seconds or at ``hurry``.

    Returns when none is left.
    """

    def signal_all(number: signal.Signals) -> None:
        for group in filter(is_alive, groups):
            os.killpg(group, number)

    signal_all(signal.SIGTERM)
    wait_until(lambda: hurry() or not any(map(is_alive, groups)), seconds=grace, step=0.05)
    signal_all(signal.SIGKILL)
    wait_until(lambda: not any(map(is_alive, groups)), seconds=5)


def main(pipe: int, share_fd: int) -> None:
    """Wait for the end of the pipe, then leave nothing behind."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
    share = share_of_servers()
    if share_fd >= 0:
        share.adopt(share_fd)
    with os.fdopen(pipe) as told:
        groups = [int(line) for line in told if line.endswith("\n")]
    end_groups(groups, grace=GRACE_SECONDS)
    share.leave()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skypemgr.settings")
    main(int(sys.argv[1]), int(sys.argv[2]))
