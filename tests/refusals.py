"""What the database itself refuses."""

from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection, transaction


def refused(act: Callable[[], object], by: str = "") -> None:
    """The database refuses what is done, at once or at the latest when the transaction ends, in words with ``by``."""
    with pytest.raises(DatabaseError, match=by or None), transaction.atomic():
        act()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
