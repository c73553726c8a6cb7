"""Whether work is to blame for an error of the database, or would have met it whatever it was."""

from django.db import OperationalError

# What PostgreSQL refuses for a while, whoever asks: a lock or a deadlock, no room or memory, a shutdown.
PASSING = ("40", "53", "55", "57")


def is_to_blame(error: Exception) -> bool:
    """Whether an attempt that ended with ``error`` counts: not when the database had no time or room for anybody."""
    code = getattr(error.__cause__, "sqlstate", None) or ""
    return not (isinstance(error, OperationalError) and code.startswith(PASSING))
