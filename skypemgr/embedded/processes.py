import ctypes
import importlib.util
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

LONGEST_SOCKET_PATH = 107
LARGEST_LOG = 5_000_000
PR_SET_PDEATHSIG = 1


class ServerError(Exception):
    """An embedded server could not be started. The message says what to do."""


def package_folder(name: str) -> Path:
    """The folder of an installed package, found without importing it: an import may have side effects."""
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise ServerError(
            f"The package {name} is not installed, so there are no embedded servers: "
            "run `make setup`, or set DATABASE_URL and REDIS_URL."
        )
    if not sys.platform.startswith("linux"):
        raise ServerError("The embedded servers run on Linux: set DATABASE_URL and REDIS_URL.")
    return Path(found.submodule_search_locations[0])


def check_socket_path(path: Path) -> None:
    """Raises ServerError when the operating system can't open a socket at ``path``."""
    length = len(os.fsencode(path))
    if length > LONGEST_SOCKET_PATH:
        raise ServerError(
            f"The path of the socket {path} has {length} bytes, and {LONGEST_SOCKET_PATH} is the most there can be: "
            "set APP_VAR to a folder with a shorter path."
        )


def living(program: str, folder: Path) -> list[int]:
    """Process ids of every ``program`` that works in ``folder``, whoever started it; ended ones never count."""
    home = folder.resolve()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == home and (process / "comm").read_text().strip() == program:
                found.append(int(process.name))
        except OSError:
            continue  # it ended meanwhile, or belongs to somebody else
    return found


def launch(
    command: Sequence[str | Path], *, folder: Path, log: Path, as_root: bool, dies_with_parent: bool
) -> subprocess.Popen[bytes]:
    """Start a server in ``folder``, in a session of its own, so that Ctrl-C never reaches it.

    ``as_root`` says that the program works as root; one that does not gets a user namespace instead.
    """
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.replace(log.with_suffix(".log.old"))

    def prepare() -> None:
        if not as_root:
            leave_root()
        if dies_with_parent:
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)

    with log.open("ab") as output:
        try:
            return subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment(),
                start_new_session=True,
                preexec_fn=prepare,
            )
        except subprocess.SubprocessError as error:
            raise ServerError(NO_NAMESPACE) from error


NO_NAMESPACE = (
    "PostgreSQL does not run as root, and this machine allows no user namespace to stand in: "
    "run as an ordinary user, or set DATABASE_URL and REDIS_URL."
)


def environment() -> dict[str, str]:
    """Our environment without what would change how PostgreSQL starts (PGPORT, PGDATA…)."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def leave_root() -> None:
    """Inside a new child: look like an ordinary user, while the files stay those of root."""
    if os.geteuid() != 0:
        return
    ordinary = next(entry for entry in pwd.getpwall() if entry.pw_uid != 0)
    os.unshare(os.CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{ordinary.pw_uid} 0 1")
    Path("/proc/self/gid_map").write_text(f"{ordinary.pw_gid} 0 1")


def wait_until(done: Callable[[], bool], *, seconds: float, step: float = 0.02) -> bool:
    """True as soon as ``done()`` is; False when it still isn't after ``seconds``."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(step)
    return True


def send(pids: Sequence[int], number: signal.Signals) -> None:
    """Signal each process that still exists."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def last_lines(log: Path, count: int = 8) -> str:
    """The end of a log, for an error message."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
