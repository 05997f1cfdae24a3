"""PostgreSQL databases that several tests use one after the other, each in the state of a new one.

A new database takes 50 ms of processor time and writes 7 MB in 300 files, and a thousand tests want one. To empty one
that is there takes half of the time, and writes next to nothing.
"""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg

_STATE = """
    SELECT md5(string_agg(line, ',' ORDER BY line)) FROM (
        SELECT concat_ws(' ', c.relname, c.relkind, c.relacl, c.reloptions, i.indisvalid, a.attname, a.attnum,
                         a.atttypid, a.attnotnull, a.attidentity, pg_get_expr(d.adbin, d.adrelid)) AS line
        FROM pg_class c
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid
        LEFT JOIN pg_index i ON i.indexrelid = c.oid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'public'::regnamespace
        UNION ALL SELECT concat_ws(' ', conname, convalidated, pg_get_constraintdef(oid))
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT concat_ws(' ', proname, prosrc) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL SELECT concat_ws(' ', tgrelid::regclass, tgname, tgenabled) FROM pg_trigger
        UNION ALL SELECT concat_ws(' ', nspname, nspacl) FROM pg_namespace WHERE nspname !~ '^pg_t'
        UNION ALL SELECT concat_ws(' ', datconnlimit, datacl) FROM pg_database WHERE datname = current_database()
        UNION ALL SELECT concat_ws(' ', setconfig)
        FROM pg_db_role_setting JOIN pg_database b ON b.oid = setdatabase WHERE datname = current_database()
        UNION ALL SELECT 'statistics' FROM pg_statistic JOIN pg_class c ON c.oid = starelid
        WHERE c.relnamespace = 'public'::regnamespace
    ) lines
"""
"""What a test may leave in a database besides rows: a changed schema, rights, settings, what ANALYZE found out."""

_TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
_SEQUENCES = """
    SELECT coalesce('SELECT ' || string_agg(
        format('setval(%L, %s, %L)', sequencename, coalesce(last_value, start_value), last_value IS NOT NULL), ', '
    ), 'SELECT 1') FROM pg_sequences WHERE schemaname = 'public'
"""


@dataclass(frozen=True)
class Content:
    """What a new database holds. `rows`: of each table, as COPY writes them. `sequences`: a SELECT that sets them."""

    state: str
    rows: dict[str, bytes]
    sequences: LiteralString


class ReusedDatabases:
    """The databases of a server that have the schema at head. `connect` opens a connection to one, by its name."""

    def __init__(self, connect: Callable[..., psycopg.Connection]) -> None:
        self._connect = connect
        self._returned: deque[str] = deque()
        self._of_new: Content | None = None

    def learn(self, template: str) -> None:
        """Read what a new database holds."""
        with self._connect(template) as connection:
            self._of_new = Content(_value(connection, _STATE), _rows(connection), _value(connection, _SEQUENCES))

    def give_back(self, name: str) -> None:
        """Let another test have this database, under another name: what is left of this test will not find it."""
        self._returned.append(name)

    def take(self, name: str) -> bool:
        """Give a database that was returned this name, and make it as good as new. Return whether there was one.

        One that a process is still connected to, or that a test has changed, is not used again.
        """
        while self._returned:
            returned = self._returned.popleft()
            if self._is_left(returned) and self._is_emptied(returned) and self._is_renamed(returned, name):
                return True
        return False

    def _is_left(self, name: str) -> bool:
        """Whether no process is connected any more."""
        with self._connect() as connection:
            return not connection.execute("SELECT FROM pg_stat_activity WHERE datname = %s", [name]).rowcount

    def _is_emptied(self, name: str) -> bool:
        assert self._of_new is not None
        with self._connect(name) as connection:
            if _value(connection, _STATE) != self._of_new.state:
                return False
            before = self._of_new.rows
            if changed := [table for table, rows in _rows(connection).items() if rows != before[table]]:
                connection.execute(f"TRUNCATE {', '.join(changed)}")  # type: ignore[arg-type]
            for table in changed:
                if before[table]:
                    with connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:  # type: ignore[arg-type]
                        copy.write(before[table])
            connection.execute(self._of_new.sequences)
        return True

    def _is_renamed(self, old: str, new: str) -> bool:
        with self._connect() as connection, suppress(psycopg.errors.ObjectInUse):
            connection.execute(f"ALTER DATABASE {old} RENAME TO {new}")
            return True
        return False


def _rows(connection: psycopg.Connection) -> dict[str, bytes]:
    """Return the rows of each table, of a large one as many as no new database has."""
    rows = {}
    for (table,) in connection.execute(_TABLES).fetchall():
        with connection.cursor().copy(f"COPY (TABLE {table} LIMIT 50) TO STDOUT") as copy:
            rows[table] = b"".join(map(bytes, copy))
    return rows


def _value(connection: psycopg.Connection, query: LiteralString) -> Any:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]
