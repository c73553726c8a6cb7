import io
import time
from collections.abc import Callable

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from skypemgr.management.commands.migrate import LOCK_SECONDS


class Listener(io.StringIO):
    """Standard error that calls somebody as soon as something is written."""

    def __init__(self, heard: Callable[[], None]) -> None:
        super().__init__()
        self._heard = heard

    def write(self, text: str) -> int:
        self._heard()
        return super().write(text)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_migration_steps_back_from_a_busy_table_and_is_tried_again() -> None:
    known = connection.settings_dict
    where = f"host={known['OPTIONS']['host']} dbname={known['NAME']} user={known['USER']}"
    began = time.monotonic()
    with psycopg.connect(where) as reader:
        reader.execute("SELECT count(*) FROM members_letter")
        # Busy until the command says that it has stepped back.
        said = Listener(reader.rollback)

        call_command("migrate", "members", "0005_lists_at_scale", verbosity=0, stderr=said)
    try:
        assert "tried again" in said.getvalue()
        assert time.monotonic() - began > LOCK_SECONDS
    finally:
        call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone()[0] == "3s"
