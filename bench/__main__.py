"""`python -m bench [NAME…]`: measure everything, or what is named; exit 1 when a ratio breaks its limit.

Runs on servers of its own, durable as in production, in a folder that is gone afterwards. SCALE=0.01 measures
with a hundredth of the rows: quick, to see that it works, and no figure to quote.
"""

import importlib
import os
import pkgutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from django.core.management import call_command

from skypemgr.embedded.postgres import Postgres
from skypemgr.embedded.valkey import Valkey
from skypemgr.environment import setting_names

FRAME = {"__main__", "measure", "tables2"}


def main(chosen: list[str]) -> int:
    names = sorted(module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    known = [name for name in names if name not in FRAME]
    if unknown := set(chosen) - set(known):
        sys.stderr.write(f"There is no {', '.join(sorted(unknown))}; there are {', '.join(known)}.\n")
        return 2
    scale = float(os.environ.get("SCALE", "1"))
    with _servers():
        _prepare()
        broken = 0
        for name in chosen or known:
            sys.stdout.write(f"{name}, SCALE={scale:g}\n")
            for figure in importlib.import_module(f"bench.{name}").measure(scale):
                sys.stdout.write(f"  {figure}\n")
                sys.stdout.flush()
                broken += not figure.holds
    return 1 if broken else 0


@contextmanager
def _servers() -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="sk", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        # Nothing that somebody has configured is ever touched.
        for name in setting_names():
            os.environ.pop(name, None)
        os.environ |= {
            "APP_VAR": place,
            "DATABASE_URL": f"postgresql://app@/app?host={folder / 'pg'}",
            "REDIS_URL": f"unix://{folder / 'valkey.sock'}?db=0",
            "DATABASE_STATEMENT_TIMEOUT": "0",
            "LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "skypemgr.settings",
        }
        database = Postgres(folder / "pg", folder / "pg.log")
        broker = Valkey(folder / "valkey", folder / "valkey.sock", folder / "valkey.log")
        try:
            database.ensure()
            broker.ensure()
            yield
        finally:
            broker.stop()
            database.stop()


def _prepare() -> None:
    django.setup()
    call_command("migrate", verbosity=0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
