import time
from typing import Any

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base
from django.db.backends.postgresql.features import DatabaseFeatures
from psycopg import IsolationLevel
from psycopg_pool import PoolTimeout

from skypemgr.database.silence import WatchfulConnection, check

KNOWS_TRANSACTION_TIMEOUT = 170_000
# While the server is away, one request in this many seconds waits for it. The others hear it at once,
# so that threads stay free for what needs no database.
PAUSE = 1.0


class Features(DatabaseFeatures):
    """What can be told without asking the server, so that settings are checked where there is none."""

    # Ours are stored, which every version can do.
    supports_virtual_generated_columns = False


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL on connections that notice when their server has gone silent."""

    features_class = Features

    _away_until = 0.0

    @property
    def pool(self) -> Any:
        """The pool of this process, or None where there is none."""
        options = self.settings_dict["OPTIONS"].get("pool")
        if options:
            options.update(connection_class=WatchfulConnection, check=check)
        return super().pool

    def get_new_connection(self, conn_params: dict[str, Any]) -> psycopg.Connection[Any]:
        if not self.pool:
            self.isolation_level = IsolationLevel.READ_COMMITTED
            return WatchfulConnection.connect(**conn_params)
        if time.monotonic() < DatabaseWrapper._away_until:
            raise psycopg.OperationalError("The database did not answer a moment ago.")
        try:
            return super().get_new_connection(conn_params)
        except PoolTimeout:
            # Every thread has a place in the pool, so none was taken by somebody else: the server is away.
            DatabaseWrapper._away_until = time.monotonic() + PAUSE
            raise

    def _configure_connection(self, connection: psycopg.Connection[Any]) -> bool:
        # An option of the connection string would keep servers before 17 from answering at all.
        limit = settings.TRANSACTION_TIMEOUT
        if limit and connection.info.server_version >= KNOWS_TRANSACTION_TIMEOUT:
            connection.execute(f"SET transaction_timeout = {int(limit)}")
            super()._configure_connection(connection)  # type: ignore[misc]
            return True
        return super()._configure_connection(connection)  # type: ignore[misc]
