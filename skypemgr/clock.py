from datetime import datetime
from typing import cast

from django.db import connection
from django.db.models import DateTimeField, Func


def database_now() -> datetime:
    """What the database's clock shows at this moment, in UTC."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cast("datetime", cursor.fetchone()[0])


class DatabaseClock(Func):
    """The database's clock at the very moment a row is looked at.

    Django's ``Now`` is the start of the statement: an UPDATE that waited for a lock would decide by an old time.
    """

    function = "CLOCK_TIMESTAMP"
    output_field = DateTimeField()
