import os
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Compile the translations that have changed. Needs no gettext, unlike compilemessages."
    requires_system_checks = ()

    def handle(self, **options: object) -> None:
        for folder in settings.LOCALE_PATHS:
            for source in sorted(Path(folder).glob("*/LC_MESSAGES/*.po")):
                compiled = source.with_suffix(".mo")
                if compiled.exists() and compiled.stat().st_mtime_ns >= source.stat().st_mtime_ns:
                    continue
                compile_catalog(source, compiled)
                self.stdout.write(f"Compiled {source.relative_to(folder)}.")


def compile_catalog(source: Path, compiled: Path) -> None:
    """Write ``compiled`` from ``source``. Raises CommandError when either is not possible."""
    language = source.parent.parent.name
    try:
        with source.open("rb") as file:
            catalog = read_po(file, locale=language, abort_invalid=True)
    except (PoFileError, ValueError) as error:
        raise CommandError(f"{source} is no catalog: {error}") from error
    # Compiled aside and moved, since others may be reading it, or compiling it too.
    content = BytesIO()
    write_mo(content, catalog)
    draft = compiled.with_suffix(f".mo.{os.getpid()}")
    try:
        draft.write_bytes(content.getvalue())
        draft.replace(compiled)
    except OSError as error:
        raise CommandError(f"{compiled} can't be written: {error.strerror}.") from error
