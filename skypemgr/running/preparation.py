"""What has to be there before web can answer: tables, translations, static files, and a first company to look at."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import django
from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

type SignIns = list[dict[str, str]]


def migrate_database(report: Callable[[str], None]) -> None:
    """Apply the migrations that are missing."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        report("Preparing the database.")
        call_command("migrate", interactive=False, verbosity=0)


def collect_static_files() -> None:
    """Collect, hash and compress the static files, if any has changed since the last time."""
    stamp = settings.VAR_DIR / "static.fingerprint"
    found = fingerprint_of_static_files()
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    if manifest.exists() and stamp.exists() and stamp.read_text() == found:
        return
    stamp.unlink(missing_ok=True)
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(found)


def fingerprint_of_static_files() -> str:
    """Changes whenever a static file, or what handles them, does."""
    digest = hashlib.sha256(repr((django.VERSION, settings.STORAGES)).encode())
    for finder in get_finders():
        for path, storage in finder.list([]):
            status = Path(storage.path(path)).stat()
            digest.update(repr((path, status.st_size, status.st_mtime_ns)).encode())
    return digest.hexdigest()


def seed_demo(environment: dict[str, str], report: Callable[[str], None]) -> None:
    """Add the demo company to an installation that has no organization yet."""
    # Seeding again is harmless, and says again how to sign in, should it have been killed in between.
    unfinished = settings.VAR_DIR / "demo.unfinished"
    if apps.get_model("members", "Organization").objects.exists() and not unfinished.exists():
        return
    unfinished.touch()
    report("Adding a demo company.")
    seeded = subprocess.run(
        [sys.executable, str(settings.BASE_DIR / "manage.py"), "seed_demo", "--json"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    if seeded.returncode:
        raise CommandError("The demo company could not be added; what happened stands above.")
    path = sign_ins_path()
    draft = path.with_suffix(f".{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(seeded.stdout)
    draft.replace(path)
    unfinished.unlink()


def demo_sign_ins() -> SignIns:
    """How to sign in to the demo company: `skype_name`, `password` and `role` of each person worth trying."""
    try:
        return json.loads(sign_ins_path().read_text())["sign_ins"]
    except (OSError, ValueError, KeyError):
        return []


def sign_ins_path() -> Path:
    """Where the sign-ins of the demo company are remembered; local mode only."""
    return settings.VAR_DIR / "demo.json"
