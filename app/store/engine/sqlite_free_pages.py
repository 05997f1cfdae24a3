"""Overwrites what older code has left in the free pages of a SQLite file, in small transactions beside other writers.

Older code did not overwrite a page that became free. A table of zeros takes all free pages, step by step; then they
are given back, and `secure_delete` overwrites each one. This needs neither the memory nor the time that a copy of the
file needs. It can be killed at any point: how far it has come is in the file. PostgreSQL vacuums by itself.
"""

from sqlalchemy import Connection, inspect

from app.store.engine.sqlite_marks import Mark, add_mark, marks_of

ZEROS = "wiped_pages"
"""The table that holds free pages while they are overwritten. It exists only meanwhile."""

STEP_PAGES = 1024
POINTER_BYTES = 4
"""A page of a large value begins with the number of the next one."""


def needs_wiping(connection: Connection) -> bool:
    """Return whether there is something left to do."""
    if connection.dialect.name != "sqlite":
        return False
    return Mark.FREE_PAGES_WIPED not in marks_of(connection) or _is_under_way(connection)


def wipe_some(connection: Connection) -> None:
    """Do the next step: take some free pages, until there are none, or give some back."""
    if Mark.FREE_PAGES_WIPED not in marks_of(connection):
        _take(connection)
        if _pragma(connection, "freelist_count") == 0:
            add_mark(connection, Mark.FREE_PAGES_WIPED)
    elif _is_under_way(connection):
        _give_back(connection)


def _take(connection: Connection) -> None:
    connection.exec_driver_sql(f"CREATE TABLE IF NOT EXISTS {ZEROS} (id INTEGER PRIMARY KEY, zeros BLOB NOT NULL)")
    pages = min(STEP_PAGES, _pragma(connection, "freelist_count"))
    size = pages * (_pragma(connection, "page_size") - POINTER_BYTES)
    if pages:
        connection.exec_driver_sql(f"INSERT INTO {ZEROS} (zeros) VALUES (zeroblob({size}))")  # noqa: S608 - numbers


def _give_back(connection: Connection) -> None:
    newest = f"SELECT max(id) FROM {ZEROS}"  # noqa: S608 - a constant
    if connection.exec_driver_sql(f"DELETE FROM {ZEROS} WHERE id = ({newest})").rowcount == 0:  # noqa: S608
        connection.exec_driver_sql(f"DROP TABLE {ZEROS}")


def _is_under_way(connection: Connection) -> bool:
    return inspect(connection).has_table(ZEROS)


def _pragma(connection: Connection, name: str) -> int:
    return int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
