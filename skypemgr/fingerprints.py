"""What tells two databases apart: every row of every table, every rule, every sequence, read in one pass each."""

import re
from dataclasses import dataclass

import psycopg
from psycopg import sql

TABLES = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
ORDER BY 1, 2
"""
# Two sums of halves of a hash: no order is needed, so nothing is sorted, however many rows there are.
ROWS = """
SELECT count(*),
       coalesce(sum(('x' || left(hash, 16))::bit(64)::bigint::numeric), 0)::text
       || '/' || coalesce(sum(('x' || right(hash, 16))::bit(64)::bigint::numeric), 0)::text
FROM (SELECT md5(rows::text) AS hash FROM {table} AS rows) AS hashes
"""
RULES = {
    "constraint": """
SELECT c.conrelid::regclass::text || '.' || c.conname, pg_get_constraintdef(c.oid) || c.convalidated::text
FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace WHERE c.conrelid <> 0
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')""",
    "trigger": """
SELECT t.tgrelid::regclass::text || '.' || t.tgname, pg_get_triggerdef(t.oid) || t.tgenabled::text
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')""",
    "index": """
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) || i.indisvalid::text
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')""",
    "function": """
SELECT p.oid::regprocedure::text, md5(coalesce(p.prosrc, '') || coalesce(p.prosqlbody::text, ''))
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')""",
    "sequence": """
SELECT schemaname || '.' || sequencename, coalesce(last_value::text, 'unused') FROM pg_sequences""",
    "extension": "SELECT extname, extversion FROM pg_extension",
}

# PostgreSQL writes the same condition with other casts and parentheses after a restore.
SPELLING = re.compile(r"::(?:character varying|text)(?:\[\])?|[()\s]")


@dataclass(frozen=True)
class Fingerprint:
    """``tables`` gives the number of rows and their hash by table, ``rules`` each definition by kind and name."""

    tables: dict[str, tuple[int, str]]
    rules: dict[tuple[str, str], str]

    @property
    def rows(self) -> int:
        """All rows of all tables."""
        return sum(count for count, _hash in self.tables.values())


def fingerprint(connection: psycopg.Connection) -> Fingerprint:
    """Read everything, as this connection sees it: inside a transaction of its own, at one moment."""
    tables = {}
    for schema, name in connection.execute(TABLES).fetchall():
        query = sql.SQL(ROWS).format(table=sql.Identifier(schema, name))
        found = connection.execute(query).fetchone()
        assert found is not None
        tables[f"{schema}.{name}"] = (int(found[0]), str(found[1]))
    rules = {
        (kind, name): SPELLING.sub("", definition)
        for kind, query in RULES.items()
        for name, definition in connection.execute(query.encode()).fetchall()
    }
    return Fingerprint(tables, rules)


def differences(source: Fingerprint, copy: Fingerprint) -> list[str]:
    """A sentence for each table and rule in which the copy is not the source; names and counts, no rows."""
    found = []
    for name in sorted(source.tables.keys() | copy.tables.keys()):
        ours, theirs = source.tables.get(name), copy.tables.get(name)
        if ours is None or theirs is None:
            found.append(f"The table {name} is only in the {'copy' if ours is None else 'source'}.")
        elif ours[0] != theirs[0]:
            found.append(f"The table {name} has {ours[0]} rows in the source and {theirs[0]} in the copy.")
        elif ours != theirs:
            found.append(f"The rows of {name} differ.")
    for kind, name in sorted(source.rules.keys() | copy.rules.keys()):
        before, after = source.rules.get((kind, name)), copy.rules.get((kind, name))
        if before is None or after is None:
            found.append(f"The {kind} {name} is only in the {'copy' if before is None else 'source'}.")
        elif before != after:
            found.append(f"The {kind} {name} is not the same in the copy.")
    return found
