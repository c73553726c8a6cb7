#!/bin/sh
# The role of the application is no superuser, so the rules of the database bind it.
# The superuser loses its password: it signs in from inside the container alone.
set -eu
psql --set ON_ERROR_STOP=1 --set password="$POSTGRES_PASSWORD" --username "$POSTGRES_USER" <<'SQL'
CREATE ROLE skypemgr LOGIN PASSWORD :'password';
CREATE DATABASE skypemgr OWNER skypemgr;
ALTER ROLE CURRENT_USER PASSWORD NULL;
SQL
