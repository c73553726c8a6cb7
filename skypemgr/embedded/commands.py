import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.conf import settings

from skypemgr.embedded.interrupts import end_in_order
from skypemgr.embedded.postgres import Postgres
from skypemgr.embedded.share import Server, Share
from skypemgr.embedded.valkey import Valkey

# Commands that touch neither server; `up` takes its own share. Any other command gets servers.
WITHOUT_SERVERS = {
    "check",
    "collectstatic",
    "compile_translations",
    "compilemessages",
    "diffsettings",
    "findstatic",
    "help",
    "makemessages",
    "startapp",
    "up",
    "version",
}


def needs_servers(argv: Sequence[str]) -> bool:
    """Whether ``manage.py`` called with ``argv`` (its own name first) needs a database or a broker."""
    words = argv[1:]
    asks_for_help = not {"-h", "--help", "--version"}.isdisjoint(words) or "DJANGO_AUTO_COMPLETE" in os.environ
    if not words or asks_for_help:
        return False
    # `check` asks the database only when told to.
    if words[0] == "check":
        return any(word.startswith("--database") for word in words)
    return words[0] not in WITHOUT_SERVERS


def configured_servers() -> list[Server]:
    """The embedded servers this installation runs on: both, one, or none."""
    servers: list[Server] = []
    if settings.EMBEDDED_DATABASE:
        servers.append(Postgres(settings.VAR_DIR / "pg", settings.VAR_DIR / "pg.log"))
    if settings.EMBEDDED_REDIS:
        socket = settings.VAR_DIR / "valkey.sock"
        servers.append(Valkey(settings.VAR_DIR / "valkey", socket, settings.VAR_DIR / "valkey.log"))
    return servers


def share_of_servers() -> Share:
    """This process's share, not joined yet, with the programs of PostgreSQL on the path for `dbshell`."""
    servers = configured_servers()
    for server in servers:
        if isinstance(server, Postgres):
            os.environ["PATH"] = f"{os.environ.get('PATH', os.defpath)}{os.pathsep}{server.programs}"
    return Share(settings.VAR_DIR, servers)


@contextmanager
def servers_for_command(argv: Sequence[str]) -> Iterator[None]:
    """Hold a share of the embedded servers while ``manage.py`` runs a command that needs them.

    Raises ServerError when they can't be started.
    """
    if not needs_servers(argv) or not (settings.EMBEDDED_DATABASE or settings.EMBEDDED_REDIS):
        yield
        return
    end_in_order()
    share = share_of_servers()
    share.join()
    try:
        yield
    finally:
        share.leave()
