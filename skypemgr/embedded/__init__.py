"""Real PostgreSQL and Valkey, from their wheels, for a machine where none are configured.

Whoever needs the servers holds a `Share` of them: the first one starts them, the last one stops them,
and no server ends while anybody holds a share. `manage.py` takes one for every command that needs it.
"""

from skypemgr.embedded.commands import servers_for_command
from skypemgr.embedded.processes import ServerError
from skypemgr.embedded.share import Share

__all__ = ["ServerError", "Share", "servers_for_command"]
