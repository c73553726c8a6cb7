import time
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError, connections
from psycopg.errors import LockNotAvailable

# Whatever comes after a migration that waits for a table waits with it; requests give up after three seconds.
LOCK_SECONDS = 1
PAUSE = 2.0
MOST_TRIES = 60


class Command(migrate.Command):
    """Django's own, which steps back when a table is busy and tries again, so that nobody has to wait behind it."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate. Raises CommandError when a table stayed busy for minutes."""
        connection = connections[options["database"]]
        for _number in range(MOST_TRIES):
            with connection.cursor() as cursor:
                cursor.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'")
            try:
                super().handle(*args, **options)
                with connection.cursor() as cursor:
                    cursor.execute("RESET lock_timeout")
                return
            except OperationalError as error:
                if not isinstance(error.__cause__, LockNotAvailable):
                    raise
                self.stderr.write("A table is busy; the migration is tried again.")
                time.sleep(PAUSE)
        raise CommandError("A table stayed busy. What was applied stands; run migrate again.")
