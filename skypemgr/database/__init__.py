"""Django's PostgreSQL backend, with an end to waiting for a server that has gone silent."""
