import threading
import time

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from skypemgr.management.commands.migrate import LOCK_SECONDS


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_migration_steps_back_from_a_busy_table_and_is_tried_again(capsys: pytest.CaptureFixture[str]) -> None:
    known = connection.settings_dict
    where = f"host={known['OPTIONS']['host']} dbname={known['NAME']} user={known['USER']}"
    with psycopg.connect(where) as reader:
        reader.execute("SELECT count(*) FROM members_letter")
        busy = threading.Timer(LOCK_SECONDS + 1.5, reader.rollback)
        busy.start()
        began = time.monotonic()

        call_command("migrate", "members", "0005_lists_at_scale", verbosity=0)

        assert time.monotonic() - began > LOCK_SECONDS
        busy.join()
    assert "tried again" in capsys.readouterr().err
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone()[0] == "3s"
