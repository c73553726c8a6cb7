"""Statements that are asked so often that reading and planning them anew would cost more than they do."""

from typing import Any

from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor


def prepared_cursor() -> Any:
    """A cursor like any other of Django; the server reads and plans its statements once for each connection."""
    wrapper: Any = connection
    wrapper.ensure_connection()
    with wrapper.wrap_database_errors:
        return wrapper._prepare_cursor(ServerBindingCursor(wrapper.connection))  # type: ignore[call-arg]
